/** Copies a value, as storage, calls and queues do for its receiver. Like `structuredClone`, but fast for plain data. */
export function copied<T>(value: T): T {
	return copy(value) as T;
}

function copy(value: unknown): unknown {
	if (typeof value === 'function' || typeof value === 'symbol') throw new DOMException('Not data', 'DataCloneError');
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map(copy);
	if (value instanceof Uint8Array) return value.slice();
	const prototype = Object.getPrototypeOf(value);
	if (prototype !== Object.prototype && prototype !== null) return structuredClone(value);
	const result: Record<string, unknown> = {};
	for (const key of Object.keys(value)) result[key] = copy((value as Record<string, unknown>)[key]);
	return result;
}
