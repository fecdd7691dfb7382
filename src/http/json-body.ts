/**
 * Reads JSON bodies. A body is held in memory several times, next to other requests' bodies, so their total memory is bounded.
 * Small bodies don't count.
 */
import { INLINE_BODY_BYTES, MAX_JSON_BYTES, MS_PER_SECOND } from '../core/job/limits.ts';
import {
	ARRIVING_MEMORY,
	JSON_MEMORY,
	MEMORY_PATIENCE_MS,
	type MemoryBudget,
	memoryForJson,
	NoMemory,
} from '../work/budget.ts';
import { readBytes } from './body.ts';
import { parseJson } from './json-text.ts';
import { Problem } from './problem.ts';

/** Time for a body to arrive. Each received piece extends it. */
export const JSON_ARRIVAL_MS = 60 * MS_PER_SECOND;

export interface JsonLimits {
	readonly maxBytes: number;
	/** For tests. Default: the budget of all requests. */
	readonly arriving?: MemoryBudget;
	readonly patienceMs?: number;
	readonly arrivalMs?: number;
}

/**
 * Reads the body, and calls `use` with its value. The memory counts only until `use` returns.
 *
 * @throws {Problem} as `readBytes` and `parseJson`; `Overloaded` when other bodies take too much memory.
 */
export async function readJson<T>(
	request: Request,
	{ maxBytes, arriving = ARRIVING_MEMORY, patienceMs = MEMORY_PATIENCE_MS, arrivalMs = JSON_ARRIVAL_MS }: JsonLimits,
	use: (value: unknown) => Promise<T>,
): Promise<T> {
	let arrivedBytes = 0;
	let heldBytes = 0;
	const hold = arriving.hold();
	// Takes memory only for received bytes: a large `Content-Length` alone takes none.
	const take = async ({ byteLength }: Uint8Array) => {
		arrivedBytes += byteLength;
		if (arrivedBytes <= INLINE_BODY_BYTES) return;
		const wantedBytes = arrivedBytes - heldBytes;
		if (!(await hold.grow(wantedBytes, patienceMs))) throw new NoMemory();
		heldBytes += wantedBytes;
	};
	try {
		const hint =
			maxBytes > MAX_JSON_BYTES
				? '; this limit is for JSON: send larger input as bytes to a task that accepts them'
				: '';
		const options = { hint, onBytes: take, arrivalMs };
		const bytes = await readBytes(request, Math.min(maxBytes, MAX_JSON_BYTES), options);
		return await JSON_MEMORY.use(memoryForJson(bytes.byteLength), patienceMs, () => use(parseJson(bytes)));
	} catch (error) {
		if (!(error instanceof NoMemory)) throw error;
		throw new Problem('Overloaded', `${error.message}: try again later, or send less than ${INLINE_BODY_BYTES} bytes`);
	} finally {
		hold.release();
	}
}
