/** The request that an Idempotency-Key represents: the same key with a different fingerprint is rejected. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { WireOptions } from '../../core/job/options.ts';
import type { JobOptions } from '../../core/job/record.ts';

/** Digest of a JSON value in canonical form (RFC 8785), independent of its formatting. */
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
	/** The client's options, from headers or the envelope, without defaults. */
	readonly options: WireOptions;
}

/**
 * The fingerprint of the client's request. Excludes defaults, because a deploy may change them between a request and its
 * repeat. Excludes the correlation id and `traceparent`, because gateways create new ones for each try.
 */
export function requestFingerprint({ options, ...facts }: RequestFacts): string {
	return jsonDigest({ ...facts, options: withoutTracing(options) });
}

/**
 * The fingerprint of version 0.1.0, which includes defaults. It recognises repeats of requests that 0.1.0 accepted. After a
 * rolled-back deploy, 0.1.0 recognises repeats by it.
 */
export function fingerprintIn010({ options, ...facts }: RequestFacts, filledIn: JobOptions): string {
	return jsonDigest({ ...facts, options: withoutTracing(filledIn), webhook: options.webhook });
}

/** Removes the idempotency key, too: it already identifies the job. */
function withoutTracing(options: WireOptions | JobOptions): object {
	const { correlationId: _, traceparent: __, idempotencyKey: ___, ...rest } = { traceparent: '', ...options };
	return rest;
}
