/**
 * Interprets the response to a status request for a running operation. Nothing in this file ends an operation that never
 * finishes: the caller limits the total time and the number of failures.
 *
 * Pure: no clock, no I/O.
 */
import { type Answer, linkFrom, objectIn } from './answer.ts';
import { askNext, fetchResult, locationIn, malformed, monitorIn, redirectStep, refusedStep } from './links.ts';
import type { Operation, Step } from './step.ts';
import { type End, endForWord, errorIn, provisioningStateIn, toldIn } from './words.ts';

/**
 * @param answer the response to a GET of `operation.askAt`.
 * @param now milliseconds since the epoch.
 */
export function nextStep(operation: Operation, answer: Answer, now: number): Step {
	if (answer.status >= 400) return refusedStep(answer, now);
	if (answer.status >= 300) return nextElsewhere(operation, answer);
	switch (operation.asksFor) {
		case 'status':
			return ofStatus(operation, answer, now);
		case 'location':
			return ofLocation(operation, answer, now);
		case 'resource':
			return ofResource(operation, answer, now);
		case 'result':
			return answer.status === 202 ? again(operation, answer, now) : resultStep(answer);
	}
}

function ofStatus(operation: Operation, answer: Answer, now: number): Step {
	const { status } = objectIn(answer);
	if (typeof status === 'string') {
		const end = endForWord(status);
		return end ? endStep(end, operation, answer) : again(operation, answer, now);
	}
	if (status === undefined && answer.status === 202) return again(operation, answer, now);
	// A response without a status is not a status document. Two such responses are results: 204, which has no body, and a
	// response after a redirect.
	if (answer.status === 204 || (status === undefined && answer.isRedirected)) return resultStep(answer);
	return {
		type: 'nonsense',
		reason: `Expected the status of an operation, got: ${JSON.stringify(status ?? undefined) ?? 'none'}`,
	};
}

function endStep(end: End, { method, askAt, resultAt }: Operation, answer: Answer): Step {
	const told = toldIn(answer);
	if (end !== 'succeeded') return { type: end, error: errorIn(answer, end), told };
	const { resourceLocation } = objectIn(answer);
	if (typeof resourceLocation === 'string' && resourceLocation !== '') {
		const link = linkFrom(resourceLocation, answer.url, 'resourceLocation');
		if (link.type === 'malformed') return malformed(link);
		if (link.type === 'url') return fetchResult(method, link.url, told);
	}
	// Some services name the status document itself as the location of the result.
	return resultAt === undefined || resultAt === askAt ? resultStep(answer) : fetchResult(method, resultAt, told);
}

/** The operation runs until the response is not 202. A resource that reports failure or cancellation is believed. */
function ofLocation(operation: Operation, answer: Answer, now: number): Step {
	if (answer.status === 202) return again(operation, answer, now);
	// The state of a resource in a POST's result says nothing about the POST.
	const end = operation.method === 'POST' ? undefined : endForWord(provisioningStateIn(answer));
	return end === 'failed' || end === 'canceled' ? endStep(end, operation, answer) : resultStep(answer);
}

/** A resource without a state is complete. */
function ofResource(operation: Operation, answer: Answer, now: number): Step {
	const state = provisioningStateIn(answer);
	const end = endForWord(state);
	if (end === 'failed' || end === 'canceled') return endStep(end, operation, answer);
	const isOver = end === 'succeeded' || (state === undefined && answer.status !== 202);
	return isOver ? resultStep(answer) : again(operation, answer, now);
}

function resultStep(answer: Answer): Step {
	return { type: 'result', told: toldIn(answer) };
}

/** The response may name another URL for the next request. */
function again(operation: Operation, answer: Answer, now: number): Step {
	const { asksFor } = operation;
	const link = asksFor === 'resource' ? ABSENT : asksFor === 'status' ? monitorIn(answer) : locationIn(answer);
	return askNext(operation, link, { answer, now });
}

const ABSENT = { type: 'absent' } as const;

/** RFC 9110 §15.4: 303 leads to the result, and so does 302 of many services. The others lead to the same resource. */
function nextElsewhere(operation: Operation, answer: Answer): Step {
	const moved = (url: string): Step => ({ type: 'moved', url, operation: { ...operation, askAt: url } });
	switch (answer.status) {
		case 302:
		case 303:
			return redirectStep(answer, (url) =>
				operation.asksFor === 'result' ? moved(url) : fetchResult(operation.method, url, toldIn(answer)),
			);
		case 301:
		case 307:
		case 308:
			return redirectStep(answer, moved);
		default:
			return { type: 'nonsense', reason: `Expected the status of an operation, got: ${answer.status}` };
	}
}
