/**
 * Decides whether a request has started an operation, and where to request its status. Services have many ways to say "not
 * yet"; this file reduces them to one {@link Step}. It follows Azure's guidelines for long-running operations, and RFC 9110 for
 * everything else.
 *
 * Pure: no clock, no I/O.
 */
import { defined } from '../defined.ts';
import type { Answer } from './answer.ts';
import {
	type Arrival,
	askNext,
	fetchResult,
	locationIn,
	malformed,
	monitorIn,
	redirectStep,
	refusedStep,
} from './links.ts';
import type { OperationRequest, Step } from './step.ts';
import { endForWord, errorIn, provisioningStateIn, toldIn } from './words.ts';

/** Methods that make or change the resource at their own URL, so that a GET of the URL shows its state. */
const WRITES: ReadonlySet<string> = new Set(['PUT', 'PATCH']);

/**
 * @param answer the response to the starting request.
 * @param now milliseconds since the epoch.
 */
export function firstStep(request: OperationRequest, answer: Answer, now: number): Step {
	if (answer.status >= 400) return refusedStep(answer, now);
	if (answer.status >= 300) return firstElsewhere(request, answer);
	const method = request.method.toUpperCase();
	const state = WRITES.has(method) ? provisioningStateIn(answer) : undefined;
	const end = answer.status === 202 ? undefined : endForWord(state);
	// Links in the response of a finished resource are left over from its creation.
	if (end === 'succeeded') return { type: 'result', told: toldIn(answer) };
	if (end) return { type: end, error: errorIn(answer, end), told: toldIn(answer) };
	return unfinished({ ...request, method }, state, { answer, now });
}

function unfinished(request: OperationRequest, state: string | undefined, arrival: Arrival): Step {
	const { answer } = arrival;
	const { method, url: askAt } = request;
	const monitor = monitorIn(answer);
	if (monitor.type === 'malformed') return malformed(monitor);
	if (monitor.type === 'url') {
		const resultAt = resultUrl(request, answer);
		return askNext(defined({ method, asksFor: 'status' as const, askAt, resultAt }), monitor, arrival);
	}
	const location = locationIn(answer);
	// Only with 202 is Location about an operation. After 201 it is the created resource (RFC 9110 §10.2.2).
	if (answer.status === 202 && location.type !== 'absent') {
		return askNext({ method, asksFor: 'location', askAt }, location, arrival);
	}
	if (WRITES.has(method) && (answer.status === 202 || state !== undefined)) {
		return askNext({ method, asksFor: 'resource', askAt }, { type: 'absent' }, arrival);
	}
	if (answer.status !== 202) return { type: 'result', told: toldIn(answer) };
	return { type: 'nonsense', reason: 'Expected an Operation-Location or a Location with 202, got neither' };
}

/** The URL of the result, for a status document that reports success without one. */
function resultUrl({ method, url, finalStateVia = defaultFor(method) }: OperationRequest, answer: Answer) {
	if (finalStateVia === 'original-uri') return url;
	const location = finalStateVia === 'location' ? locationIn(answer) : undefined;
	return location?.type === 'url' ? location.url : undefined;
}

function defaultFor(method: string): OperationRequest['finalStateVia'] {
	if (WRITES.has(method)) return 'original-uri';
	// A deleted resource can't be fetched: the last response is the result.
	return method === 'DELETE' ? 'operation-location' : 'location';
}

/** RFC 9110 §15.4. After 301 or 302 all clients change a POST to a GET, as the Fetch standard requires. */
function firstElsewhere({ method }: OperationRequest, answer: Answer): Step {
	const isPost = method.toUpperCase() === 'POST';
	switch (answer.status) {
		case 301:
		case 302:
			return redirectStep(answer, (url) => (isPost ? fetchResult('POST', url, {}) : { type: 'moved', url }));
		case 303:
			return redirectStep(answer, (url) => fetchResult(method.toUpperCase(), url, {}));
		case 307:
		case 308:
			return redirectStep(answer, (url) => ({ type: 'moved', url }));
		default:
			return {
				type: 'nonsense',
				reason: `Expected a response to ${method} that is final or has a Location, got: ${answer.status}`,
			};
	}
}
