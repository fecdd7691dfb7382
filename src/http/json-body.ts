/**
 * JSON bodies. They are read as a whole and are then in memory several times over, beside those of others, so what they may
 * take together is bounded. Small ones take no part.
 */
import { INLINE_BODY_BYTES, MAX_JSON_BYTES, MS_PER_SECOND } from '../job/limits.ts';
import { JSON_MEMORY, MemoryBudget, memoryForJson } from '../work/budget.ts';
import { parseJson, readBytes } from './body.ts';
import { Problem } from './problem.ts';

/** What the bodies that are coming in may take, all of an isolate's together: three of the largest. */
const ARRIVING = new MemoryBudget(3 * MAX_JSON_BYTES);
/** Where there is no room, a body waits this long for some; those that have it may be waiting for more themselves. */
const PATIENCE_MS = 10 * MS_PER_SECOND;
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
	{ maxBytes, arriving = ARRIVING, patienceMs = PATIENCE_MS, arrivalMs = ARRIVAL_MS }: JsonLimits,
	use: (value: unknown) => Promise<T>,
): Promise<T> {
	let arrivedBytes = 0;
	let heldBytes = 0;
	// Taken as it comes in: whoever announces much and sends nothing has nothing.
	const hold = async ({ byteLength }: Uint8Array) => {
		arrivedBytes += byteLength;
		if (arrivedBytes <= INLINE_BODY_BYTES) return;
		const wantedBytes = arrivedBytes - heldBytes;
		if (!(await arriving.take(wantedBytes, patienceMs)))
			throw new Problem('Overloaded', 'Too much JSON is coming in: try again later');
		heldBytes += wantedBytes;
	};
	try {
		const bytes = await readBytes(request, Math.min(maxBytes, MAX_JSON_BYTES), {
			...(maxBytes > MAX_JSON_BYTES && { hint: '; this is JSON, and what a task takes as bytes may be larger' }),
			onBytes: hold,
			arrivalMs,
		});
		return await JSON_MEMORY.use(memoryForJson(bytes.byteLength), () => use(parseJson(bytes)));
	} finally {
		arriving.give(heldBytes);
	}
}
