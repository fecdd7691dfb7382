/** What an Idempotency-Key stands for: the same key with another fingerprint is another request, and refused. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { WireOptions } from '../job/options.ts';
import type { JobOptions } from '../job/record.ts';

/** JSON counts by its value (RFC 8785), not by how it was written. */
export function jsonDigest(value: unknown): string {
	return createHash('sha256')
		.update(canonicalize(value) ?? '')
		.digest('hex');
}

export interface RequestFacts {
	/** A digest of the input. */
	readonly input: string;
	readonly mediaType: string;
	readonly parameters: Readonly<Record<string, unknown>>;
	/** As the client sent them, in headers or in the envelope. */
	readonly options: WireOptions;
}

/**
 * The request as the client sent it. No default is part of it: a deploy may change one between a request and its repeat.
 * The correlation id is not part of it either, and `traceparent` isn't: gateways make both anew for each try.
 */
export function requestFingerprint({ options, ...facts }: RequestFacts): string {
	return jsonDigest({ ...facts, options: withoutTracing(options) });
}

/**
 * The fingerprint of version 0.1.0, with defaults filled in. It recognises the repeat of a request that 0.1.0 accepted, and
 * 0.1.0 recognises a repeat by it after a rolled-back deploy.
 */
export function fingerprintOf({ options, ...facts }: RequestFacts, filledIn: JobOptions): string {
	return jsonDigest({ ...facts, options: withoutTracing(filledIn), webhook: options.webhook });
}

/** The idempotency key is left out too: it names the job already. */
function withoutTracing(options: WireOptions | JobOptions): object {
	const { correlationId: _, traceparent: __, idempotencyKey: ___, ...rest } = { traceparent: '', ...options };
	return rest;
}
