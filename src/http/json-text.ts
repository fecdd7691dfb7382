/** Parses a JSON body without silent changes: a value that can't be kept exactly is rejected with its position. */
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from '../core/job/limits.ts';
import { Problem, shown } from './problem.ts';

/** Integers of fewer digits are always exact. */
const MAY_BE_INEXACT_DIGITS = 16;
/** An integer with more digits exceeds the largest number. */
const MAX_NUMBER_DIGITS = 309;

/** @throws {Problem} `InvalidRequest` for a body that is not UTF-8, not JSON, too complex, or not exactly representable. */
export function parseJson(bytes: Uint8Array): unknown {
	const text = decodeUtf8(bytes);
	if (text.trim() === '') throw new Problem('InvalidRequest', 'Expected a JSON body, got none');
	const { hasInexact } = scan(text);
	const value = parseText(text);
	if (hasInexact) refuseInexact(text);
	refuseUnkept(value);
	return value;
}

function parseText(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch (error) {
		throw new Problem('InvalidRequest', `The body is not JSON: ${(error as SyntaxError).message}`);
	}
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

function decodeUtf8(bytes: Uint8Array): string {
	try {
		return UTF8.decode(bytes);
	} catch {
		throw new Problem('InvalidRequest', 'Expected a body in UTF-8, got other bytes');
	}
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Checks the text before it is parsed. A byte of JSON can take a hundred bytes in memory, and later code recurses over the
 * value, so depth and number of values are limited. Also finds integers that parsing would change.
 */
function scan(text: string): { readonly hasInexact: boolean } {
	let depth = 0;
	let values = 1;
	let hasInexact = false;
	for (let at = 0; at < text.length; at++) {
		const char = text.charCodeAt(at);
		if (char === QUOTE) at = endOfString(text, at);
		else if (char === OPEN_ARRAY || char === OPEN_OBJECT) {
			depth++;
			values++;
		} else if (char === CLOSE_ARRAY || char === CLOSE_OBJECT) depth--;
		else if (char === COMMA) values++;
		else if (char === MINUS || isDigitByte(char)) {
			const end = endOfNumber(text, at);
			hasInexact ||= isInexact(text, at, end);
			at = end - 1;
		}
		if (depth > MAX_JSON_DEPTH) throw tooMuch(`at most ${MAX_JSON_DEPTH} levels of nesting`);
		if (values > MAX_JSON_VALUES) throw tooMuch(`at most ${MAX_JSON_VALUES} values: send a larger body as bytes`);
	}
	return { hasInexact };
}

function endOfString(text: string, start: number): number {
	for (let at = start + 1; at < text.length; at++) {
		const char = text.charCodeAt(at);
		if (char === BACKSLASH) at++;
		else if (char === QUOTE) return at;
	}
	return text.length;
}

function isDigitByte(char: number): boolean {
	return char >= DIGIT_0 && char <= DIGIT_9;
}

/** The end of a number's characters: digits, signs, the point and the exponent's letter. */
function endOfNumber(text: string, start: number): number {
	let end = start + 1;
	while (end < text.length && isNumberPart(text.charCodeAt(end))) end++;
	return end;
}

function isNumberPart(char: number): boolean {
	return isDigitByte(char) || char === MINUS || char === 0x2b || char === 0x2e || char === 0x45 || char === 0x65;
}

function isInexact(text: string, start: number, end: number): boolean {
	return end - start >= MAY_BE_INEXACT_DIGITS && isInexactInteger(text.slice(start, end));
}

/**
 * Whether parsing and serializing would change an integer. Fractions and exponents don't count, because they are approximate
 * anyway.
 */
function isInexactInteger(literal: string): boolean {
	if (!/^-?\d+$/.test(literal) || literal.length > MAX_NUMBER_DIGITS) return false;
	const value = Number(literal);
	if (Number.isSafeInteger(value) || !Number.isFinite(value)) return false;
	const written = String(value);
	return written !== literal && significantDigits(written) !== significantDigits(literal);
}

/** An integer's digits without trailing zeros: `1e+21` has the same as `1000000000000000000000`. */
function significantDigits(integer: string): string {
	return integer.replace(/e.*$/, '').replace('.', '').replace(/0+$/, '');
}

function tooMuch(what: string): Problem {
	return new Problem('InvalidRequest', `Expected JSON with ${what}`);
}

type Reviver = (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Parses again, slowly, to find the integer's position. A duplicate name may hide it: then nothing is lost. */
function refuseInexact(text: string): void {
	const literals: string[] = [];
	const inexact = Symbol('inexact');
	const mark: Reviver = (_, value, { source = '' } = {}) => {
		if (literals.length > 0 || typeof value !== 'number' || !isInexactInteger(source)) return value;
		literals.push(source);
		return inexact;
	};
	const pointer = pointerTo(JSON.parse(text, mark as Parameters<typeof JSON.parse>[1]), (value) => value === inexact);
	if (pointer === undefined) return;
	const wanted = `expected an integer that a JSON number represents exactly (all up to ${Number.MAX_SAFE_INTEGER}), or a string`;
	throw unkept(pointer, `${wanted}, got: ${shown(literals[0] ?? '')}`);
}

/** Rejects JSON values that can't be stored: a number beyond the maximum, and half of a surrogate pair. */
function refuseUnkept(value: unknown): void {
	const isTooLarge = (part: unknown) => typeof part === 'number' && !Number.isFinite(part);
	const isHalf = (part: unknown) => typeof part === 'string' && !part.isWellFormed();
	if (!hasPart(value, (part) => isTooLarge(part) || isHalf(part))) return;
	const tooLarge = pointerTo(value, isTooLarge);
	if (tooLarge !== undefined) throw unkept(tooLarge, `expected a number up to ${Number.MAX_VALUE}`);
	throw unkept(pointerTo(value, isHalf) ?? '', 'expected Unicode text, got half of a surrogate pair');
}

function unkept(pointer: string, message: string): Problem {
	const detail = 'The body has a number or a text that cannot be stored exactly';
	return new Problem('InvalidRequest', detail, { errors: [{ pointer, message }] });
}

/** Whether the value, or a value or name inside it, is of this kind. */
function hasPart(value: unknown, isOfKind: (part: unknown) => boolean): boolean {
	const open = [value];
	while (open.length > 0) {
		const next = open.pop();
		if (isOfKind(next)) return true;
		if (typeof next !== 'object' || next === null) continue;
		if (Array.isArray(next)) for (const inner of next) open.push(inner);
		else for (const [name, inner] of Object.entries(next)) open.push(name, inner);
	}
	return false;
}

/** The JSON Pointer (RFC 6901) to the first value of this kind, or to the object with such a name. */
function pointerTo(value: unknown, isOfKind: (part: unknown) => boolean, at = ''): string | undefined {
	if (isOfKind(value)) return at;
	if (typeof value !== 'object' || value === null) return undefined;
	for (const [name, inner] of Object.entries(value)) {
		if (isOfKind(name)) return at;
		const found = pointerTo(inner, isOfKind, `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
		if (found !== undefined) return found;
	}
	return undefined;
}
