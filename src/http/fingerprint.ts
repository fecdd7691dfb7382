/** What an Idempotency-Key stands for: the same key with another fingerprint is another request, and refused. */
import { createHash, type Hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { JobOptions } from '../job/record.ts';

/** Collects the bytes of an input. */
export class InputHash {
	readonly #hash: Hash = createHash('sha256');

	add(bytes: Uint8Array): void {
		this.#hash.update(bytes);
	}

	/** JSON counts by its value (RFC 8785), not by how it was written. */
	addJson(value: unknown): void {
		this.#hash.update(canonicalize(value) ?? '');
	}

	digest(): string {
		return this.#hash.digest('hex');
	}
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
	return createHash('sha256')
		.update(canonicalize({ ...facts, options }) ?? '')
		.digest('hex');
}
