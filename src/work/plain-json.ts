/** What a task hands over to be shown, as nothing but JSON: an object with a class or a getter would not survive the call. */

/** @returns a copy made of JSON values only; `undefined` for what JSON has no form for, or more than `maxBytes` of it. */
export function plainJson(value: unknown, maxBytes: number): unknown {
	try {
		const text = JSON.stringify(value);
		return text === undefined || text.length > maxBytes ? undefined : (JSON.parse(text) as unknown);
	} catch {
		return undefined;
	}
}
