import fc from 'fast-check';
import { parseItem, serializeItem } from 'structured-headers';
import { describe, expect, it } from 'vitest';
import { readOptions } from '../../src/http/submit/options.ts';

/** As the API reads it; `undefined` for a rejected one. */
function readKey(text: string): string | undefined {
	try {
		return readOptions(new Headers({ 'idempotency-key': text })).idempotencyKey;
	} catch {
		return undefined;
	}
}

function parsedByLibrary(text: string): unknown {
	try {
		const [value] = parseItem(text);
		return value === '' ? undefined : value;
	} catch {
		return undefined;
	}
}

/** Half of them with the characters that matter. */
const printable = fc.oneof(
	fc.string({ unit: fc.constantFrom('"', '\\', ' ', 'a', '[', ']', '~', '!'), minLength: 1, maxLength: 12 }),
	fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }),
);

describe('an idempotency key', () => {
	it('is the string of a structured field, whatever it contains', () => {
		const isKept = (key: string) => readKey(serializeItem(key)) === key;
		fc.assert(fc.property(printable, isKept));
	});

	it('is rejected exactly when a parser of structured fields rejects the string', () => {
		const texts = printable.map((text) => `"${text}"`.trim());
		const isSame = (text: string) => readKey(text) === parsedByLibrary(text);
		// What follows the string as parameters is not read, so that it may be wrong, too.
		const withoutParameters = texts.filter((text) => !/"\s*;/.test(text));
		fc.assert(fc.property(withoutParameters, isSame), { numRuns: 1_000 });
	});

	it('may have parameters, which mean nothing', () => {
		expect(readKey('"a";b=1')).toBe('a');
	});
});
