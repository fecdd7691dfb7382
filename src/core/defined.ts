/** The properties of `T` that may be `undefined` are optional, and the rest are unchanged. */
export type Defined<T> = {
	[Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key];
} & {
	[Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>;
};

/**
 * Leaves out the properties that are `undefined`. An absent field and a field without a value look different in storage,
 * in JSON and in a spread, so a record or a message has only fields with values.
 *
 * @example defined({ name: 'a', delay: undefined }) // { name: 'a' }
 */
export function defined<const T extends object>(fields: T): Defined<T> {
	const result: Record<string, unknown> = {};
	for (const name of Object.keys(fields) as (keyof T & string)[]) {
		if (fields[name] !== undefined) result[name] = fields[name];
	}
	return result as Defined<T>;
}
