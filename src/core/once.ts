/**
 * Builds a value when it is first needed, and keeps it. A schema takes up to a millisecond to build, and a request needs few of
 * them, so those of rare requests don't delay the start.
 *
 * @example
 * const Body = once(() => z.strictObject({ name: z.string() }));
 * Body().safeParse(value);
 */
export function once<Value extends object>(build: () => Value): () => Value {
	let value: Value | undefined;
	return () => {
		value ??= build();
		return value;
	};
}
