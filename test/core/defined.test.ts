import { describe, expect, expectTypeOf, it } from 'vitest';
import { defined } from '../../src/core/defined.ts';

describe('defined', () => {
	it('leaves out the properties that are undefined, and no others', () => {
		const empty: { readonly a?: number } = {};
		const result = defined({ a: empty.a, b: null, c: 0, d: '', e: false });
		expect(Object.keys(result)).toEqual(['b', 'c', 'd', 'e']);
	});

	it('makes optional exactly the properties that may be undefined', () => {
		const name: string | undefined = 'a' as string | undefined;
		expectTypeOf(defined({ name, size: 1 })).toExtend<{ name?: string; size: number }>();
		// @ts-expect-error: `name` may be absent.
		expectTypeOf(defined({ name, size: 1 })).toExtend<{ name: string }>();
	});
});
