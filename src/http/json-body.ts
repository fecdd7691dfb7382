/**
 * JSON bodies. They are read as a whole and are then in memory several times over, beside those of others, so what they may
 * take together is bounded. Small ones take no part.
 */
import { INLINE_BODY_BYTES, MAX_JSON_BYTES, MS_PER_SECOND } from '../job/limits.ts';
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

/** A body has this long to arrive, and one that keeps arriving has longer. */
const ARRIVAL_MS = 60 * MS_PER_SECOND;

export interface JsonLimits {
	readonly maxBytes: number;
	/** Tests bring their own. */
	readonly arriving?: MemoryBudget;
	readonly patienceMs?: number;
	readonly arrivalMs?: number;
}

/**
 * Reads the body, and runs `use` on its value. What of it outlives `use` is no longer counted.
 *
 * @throws {Problem} as `readBytes` and `parseJson`; `Overloaded` when too many others are coming in.
 */
export async function readJson<T>(
	request: Request,
	{ maxBytes, arriving = ARRIVING_MEMORY, patienceMs = MEMORY_PATIENCE_MS, arrivalMs = ARRIVAL_MS }: JsonLimits,
	use: (value: unknown) => Promise<T>,
): Promise<T> {
	let arrivedBytes = 0;
	let heldBytes = 0;
	const hold = arriving.hold();
	// Taken as it comes in: a body that is announced and does not come takes nothing.
	const take = async ({ byteLength }: Uint8Array) => {
		arrivedBytes += byteLength;
		if (arrivedBytes <= INLINE_BODY_BYTES) return;
		const wantedBytes = arrivedBytes - heldBytes;
		if (!(await hold.grow(wantedBytes, patienceMs))) throw new NoMemory();
		heldBytes += wantedBytes;
	};
	try {
		const bytes = await readBytes(request, Math.min(maxBytes, MAX_JSON_BYTES), {
			...(maxBytes > MAX_JSON_BYTES && { hint: '; this is JSON, and what a task takes as bytes may be larger' }),
			onBytes: take,
			arrivalMs,
		});
		return await JSON_MEMORY.use(memoryForJson(bytes.byteLength), patienceMs, () => use(parseJson(bytes)));
	} catch (error) {
		if (!(error instanceof NoMemory)) throw error;
		throw new Problem('Overloaded', `${error.message}: try again later, or send less than ${INLINE_BODY_BYTES} bytes`);
	} finally {
		hold.release();
	}
}
