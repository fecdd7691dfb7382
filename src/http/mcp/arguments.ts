/** Reads the arguments of a call, and the key that says which use of a tool it is. */
import type * as z from 'zod';
import { isObject } from '../../core/http/json.ts';
import { inBody, zodFaults } from '../faults.ts';
import type { Fault } from '../problem.ts';
import { invalidRequest } from '../submit/options.ts';

/** @throws {Problem} `InvalidRequest`, which names each argument that is wrong. */
export function readArguments<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
	const parsed = schema.safeParse(given);
	const faults = parsed.success ? [] : zodFaults(parsed.error, inBody());
	const hidden = findPrototypes(given);
	if (parsed.success && hidden.length === 0) return parsed.data;
	throw invalidRequest('The arguments of the tool are not valid', [...faults, ...hidden]);
}

/** Schemas of records and objects pass over this name, so that a caller would not learn that it was left out. */
function findPrototypes(given: unknown, pointer = ''): Fault[] {
	if (!isObject(given)) return [];
	const own = Object.hasOwn(given, '__proto__') ? [{ pointer: `${pointer}/__proto__`, message: 'unknown field' }] : [];
	const members = Object.keys(given).filter((name) => name !== '__proto__' && name !== 'body' && name !== 'input');
	return [...own, ...members.flatMap((name) => findPrototypes(given[name], `${pointer}/${name}`))];
}

/** @throws {Problem} `InvalidRequest` for a key that no header can carry. */
export function keyHeader(key: string | undefined): Record<string, string> {
	if (key === undefined) return {};
	if (/^[\x20-\x7e]+$/.test(key)) return { 'idempotency-key': JSON.stringify(key) };
	throw invalidRequest('The key of the call in _meta is not valid: expected printable ASCII characters', []);
}
