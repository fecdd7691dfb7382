/**
 * JSON bodies. They are read as a whole and are then in memory several times over, beside those of others, so what they may
 * take together is bounded. Small ones take no part.
 */
import { INLINE_BODY_BYTES, MAX_JSON_BYTES, MIB, MS_PER_SECOND } from '../job/limits.ts';
import { JSON_MEMORY, MemoryBudget, memoryForJson } from '../work/budget.ts';
import { parseJson, readBytes } from './body.ts';
import { Problem } from './problem.ts';

/** What the bodies that are coming in may take, all of an isolate's together. */
const ARRIVING = new MemoryBudget(32 * MIB);
/** A body that takes room from others has this long to come in. */
const ARRIVAL_MS = 60 * MS_PER_SECOND;

export interface JsonLimits {
	readonly maxBytes: number;
	/** Tests bring their own. */
	readonly arriving?: MemoryBudget;
	readonly arrivalMs?: number;
}

/**
 * Reads the body, and runs `use` on its value. What of it outlives `use` is no longer counted.
 *
 * @throws {Problem} as `readBytes` and `parseJson`; `Overloaded` when too many others are coming in.
 */
export async function readJson<T>(
	request: Request,
	{ maxBytes, arriving = ARRIVING, arrivalMs = ARRIVAL_MS }: JsonLimits,
	use: (value: unknown) => Promise<T>,
): Promise<T> {
	let arrivedBytes = 0;
	let heldBytes = 0;
	// Taken as it comes in, and never waited for: whoever announces much and sends nothing keeps nobody waiting.
	const hold = ({ byteLength }: Uint8Array) => {
		arrivedBytes += byteLength;
		const wantedBytes = arrivedBytes > INLINE_BODY_BYTES ? arrivedBytes - heldBytes : 0;
		if (!arriving.take(wantedBytes)) throw new Problem('Overloaded', 'Too much JSON is coming in: try again later');
		heldBytes += wantedBytes;
	};
	try {
		const bytes = await readBytes(request, Math.min(maxBytes, MAX_JSON_BYTES), {
			...(maxBytes > MAX_JSON_BYTES && { hint: '; this is JSON, and what a task takes as bytes may be larger' }),
			onBytes: hold,
			patienceMs: arrivalMs,
		});
		return await JSON_MEMORY.use(memoryForJson(bytes.byteLength), () => use(parseJson(bytes)));
	} finally {
		arriving.give(heldBytes);
	}
}
