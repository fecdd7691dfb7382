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

const isSame = (text: string) => readKey(text) === parsedByLibrary(text);

describe('an idempotency key', () => {
	it('is the string of a structured field, whatever it contains', () => {
		const isKept = (key: string) => readKey(serializeItem(key)) === key;
		fc.assert(fc.property(printable, isKept));
	});

	it('is rejected exactly when a parser of structured fields rejects the string', () => {
		const texts = printable.map((text) => `"${text}"`.trim());
		fc.assert(fc.property(texts, isSame), { numRuns: 1_000 });
	});

	it('may have parameters, which mean nothing', () => {
		const value = fc.oneof(
			fc.string({ unit: fc.constantFrom('"', '\\', ' ', 'a', ';', '='), maxLength: 6 }).map((text) => `"${text}"`),
			fc.constantFrom('1', '-7', '1.5', '1.', '1.2345', '?0', '?2', 'token', 'to ken', '*a/b', ':YQ==:', ''),
		);
		const key = fc.constantFrom('a', 'b-1', '*c', 'A', '1', '"d"', '');
		const parameter = fc.oneof(
			fc.tuple(key, value).map(([name, given]) => `${name}=${given}`),
			key,
		);
		const separator = fc.constantFrom(';', '; ', ';  ', ' ;', ';;');
		const texts = fc
			.array(fc.tuple(separator, parameter), { minLength: 1, maxLength: 3 })
			.map((parameters) => `"k"${parameters.flat().join('')}`.trim());
		fc.assert(fc.property(texts, isSame), { numRuns: 3_000 });
		expect(readKey('"a";b=1; c="d;e";f')).toBe('a');
		// The library (2.1.0) rejects a date with something behind it.
		expect(readKey('"a";b=@1;c')).toBe('a');
		expect(readKey('"a";b=@1.5')).toBeUndefined();
	});
});
