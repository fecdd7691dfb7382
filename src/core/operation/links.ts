/** The links in an operation's responses: the headers that carry them, and the targets of redirects. Pure. */
import { type Answer, type Link, linkIn } from './answer.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Operation, Step } from './step.ts';
import { type Told, toldIn } from './words.ts';

/** Two names of the same header, the newer one first. */
const MONITOR_HEADERS = ['operation-location', 'azure-asyncoperation'] as const;

/** The link to the status document. */
export function monitorIn(answer: Answer): Link {
	return linkIn(answer, MONITOR_HEADERS);
}

export function locationIn(answer: Answer): Link {
	return linkIn(answer, ['location']);
}

/** A response, and the time at which it arrived. */
export interface Arrival {
	readonly answer: Answer;
	/** In milliseconds since the epoch. */
	readonly now: number;
}

/** The operation continues: ask at the link, or at `operation.askAt` if there is none. */
export function askNext(operation: Operation, link: Link, { answer, now }: Arrival): Step {
	if (link.type === 'malformed') return malformed(link);
	return {
		type: 'ask',
		operation: link.type === 'url' ? { ...operation, askAt: link.url } : operation,
		retryAfterMs: retryAfterIn(answer, now),
		told: toldIn(answer),
	};
}

export function fetchResult(method: string, askAt: string, told: Told): Step {
	return { type: 'fetch', operation: { method, asksFor: 'result', askAt }, told };
}

export function malformed({ name }: Extract<Link, { type: 'malformed' }>): Step {
	return { type: 'nonsense', reason: `Expected an http(s) URL without credentials in ${name}, got another value` };
}

export function refusedStep(answer: Answer, now: number): Step {
	return { type: 'refused', retryAfterMs: retryAfterIn(answer, now) };
}

/** @param then makes the step for the redirect's target. */
export function redirectStep(answer: Answer, then: (url: string) => Step): Step {
	const link = locationIn(answer);
	if (link.type === 'url') return then(link.url);
	return link.type === 'malformed'
		? malformed(link)
		: { type: 'nonsense', reason: `Expected a Location with ${answer.status}, got none` };
}

function retryAfterIn({ headers }: Answer, now: number): number | undefined {
	return retryAfterMs(headers.get('retry-after'), now);
}
