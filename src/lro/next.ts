/**
 * What an answer to "how is it?" means for an operation that is under way. Nothing in here ends an operation that never
 * says that it is over: how long, and how often in vain, is for the one who asks to bound.
 *
 * Pure: no clock, no I/O.
 */
import { type Answer, linkFrom, objectIn } from './answer.ts';
import { ask, fetchResult, locationIn, malformed, monitorIn, redirected, refused } from './links.ts';
import type { Operation, Step } from './step.ts';
import { type End, endOf, errorIn, provisioningStateIn, toldIn } from './words.ts';

/**
 * @param answer the one to a GET of `operation.askAt`.
 * @param now milliseconds since the epoch.
 */
export function nextStep(operation: Operation, answer: Answer, now: number): Step {
	if (answer.status >= 400) return refused(answer, now);
	if (answer.status >= 300) return elsewhere(operation, answer);
	switch (operation.asksFor) {
		case 'status':
			return ofStatus(operation, answer, now);
		case 'location':
			return ofLocation(operation, answer, now);
		case 'resource':
			return ofResource(operation, answer, now);
		case 'result':
			return answer.status === 202 ? again(operation, answer, now) : result(answer);
	}
}

function ofStatus(operation: Operation, answer: Answer, now: number): Step {
	const { status } = objectIn(answer);
	if (typeof status === 'string') {
		const end = endOf(status);
		return end ? ended(end, operation, answer) : again(operation, answer, now);
	}
	if (status === undefined && answer.status === 202) return again(operation, answer, now);
	// Without a word there is nothing to wait for; but 204 has none to say, and who was led away has come to the result.
	if (answer.status === 204 || (status === undefined && answer.isRedirected)) return result(answer);
	return { is: 'nonsense', reason: `Expected the status of an operation, got: ${status ?? 'none'}` };
}

function ended(end: End, { method, askAt, resultAt }: Operation, answer: Answer): Step {
	const told = toldIn(answer);
	if (end !== 'succeeded') return { is: end, error: errorIn(answer, end), told };
	const { resourceLocation } = objectIn(answer);
	if (typeof resourceLocation === 'string' && resourceLocation !== '') {
		const link = linkFrom(resourceLocation, answer.url, 'resourceLocation');
		if (link.is === 'malformed') return malformed(link);
		if (link.is === 'url') return fetchResult(method, link.url, told);
	}
	// Some name the status document itself as the place of the result.
	return resultAt === undefined || resultAt === askAt ? result(answer) : fetchResult(method, resultAt, told);
}

/** 202 until it is something else; but a resource that says that it came to nothing is believed. */
function ofLocation(operation: Operation, answer: Answer, now: number): Step {
	if (answer.status === 202) return again(operation, answer, now);
	// What a POST did is not told by the state of some resource in its result.
	const end = operation.method === 'POST' ? undefined : endOf(provisioningStateIn(answer));
	return end === 'failed' || end === 'canceled' ? ended(end, operation, answer) : result(answer);
}

/** A resource that has no state is there. */
function ofResource(operation: Operation, answer: Answer, now: number): Step {
	const state = provisioningStateIn(answer);
	const end = endOf(state);
	if (end === 'failed' || end === 'canceled') return ended(end, operation, answer);
	const isOver = end === 'succeeded' || (state === undefined && answer.status !== 202);
	return isOver ? result(answer) : again(operation, answer, now);
}

function result(answer: Answer): Step {
	return { is: 'result', told: toldIn(answer) };
}

/** The next question may have to be asked elsewhere. */
function again({ askAt, ...operation }: Operation, answer: Answer, now: number): Step {
	const { asksFor } = operation;
	const link = asksFor === 'resource' ? ABSENT : asksFor === 'status' ? monitorIn(answer) : locationIn(answer);
	return ask(operation, link, askAt, answer, now);
}

const ABSENT = { is: 'absent' } as const;

/** RFC 9110 §15.4: 303 leads to the result, and so do the many that say 302 for it; the others are the same thing elsewhere. */
function elsewhere(operation: Operation, answer: Answer): Step {
	const moved = (url: string): Step => ({ is: 'moved', url, operation: { ...operation, askAt: url } });
	switch (answer.status) {
		case 302:
		case 303:
			return redirected(answer, (url) =>
				operation.asksFor === 'result' ? moved(url) : fetchResult(operation.method, url, toldIn(answer)),
			);
		case 301:
		case 307:
		case 308:
			return redirected(answer, moved);
		default:
			return { is: 'nonsense', reason: `Expected how an operation is, got: ${answer.status}` };
	}
}
