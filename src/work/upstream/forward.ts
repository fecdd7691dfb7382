/**
 * One attempt at a forwarded request. The request is sent as it was received, and the reply is stored as it was received.
 * The reply decides whether the request is retried. Read this file from top to bottom.
 */
import { BAD_GATEWAY } from '../../core/http/statuses.ts';
import type { Failure } from '../../core/job/lifecycle.ts';
import { MS_PER_SECOND } from '../../core/job/limits.ts';
import type { Lease } from '../../core/job/object-api.ts';
import type { StoredReply } from '../../core/job/record.ts';
import { upstreamNameOf } from '../../core/job/upstream.ts';
import { retryAfterMs as retryAfterMsOf } from '../../core/operation/retry-after.ts';
import type { Health } from '../../core/upstream/gate.ts';
import { requestFaultOf, UpstreamRequest } from '../../core/upstream/request.ts';
import { isRepeatable, isRetried, isWell } from '../../core/upstream/retry.ts';
import { mayUse, type Upstream, type Upstreams } from '../../core/upstream/settings.ts';
import { logError } from '../../log.ts';
import type { Jobs } from '../../rpc/jobs.ts';
import { TooLarge, UploadRefused } from '../../rpc/upload.ts';
import { failureOf, timedOut } from '../failure.ts';
import type { Outcome } from '../outcome.ts';
import { TaskError } from '../task.ts';
import { followTerms } from './follow.ts';
import { type Attempt, ConnectionLost, discarded, storedReply } from './reply.ts';
import { type Answered, sendRequest } from './send.ts';

/** The dependencies of forwarding. */
export interface ForwardOptions {
	readonly upstreams: Upstreams;
	readonly jobs: Jobs;
	readonly maxResultBytes: number;
	readonly allowPrivateTargets: boolean;
}

const UNWELL: Health = { isWell: false };
/** The status of the upstream's own response, if a redirect led to another origin. */
const FOUND = 302;

/** @throws {TaskError} if nothing was sent: the upstream is no longer configured, or no longer accepts such requests. */
export async function forward(options: ForwardOptions, lease: Lease, job: Attempt): Promise<Outcome> {
	const { upstream, request } = plan(options.upstreams, lease);
	const mayRepeat = isRepeatable(request.method, upstream.resend);
	let url = upstream.baseUrl;
	try {
		const sentAt = Date.now();
		const first = await sendRequest(options, upstream, request, lease, job);
		url = first.url;
		const course = { options, upstream, request, job, since: Date.now() };
		const answered = upstream.follow ? await followTerms(course, first) : first;
		if ('terms' in answered) return { type: 'follow', ...answered, health: { isWell: true } };
		return await outcomeOfReply(options, { ...answered, sentAt }, upstream, request, lease, job);
	} catch (error) {
		if (job.signal.aborted || error instanceof UploadRefused) throw error;
		return connectionFailure(error, upstream, { mayRepeat, id: job.id, isOwn: isOwn(upstream, url) });
	}
}

/** Returns the outcome of an attempt that timed out; `undefined` for the attempt of a task. */
export function forwardTimedOut({ upstreams }: ForwardOptions, lease: Lease): Outcome | undefined {
	if (upstreamNameOf(lease.task) === undefined) return undefined;
	const { upstream, request } = plan(upstreams, lease);
	const failure = timedOut(lease.options.timeoutSeconds);
	const error = { ...failure.error, retryable: isRepeatable(request.method, upstream.resend) };
	// A caller's timeout that is shorter than the upstream's doesn't show that the upstream is unhealthy.
	const isTelling = lease.options.timeoutSeconds >= upstream.timeoutSeconds;
	return { type: 'failure', failure: { ...failure, error }, ...(isTelling && { health: UNWELL }) };
}

/** Returns the upstream and the request. The current configuration applies, which may have changed since the submission. */
export function plan(
	upstreams: Upstreams,
	{ task, tenant, parameters }: Lease,
): { upstream: Upstream; request: UpstreamRequest } {
	const name = upstreamNameOf(task) ?? '';
	const upstream = upstreams.get(name);
	if (!upstream) throw notAllowed('UnknownTask', `Upstream "${name}" is no longer configured`);
	if (tenant !== undefined && !mayUse(upstream, tenant))
		throw notAllowed('UnknownTask', `Upstream "${name}" is no longer configured for this tenant`);
	const request = UpstreamRequest.parse(parameters);
	const fault = requestFaultOf(upstream, request);
	if (fault) throw notAllowed('UpstreamFailed', fault.message);
	return { upstream, request };
}

export async function outcomeOfReply(
	{ jobs, maxResultBytes: maxBytes }: ForwardOptions,
	{ response, url, isFollowed, sentAt }: Answered & { readonly sentAt: number },
	upstream: Upstream,
	request: UpstreamRequest,
	{ fence, options }: Lease,
	job: Attempt,
): Promise<Outcome> {
	const { status } = response;
	const retryAfterMs = retryAfterMsOf(response.headers.get('retry-after'), Date.now());
	const health = healthOf(isOwn(upstream, url) ? status : FOUND, retryAfterMs);
	// The result of an operation is final: sending the request again would start another operation.
	const retryable = !isFollowed && isRetried(status, isRepeatable(request.method, upstream.resend));
	// A reply is not stored if the request will be retried. Lost attempts may have given the job more attempts than
	// `maxAttempts`.
	const isLast = !retryable || fence.attempt >= options.maxAttempts;
	const to = { jobs, fence, maxBytes, sentAt, job, isBodiless: request.method === 'HEAD' };
	const reply = isLast ? await storedReply(response, url, to) : await discarded(response);
	if (status < 400 && reply) return { type: 'reply', reply, ...(health && { health }) };
	const failure = refusedBy(upstream, response, retryable, reply);
	return {
		type: 'failure',
		failure,
		...(retryAfterMs !== undefined && { retryAfterSeconds: retryAfterMs / MS_PER_SECOND }),
		...(health && { health }),
	};
}

function healthOf(status: number, retryAfterMs: number | undefined): Health | undefined {
	const well = isWell(status);
	return well === undefined ? undefined : { isWell: well, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/**
 * Whether the response came from the upstream's own origin. Otherwise the upstream redirected, and another server is
 * responsible.
 */
function isOwn({ baseUrl }: Upstream, url: string): boolean {
	return new URL(url).origin === new URL(baseUrl).origin;
}

function refusedBy({ name }: Upstream, { status }: Response, retryable: boolean, reply?: StoredReply): Failure {
	const error = { code: 'UpstreamFailed', message: `Upstream "${name}" responded with status ${status}`, retryable };
	return { error, status, ...(reply && { reply }) };
}

/** Returns the failure for an error that a retry can't fix; `undefined` for any other error. */
export function finalFailureOf(error: unknown, { name }: Upstream): Failure | undefined {
	if (error instanceof TooLarge) return upstreamFailure(tooLargeMessage(name, error), false);
	if (!(error instanceof TaskError)) return undefined;
	const failure = failureOf(error);
	return { ...failure, error: { ...failure.error, retryable: false } };
}

/** Handles a missing or incomplete reply. A failure that the upstream didn't cause doesn't count against it. */
function connectionFailure(
	error: unknown,
	{ name, headers }: Upstream,
	{ mayRepeat, id, isOwn }: { mayRepeat: boolean; id: string; isOwn: boolean },
): Outcome {
	if (error instanceof TooLarge) {
		return { type: 'failure', failure: upstreamFailure(tooLargeMessage(name, error), false), health: { isWell: true } };
	}
	if (error instanceof ConnectionLost) {
		logError('upstream failed', { job: id, upstream: name, error: withoutValues(error.cause, headers) });
		const message = `The connection to upstream "${name}" failed or was interrupted`;
		const health = isOwn && !error.isElsewhere ? UNWELL : { isWell: true };
		return { type: 'failure', failure: upstreamFailure(message, mayRepeat), health };
	}
	if (!(error instanceof TaskError))
		logError('forwarding failed', { job: id, upstream: name, error: withoutValues(error, headers) });
	const failure = failureOf(error);
	// An internal error, perhaps after the request was sent.
	return {
		type: 'failure',
		failure: { ...failure, error: { ...failure.error, retryable: failure.error.retryable && mayRepeat } },
	};
}

/** Returns the error without the configured header values that its message may quote: they hold the operator's secrets. */
export function withoutValues(error: unknown, headers: Upstream['headers']): Error {
	const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
	const values = headers.map(([, value]) => value).filter(Boolean);
	const kept = new Error(values.reduce((text, value) => text.replaceAll(value, '…'), message));
	return Object.assign(kept, { name, stack });
}

function tooLargeMessage(name: string, { maxBytes }: TooLarge): string {
	return `The response of upstream "${name}" is larger than the limit of ${maxBytes} bytes`;
}

function upstreamFailure(message: string, retryable: boolean): Failure {
	return { error: { code: 'UpstreamFailed', message, retryable }, status: BAD_GATEWAY };
}

function notAllowed(code: string, message: string): TaskError {
	return new TaskError(code, message, { retryable: false, status: BAD_GATEWAY });
}
