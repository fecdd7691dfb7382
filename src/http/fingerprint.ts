/** What an Idempotency-Key stands for: the same key with another fingerprint is another request, and refused. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { JobOptions } from '../job/record.ts';

/** JSON counts by its value (RFC 8785), not by how it was written. */
export function jsonDigest(value: unknown): string {
	return createHash('sha256')
		.update(canonicalize(value) ?? '')
		.digest('hex');
}

/** Input, media type, parameters and options as one hash. What only serves tracing doesn't count: a repeat may carry a new one. */
export function fingerprintOf(facts: {
	readonly input: string;
	readonly mediaType: string;
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly options: JobOptions;
	readonly webhook: unknown;
}): string {
	const { correlationId: _, traceparent: __, idempotencyKey: ___, ...options } = facts.options;
	return jsonDigest({ ...facts, options });
}
