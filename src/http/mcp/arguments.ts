/** Reads the arguments of a call, and the key that says which use of a tool it is. */
import type * as z from 'zod';
import { inBody, zodFaults } from '../faults.ts';
import { invalidRequest } from '../submit/options.ts';

/** @throws {Problem} `InvalidRequest`, which names each argument that is wrong. */
export function readArguments<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
	const parsed = schema.safeParse(given);
	if (parsed.success) return parsed.data;
	throw invalidRequest('The arguments of the tool are not valid', zodFaults(parsed.error, inBody()));
}

/** @throws {Problem} `InvalidRequest` for a key that no header can carry. */
export function keyHeader(key: string | undefined): Record<string, string> {
	if (key === undefined) return {};
	if (/^[\x20-\x7e]+$/.test(key)) return { 'idempotency-key': JSON.stringify(key) };
	throw invalidRequest('The key of the call in _meta is not valid: expected printable ASCII characters', []);
}
