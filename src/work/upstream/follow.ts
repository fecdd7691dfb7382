/**
 * An upstream that is itself asynchronous is asked until it is done: what its answers mean is `lro`'s to say, asking is ours.
 * Its own links are believed as far as its own origin goes; anywhere else it is a stranger's.
 */
import { firstStep } from '../../lro/first.ts';
import { nextStep } from '../../lro/next.ts';
import type { Operation, Step } from '../../lro/step.ts';
import type { OperationError, Told } from '../../lro/words.ts';
import { MAX_POLL_FAILURES, MAX_REDIRECTS, POLL_MS } from '../../upstream/limits.ts';
import type { UpstreamRequest } from '../../upstream/request.ts';
import { isRetried } from '../../upstream/retry.ts';
import type { Upstream } from '../../upstream/settings.ts';
import { allowed } from '../fetch.ts';
import { TaskError } from '../task.ts';
import { type Peeked, peeked } from './peek.ts';
import { type Attempt, ConnectionLost, discarded } from './reply.ts';
import { type Answered, connect, headersOf, type SendOptions } from './send.ts';

const BAD_GATEWAY = 502;
/** What of a request's headers says what is wanted of an answer. */
const OF_ANSWERS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'authorization', 'cookie']);

/** Everything that stays the same from question to question. */
interface Course {
	readonly options: SendOptions;
	readonly upstream: Upstream;
	readonly request: UpstreamRequest;
	readonly job: Attempt;
}

/**
 * @returns what the operation came to; or the first answer, when it started none.
 * @throws {TaskError} when the operation failed, or its answers make no sense.
 */
export async function followed(
	options: SendOptions,
	upstream: Upstream,
	request: UpstreamRequest,
	first: Answered,
	job: Attempt,
): Promise<Answered> {
	if (!startsOperation(first.response)) return first;
	const course = { options, upstream, request, job };
	const start = await peeked(first.response, first.url);
	let step = firstStep({ method: request.method, url: first.url }, start.answer, Date.now());
	// A 202 that leads nowhere is a reply like any other.
	if (step.is === 'nonsense' || step.is === 'result') return start;
	await discarded(start.response);
	for (let quiet = 0; ; quiet++) {
		const operation = operationOf(step, upstream);
		tell(step, job);
		if (step.is === 'ask') await pause(quiet, step.retryAfterMs, job);
		const next = await ask(course, operation);
		step = next.step;
		if (step.is === 'result' || step.is === 'refused') return { ...next.answer, isFollowed: true };
		await discarded(next.answer.response);
	}
}

function startsOperation({ status, headers }: Response): boolean {
	const hasMonitor = headers.has('operation-location') || headers.has('azure-asyncoperation');
	return status === 202 || (status < 300 && hasMonitor);
}

/** @throws {TaskError} when there is nothing to ask any more. */
function operationOf(step: Step, { name }: Upstream): Operation {
	switch (step.is) {
		case 'ask':
		case 'fetch':
			return step.operation;
		case 'failed':
		case 'canceled':
			throw ended(name, step.is, step.error);
		case 'nonsense':
			throw failed(`Upstream "${name}" does not say how its operation goes on: ${step.reason}`);
		default:
			throw failed(`Upstream "${name}" does not say how its operation goes on`);
	}
}

/** One question, wherever it leads, and again if it fails: it changes nothing. */
async function ask(course: Course, operation: Operation): Promise<{ step: Step; answer: Peeked }> {
	let target = operation;
	let redirects = 0;
	for (let failures = 0; ; ) {
		const answer = await answerTo(course, target.askAt);
		if (answer) {
			const step = nextStep(target, answer.answer, Date.now());
			const isFinal = step.is !== 'moved' && !(step.is === 'refused' && isRetried(answer.response.status, true));
			if (isFinal || (step.is === 'refused' && failures + 1 >= MAX_POLL_FAILURES)) return { step, answer };
			await discarded(answer.response);
			if (step.is === 'moved' && step.operation) {
				if (redirects++ >= MAX_REDIRECTS) throw failed(`Upstream "${course.upstream.name}" redirects without end`);
				target = step.operation;
				continue;
			}
			await pause(++failures, step.is === 'refused' ? step.retryAfterMs : undefined, course.job);
		} else await pause(++failures, undefined, course.job);
		if (failures >= MAX_POLL_FAILURES) throw failed(`Upstream "${course.upstream.name}" can't be asked any more`);
	}
}

/** `undefined` when there is none. */
async function answerTo({ options, upstream, request, job }: Course, url: string): Promise<Peeked | undefined> {
	const target = allowed(url, options.allowPrivateTargets);
	const isOwn = target.origin === new URL(upstream.baseUrl).origin;
	const headers = request.headers.filter(([name]) => OF_ANSWERS.has(name));
	const init = {
		method: 'GET',
		headers: isOwn ? headersOf(upstream, { ...request, headers }, job) : strangersHeaders(headers),
	};
	try {
		return await peeked(await connect(target, init, job.signal), target.href);
	} catch (error) {
		if (!(error instanceof ConnectionLost) || job.signal.aborted) throw error;
		return undefined;
	}
}

function strangersHeaders(headers: UpstreamRequest['headers']): Headers {
	const plain = headers.filter(([name]) => name.startsWith('accept'));
	return new Headers(plain.map(([name, value]): [string, string] => [name, value]));
}

function pause(quiet: number, retryAfterMs: number | undefined, { signal }: Attempt): Promise<void> {
	const waitMs = retryAfterMs ?? Math.min(POLL_MS.max, POLL_MS.first * 2 ** Math.min(quiet, 10));
	return scheduler.wait(waitMs, { signal });
}

/** What the upstream says of its operation is what is known of the job. */
function tell(step: Step, job: Attempt): void {
	const { word, percentComplete }: Told = 'told' in step ? step.told : {};
	if (word !== undefined || percentComplete !== undefined)
		job.progress(percentComplete, word === undefined ? undefined : `the upstream says: ${word}`);
}

function ended(name: string, how: 'failed' | 'canceled', { code, message, details }: OperationError): TaskError {
	const told = [{ code, message, details: details as readonly never[] }];
	return failed(
		`The operation at upstream "${name}" ${how === 'failed' ? 'failed' : 'was canceled'}: ${message}`,
		told,
	);
}

function failed(message: string, details?: readonly never[] | readonly { code: string; message: string }[]): TaskError {
	return new TaskError('UpstreamFailed', message, {
		retryable: false,
		status: BAD_GATEWAY,
		...(details && { details }),
	});
}
