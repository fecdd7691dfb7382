/**
 * Forwards a request. It is sent as it was received, and the reply is stored as it was received. The reply decides whether
 * the request is retried.
 */
import { defined } from '../../core/defined.ts';
import type { Health } from '../../core/upstream/gate.ts';
import { logError } from '../../log.ts';
import { TooLarge, UploadRefused } from '../../rpc/upload.ts';
import type { Attempt, Runner } from '../attempt.ts';
import { failureFrom, timeoutFailure } from '../failure.ts';
import type { Outcome } from '../outcome.ts';
import { TaskError } from '../task.ts';
import { tooLargeFailure, upstreamFailure, withoutValues } from './failure.ts';
import { followTerms } from './follow.ts';
import { type Forwarding, isUpstreamOrigin, mayResend, planForwarding } from './forwarding.ts';
import { ConnectionLost } from './reply.ts';
import { sendRequest } from './send.ts';
import { settleReply } from './settle-reply.ts';

const WELL: Health = { isWell: true };
const UNWELL: Health = { isWell: false };

export const upstreamRunner: Runner = { run: forward, settleTimeout: settleForwardTimeout };

/** @throws {TaskError} if nothing was sent: the upstream is no longer configured, or no longer accepts such requests. */
async function forward(attempt: Attempt): Promise<Outcome> {
	const forwarding = planForwarding(attempt);
	const { upstream } = forwarding;
	let url = upstream.baseUrl;
	try {
		const sentAt = Date.now();
		const first = await sendRequest(forwarding);
		url = first.url;
		const answered = upstream.follow ? await followTerms({ ...forwarding, since: Date.now() }, first) : first;
		if ('terms' in answered) return { type: 'follow', ...answered, health: WELL };
		return await settleReply(forwarding, { ...answered, sentAt });
	} catch (error) {
		if (attempt.signal.aborted || error instanceof UploadRefused) throw error;
		return settleConnectionError(forwarding, error, url);
	}
}

function settleForwardTimeout(attempt: Attempt): Outcome {
	const forwarding = planForwarding(attempt);
	const { timeoutSeconds } = attempt.lease.options;
	const failure = timeoutFailure(timeoutSeconds);
	const error = { ...failure.error, retryable: mayResend(forwarding) };
	// A caller's timeout that is shorter than the upstream's doesn't show that the upstream is unhealthy.
	const isTelling = timeoutSeconds >= forwarding.upstream.timeoutSeconds;
	return defined({
		type: 'failure' as const,
		failure: { ...failure, error },
		health: isTelling ? UNWELL : undefined,
	});
}

/**
 * Handles a missing or incomplete reply. A failure that the upstream didn't cause doesn't count against it.
 *
 * @param url the URL that replied, or the upstream's own without a reply.
 */
function settleConnectionError(forwarding: Forwarding, error: unknown, url: string): Outcome {
	const { attempt, upstream } = forwarding;
	const { name, headers } = upstream;
	if (error instanceof TooLarge) return { type: 'failure', failure: tooLargeFailure(upstream, error), health: WELL };
	if (error instanceof ConnectionLost) {
		logError('upstream failed', { job: attempt.id, upstream: name, error: withoutValues(error.cause, headers) });
		const message = `The connection to upstream "${name}" failed or was interrupted`;
		const health = isUpstreamOrigin(forwarding, url) && !error.isElsewhere ? UNWELL : WELL;
		return { type: 'failure', failure: upstreamFailure(message, mayResend(forwarding)), health };
	}
	if (!(error instanceof TaskError))
		logError('forwarding failed', { job: attempt.id, upstream: name, error: withoutValues(error, headers) });
	const failure = failureFrom(error);
	// An internal error, perhaps after the request was sent.
	const retryable = failure.error.retryable && mayResend(forwarding);
	return { type: 'failure', failure: { ...failure, error: { ...failure.error, retryable } } };
}
