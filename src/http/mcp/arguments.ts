/** Reads the arguments of a call, and the key that says which use of a tool it is. Names what is wrong as the caller wrote it. */
import type * as z from 'zod';
import { isObject } from '../../core/http/json.ts';
import { inBody, zodFaults } from '../faults.ts';
import { type Fault, Problem } from '../problem.ts';
import { invalidRequest } from '../submit/options.ts';

export const INVALID_ARGUMENTS = 'The arguments of the tool are not valid';

/** @throws {Problem} `InvalidRequest`, which names each argument that is wrong. */
export function readArguments<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
	const parsed = schema.safeParse(given);
	const faults = parsed.success ? [] : zodFaults(parsed.error, inBody());
	const hidden = findPrototypes(given);
	if (parsed.success && hidden.length === 0) return parsed.data;
	throw invalidRequest(INVALID_ARGUMENTS, [...faults, ...hidden]);
}

/** Schemas of records and objects pass over this name, so that a caller would not learn that it was left out. */
function findPrototypes(given: unknown, pointer = ''): Fault[] {
	if (!isObject(given)) return [];
	const own = Object.hasOwn(given, '__proto__') ? [{ pointer: `${pointer}/__proto__`, message: 'unknown field' }] : [];
	const members = Object.keys(given).filter((name) => name !== '__proto__' && name !== 'body' && name !== 'input');
	return [...own, ...members.flatMap((name) => findPrototypes(given[name], `${pointer}/${name}`))];
}

/** The header of the key in a request of our own. Its faults are those of the key. */
const KEY_HEADER = 'Idempotency-Key';

/** @throws {Problem} `InvalidRequest` for a key that no header can carry. */
export function keyHeader(key: string | undefined): Record<string, string> {
	if (key === undefined) return {};
	if (/^[\x20-\x7e]+$/.test(key)) return { [KEY_HEADER]: JSON.stringify(key) };
	const message = 'expected printable ASCII characters';
	throw invalidRequest('The key of the call is not valid', [{ header: KEY_HEADER, message }]);
}

export function isKeyFault(fault: Fault): boolean {
	return 'header' in fault && fault.header === KEY_HEADER;
}

/**
 * The result of a request of our own. Its faults are at the places that the caller knows.
 *
 * @throws {Problem} with each fault as `relocate` returns it.
 */
export async function withFaultsAt<Result>(
	relocate: (fault: Fault) => Fault,
	request: () => Promise<Result>,
): Promise<Result> {
	try {
		return await request();
	} catch (error) {
		if (!(error instanceof Problem) || !error.errors) throw error;
		const { code, message, headers } = error;
		throw new Problem(code, message, { errors: error.errors.map(relocate), headers });
	}
}
