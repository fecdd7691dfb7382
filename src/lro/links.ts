/** Where an operation's answers lead: the headers that have links, and what a redirect means. Pure. */
import { type Answer, type Link, linkIn } from './answer.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Operation, Step } from './step.ts';
import { type Told, toldIn } from './words.ts';

/** Two names of one thing, the younger first. */
const MONITOR_HEADERS = ['operation-location', 'azure-asyncoperation'] as const;

/** Where a status document is. */
export function monitorIn(answer: Answer): Link {
	return linkIn(answer, MONITOR_HEADERS);
}

export function locationIn(answer: Answer): Link {
	return linkIn(answer, ['location']);
}

/** It goes on, where the link says, or at `otherwise` when there is none. */
export function ask(
	operation: Omit<Operation, 'askAt'>,
	link: Link,
	otherwise: string,
	answer: Answer,
	now: number,
): Step {
	if (link.is === 'malformed') return malformed(link);
	return {
		is: 'ask',
		operation: { ...operation, askAt: link.is === 'url' ? link.url : otherwise },
		retryAfterMs: retryAfterIn(answer, now),
		told: toldIn(answer),
	};
}

export function fetchResult(method: string, askAt: string, told: Told): Step {
	return { is: 'fetch', operation: { method, asksFor: 'result', askAt }, told };
}

export function malformed({ name }: Extract<Link, { is: 'malformed' }>): Step {
	return { is: 'nonsense', reason: `Expected an http(s) URL in ${name}, got something else` };
}

export function refused(answer: Answer, now: number): Step {
	return { is: 'refused', retryAfterMs: retryAfterIn(answer, now) };
}

/** @param then what the link of a redirect is for. */
export function redirected(answer: Answer, then: (url: string) => Step): Step {
	const link = locationIn(answer);
	if (link.is === 'url') return then(link.url);
	return link.is === 'malformed'
		? malformed(link)
		: { is: 'nonsense', reason: `Expected a Location with ${answer.status}, got none` };
}

function retryAfterIn({ headers }: Answer, now: number): number | undefined {
	return retryAfterMs(headers.get('retry-after'), now);
}
