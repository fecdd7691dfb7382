/**
 * Polls the operation of an asynchronous upstream until it finishes. `core/operation` interprets the responses; this file sends the
 * requests. Credentials are sent to the upstream's own origin only. Any other origin gets only the caller's `accept…`
 * headers.
 */
import { defined } from '../../core/defined.ts';
import type { FollowTerms } from '../../core/job/lifecycle.ts';
import type { Following, Progress, UpstreamOperation } from '../../core/job/record.ts';
import { firstStep } from '../../core/operation/first.ts';
import { nextStep } from '../../core/operation/next.ts';
import type { Operation, Step } from '../../core/operation/step.ts';
import type { OperationError, Told } from '../../core/operation/words.ts';
import { MAX_OPERATION_BYTES, MAX_POLL_FAILURES, MAX_REDIRECTS } from '../../core/upstream/limits.ts';
import { pollWaitMs } from '../../core/upstream/poll.ts';
import type { UpstreamRequest } from '../../core/upstream/request.ts';
import { isRetried } from '../../core/upstream/retry.ts';
import type { Upstream } from '../../core/upstream/settings.ts';
import { allowedTarget } from '../fetch.ts';
import { normalizeProgress } from '../progress.ts';
import type { JsonValue, TaskError } from '../task.ts';
import { tooManyRedirects, upstreamError } from './failure.ts';
import { type Forwarding, isUpstreamOrigin } from './forwarding.ts';
import { type Peeked, peek } from './peek.ts';
import { ConnectionLost, discard } from './reply.ts';
import { type Answered, openConnection, requestHeaders } from './send.ts';

/** The request headers that affect a response, which polls repeat. */
const REPEATED_HEADERS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'authorization', 'cookie']);

/** A forwarded request that has started an operation. */
export interface Course extends Forwarding {
	/** The start of the operation, in milliseconds since the epoch. */
	readonly since: number;
}

/** The operation continues. */
export interface Continuation {
	readonly terms: FollowTerms;
	/** The progress that the upstream reported. */
	readonly progress?: Progress;
}

/**
 * Checks whether a request has started an operation.
 *
 * @returns how to continue polling; or the first response, if there is no operation.
 * @throws {TaskError} if the operation has already failed, or its first response is invalid.
 */
export async function followTerms(course: Course, first: Answered): Promise<Continuation | Answered> {
	if (!startsOperation(first.response)) return first;
	const { upstream, request } = course;
	const start = await peek(first.response, first.url);
	const step = firstStep({ method: request.method, url: first.url }, start.answer, Date.now());
	// A 202 without a usable link is an ordinary reply.
	if (step.type === 'nonsense' || step.type === 'result') return start;
	await discard(start.response);
	const operation = operationAfter(step, upstream);
	return goOn(course, step, { operation, answers: 0, failures: 0 });
}

function startsOperation({ status, headers }: Response): boolean {
	const hasMonitor = headers.has('operation-location') || headers.has('azure-asyncoperation');
	return status === 202 || (status < 300 && hasMonitor);
}

/**
 * Polls once, and follows redirects. A failed poll changes nothing, and is repeated later.
 *
 * @returns how to continue polling; or the response with the operation's result.
 * @throws {TaskError} if the operation failed, a response is invalid, or too many polls in a row failed.
 */
export async function askOnce(course: Course, before: Following): Promise<Continuation | Answered> {
	let target = operationIn(before);
	for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
		const answer = await answerTo(course, target.askAt);
		const step = answer && nextStep(target, answer.answer, Date.now());
		if (!answer || !step) return countFailure(course, { ...before, operation: target });
		const isInVain = step.type === 'refused' && isRetried(answer.response.status, true);
		if (step.type === 'result' || (step.type === 'refused' && (!isInVain || isLastFailure(before))))
			return { ...answer, isFollowed: true };
		await discard(answer.response);
		if (isInVain) return countFailure(course, { ...before, operation: target }, step);
		const operation = operationAfter(step, course.upstream);
		if (step.type === 'ask') {
			const { retryAfterMs, answers } = before;
			return goOn(course, step, defined({ retryAfterMs, operation, answers: answers + 1, failures: 0 }));
		}
		target = operation;
	}
	throw tooManyRedirects(course.upstream);
}

function operationIn({ operation }: Following): UpstreamOperation {
	if (operation) return operation;
	throw new TypeError('Expected the operation of an upstream, got: an action');
}

/** @throws {TaskError} after too many failures in a row. */
export function countFailure(course: Course, before: Following, step?: Step): Continuation {
	if (isLastFailure(before)) throw upstreamError(`Too many polls of upstream "${course.upstream.name}" failed`);
	return goOn(course, step, { ...before, failures: before.failures + 1 });
}

function isLastFailure({ failures }: Following): boolean {
	return failures + 1 >= MAX_POLL_FAILURES;
}

/**
 * The upstream's last `Retry-After` applies until it sends another.
 *
 * @throws {TaskError} if the operation's links are too large.
 */
function goOn(course: Course, step: Step | undefined, next: Following): Continuation {
	const { upstream, since } = course;
	const sizeBytes = new TextEncoder().encode(JSON.stringify(next.operation)).byteLength;
	if (sizeBytes > MAX_OPERATION_BYTES)
		throw upstreamError(
			`The operation links of upstream "${upstream.name}" are larger than the limit of ${MAX_OPERATION_BYTES} bytes`,
		);
	const named = step && 'retryAfterMs' in step ? step.retryAfterMs : undefined;
	const following = named === undefined ? next : { ...next, retryAfterMs: named };
	const waitMs = step?.type === 'fetch' ? 0 : pollWaitMs(following, Date.now() - since);
	const terms = { following, waitMs, timeoutSeconds: upstream.followSeconds };
	return defined({ terms, progress: step && toldBy(step) });
}

/** @throws {TaskError} if the operation can't be polled any further. */
function operationAfter(step: Step, { name }: Upstream): Operation {
	switch (step.type) {
		case 'ask':
		case 'fetch':
			return step.operation;
		case 'moved':
			if (step.operation) return step.operation;
			break;
		case 'failed':
		case 'canceled':
			throw operationFailure(name, step.type, step.error);
		case 'nonsense':
			throw upstreamError(`Upstream "${name}" sent an invalid response for its operation: ${step.reason}`);
	}
	throw upstreamError(`Upstream "${name}" sent no link to continue its operation`);
}

/** Returns `undefined` if there is no response. */
async function answerTo(course: Course, url: string): Promise<Peeked | undefined> {
	const { attempt, request } = course;
	const target = allowedTarget(url, attempt.dependencies.allowPrivateTargets);
	const headers = request.headers.filter(([name]) => REPEATED_HEADERS.has(name));
	const isOwn = isUpstreamOrigin(course, target.href);
	const init = {
		method: 'GET',
		headers: isOwn ? requestHeaders({ ...course, request: { ...request, headers } }) : pollHeadersForStranger(headers),
	};
	try {
		return await peek(await openConnection(target, init, attempt.signal), target.href);
	} catch (error) {
		if (!(error instanceof ConnectionLost)) throw error;
		return undefined;
	}
}

function pollHeadersForStranger(headers: UpstreamRequest['headers']): Headers {
	const plain = headers.filter(([name]) => name.startsWith('accept'));
	return new Headers(plain.map(([name, value]): [string, string] => [name, value]));
}

/** Returns the upstream's own progress, which becomes the job's progress. */
function toldBy(step: Step): Progress | undefined {
	const { word, percentComplete }: Told = 'told' in step ? step.told : {};
	if (word === undefined && percentComplete === undefined) return undefined;
	return normalizeProgress(percentComplete, word === undefined ? undefined : `upstream status: ${word}`);
}

function operationFailure(
	name: string,
	how: 'failed' | 'canceled',
	{ code, message, details }: OperationError,
): TaskError {
	const ended = how === 'failed' ? 'failed' : 'was canceled';
	const cause = { code, message, details: details as readonly JsonValue[] };
	return upstreamError(`The operation at upstream "${name}" ${ended}: ${message}`, [cause]);
}
