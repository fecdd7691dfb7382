/** A subscription as clients see it. A wire contract: fields are only added, and a field without a value is left out. Pure. */
import { defined } from '../defined.ts';
import type { FailedTry, GivenUpEvent, Target } from './subscription.ts';
import type { SubscriptionView } from './topic-api.ts';

/** @param topic the topic's name. */
export function subscriptionDocument(topic: string, { record, lastSeq }: SubscriptionView): object {
	const { name, target, types, createdAt, cursor, delivered, missed, givenUp, lastGivenUp, failed, isDisabled } =
		record;
	return defined({
		name,
		topic,
		...shownTarget(target),
		types,
		createdAt: new Date(createdAt).toISOString(),
		status: isDisabled ? 'disabled' : failed ? 'failing' : 'active',
		cursor,
		// Of the numbers after the cursor, some may be of events that the subscription does not want.
		lag: Math.max(0, lastSeq - cursor),
		delivered,
		missed,
		failure: failed && shownFailure(failed),
		givenUp: { count: givenUp, events: lastGivenUp.map(shownGivenUp) },
	});
}

function shownTarget(target: Target): object {
	if (target.type === 'webhook') {
		const { url, format } = target;
		// A query often holds a secret.
		return { webhook: { url: url.replace(/[?#].*$/s, ''), format } };
	}
	const { task, input, parameters, replyTopic } = target;
	return defined({ task, input, parameters, replyTopic });
}

function shownFailure({ at, nextAttemptAt, ...failed }: FailedTry): object {
	return { ...failed, at: new Date(at).toISOString(), nextAttemptAt: new Date(nextAttemptAt).toISOString() };
}

function shownGivenUp({ at, ...event }: GivenUpEvent): object {
	return { ...event, at: new Date(at).toISOString() };
}
