/** Converts an upstream's reply to the outcome of the attempt. */
import { defined } from '../../core/defined.ts';
import type { Failure } from '../../core/job/lifecycle.ts';
import { MS_PER_SECOND } from '../../core/job/limits.ts';
import { retryAfterMs } from '../../core/operation/retry-after.ts';
import type { Health } from '../../core/upstream/gate.ts';
import { isRetried, isWell } from '../../core/upstream/retry.ts';
import type { Outcome } from '../outcome.ts';
import { type Forwarding, isUpstreamOrigin, mayResend } from './forwarding.ts';
import { discard, storeUpstreamReply } from './reply.ts';
import type { Answered } from './send.ts';

/** The status of the upstream's own response, if a redirect led to another origin. */
const FOUND = 302;

/** Stores the reply, unless the request will be retried. */
export async function settleReply(
	forwarding: Forwarding,
	answered: Answered & { readonly sentAt: number },
): Promise<Outcome> {
	const { response, url, isFollowed } = answered;
	const { fence, options } = forwarding.attempt.lease;
	const { status } = response;
	const waitMs = retryAfterMs(response.headers.get('retry-after'), Date.now());
	const health = healthShownBy(isUpstreamOrigin(forwarding, url) ? status : FOUND, waitMs);
	// The result of an operation is final: sending the request again would start another operation.
	const retryable = !isFollowed && isRetried(status, mayResend(forwarding));
	// Lost attempts may have given the job more attempts than `maxAttempts`.
	const isLast = !retryable || fence.attempt >= options.maxAttempts;
	const reply = isLast ? await storeUpstreamReply(forwarding, answered) : await discard(response);
	if (status < 400 && reply) return defined({ type: 'reply' as const, reply, health });
	const message = `Upstream "${forwarding.upstream.name}" responded with status ${status}`;
	const failure: Failure = defined({ error: { code: 'UpstreamFailed', message, retryable }, status, reply });
	const retryAfterSeconds = waitMs === undefined ? undefined : waitMs / MS_PER_SECOND;
	return defined({ type: 'failure' as const, failure, retryAfterSeconds, health });
}

/** @returns `undefined` if the status doesn't show whether the upstream is healthy. */
function healthShownBy(status: number, waitMs: number | undefined): Health | undefined {
	const well = isWell(status);
	return well === undefined ? undefined : defined({ isWell: well, retryAfterMs: waitMs });
}
