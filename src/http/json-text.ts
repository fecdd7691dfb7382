/** The text of a JSON body, read without a silent change: what can't be kept as it was sent is refused at its place. */
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from '../job/limits.ts';
import { Problem, shown } from './problem.ts';

/** Integers of fewer digits are always exact. */
const MAY_BE_INEXACT_DIGITS = 16;
/** An integer of more digits is larger than any number. */
const MAX_NUMBER_DIGITS = 309;

/** @throws {Problem} `InvalidRequest` for what is not UTF-8, not JSON, too much of it to be held, or not kept as it is. */
export function parseJson(bytes: Uint8Array): unknown {
	const text = decode(bytes);
	if (text.trim() === '') throw new Problem('InvalidRequest', 'Expected a JSON body, got none');
	const { hasInexact } = scan(text);
	const value = parsed(text);
	if (hasInexact) refuseInexact(text);
	refuseUnkept(value);
	return value;
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch (error) {
		throw new Problem('InvalidRequest', `The body is not JSON: ${(error as SyntaxError).message}`);
	}
}

function decode(bytes: Uint8Array): string {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
	} catch {
		throw new Problem('InvalidRequest', 'The body is not UTF-8');
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
 * A byte of JSON can become a hundred in memory, and whatever walks over the value recurses: both are seen in the text. So are
 * integers that change when they are read.
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
		else if (char === MINUS || isDigit(char)) {
			const end = endOfNumber(text, at);
			hasInexact ||= isInexact(text, at, end);
			at = end - 1;
		}
		if (depth > MAX_JSON_DEPTH) throw tooMuch(`nested more than ${MAX_JSON_DEPTH} levels deep`);
		if (values > MAX_JSON_VALUES) throw tooMuch(`of more than ${MAX_JSON_VALUES} values: send it as bytes`);
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

function isDigit(char: number): boolean {
	return char >= DIGIT_0 && char <= DIGIT_9;
}

/** Where the characters of a number end: digits, signs, the point and the exponent's letter. */
function endOfNumber(text: string, start: number): number {
	let end = start + 1;
	while (end < text.length && isNumberPart(text.charCodeAt(end))) end++;
	return end;
}

function isNumberPart(char: number): boolean {
	return isDigit(char) || char === MINUS || char === 0x2b || char === 0x2e || char === 0x45 || char === 0x65;
}

function isInexact(text: string, start: number, end: number): boolean {
	return end - start >= MAY_BE_INEXACT_DIGITS && isInexactInteger(text.slice(start, end));
}

/**
 * Whether an integer would be another one when it is read and written again. Fractions and exponents are approximate by their
 * nature.
 */
function isInexactInteger(literal: string): boolean {
	if (!/^-?\d+$/.test(literal) || literal.length > MAX_NUMBER_DIGITS) return false;
	const value = Number(literal);
	if (Number.isSafeInteger(value) || !Number.isFinite(value)) return false;
	const written = String(value);
	return written !== literal && significantDigits(written) !== significantDigits(literal);
}

/** Of an integer: `1e+21` has those of `1000000000000000000000`. */
function significantDigits(integer: string): string {
	return integer.replace(/e.*$/, '').replace('.', '').replace(/0+$/, '');
}

function tooMuch(what: string): Problem {
	return new Problem('InvalidRequest', `The body is JSON ${what}`);
}

type Reviver = (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Parses once more, slowly, to find out where the integer is. A name that comes twice may have hidden it: then nothing is lost. */
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
	const wanted = `expected an integer that a JSON number holds exactly (up to ${Number.MAX_SAFE_INTEGER} all are), or a string`;
	throw unkept(pointer, `${wanted}, got: ${shown(literals[0] ?? '')}`);
}

/** What JSON can write and nobody can keep: a number beyond any, and half a character. */
function refuseUnkept(value: unknown): void {
	const isTooLarge = (part: unknown) => typeof part === 'number' && !Number.isFinite(part);
	const isHalf = (part: unknown) => typeof part === 'string' && !part.isWellFormed();
	if (!hasPart(value, (part) => isTooLarge(part) || isHalf(part))) return;
	const tooLarge = pointerTo(value, isTooLarge);
	if (tooLarge !== undefined) throw unkept(tooLarge, `expected a number up to ${Number.MAX_VALUE}`);
	throw unkept(pointerTo(value, isHalf) ?? '', 'expected Unicode text, got half of a surrogate pair');
}

function unkept(pointer: string, message: string): Problem {
	const detail = 'The body has a number or a text that would not be kept as it was sent';
	return new Problem('InvalidRequest', detail, { errors: [{ pointer, message }] });
}

/** Whether a value or a name in it is of this kind. */
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

/** The JSON Pointer (RFC 6901) to the first value of this kind, or to the object that has such a name. */
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
