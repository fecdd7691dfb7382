/** Reduces a task's value to plain JSON: an object with a class or a getter would not survive the RPC call. */

/** @returns a copy of JSON values only; `undefined` if JSON can't represent the value, or needs more than `maxBytes`. */
export function plainJson(value: unknown, maxBytes: number): unknown {
	try {
		const text = JSON.stringify(value);
		return text === undefined || text.length > maxBytes ? undefined : (JSON.parse(text) as unknown);
	} catch {
		return undefined;
	}
}
