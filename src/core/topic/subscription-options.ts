/** The request for a subscription, in its wire format. The limits are in `limits.ts`. */
import * as z from 'zod';
import { webhookOption } from '../job/options.ts';
import { once } from '../once.ts';
import { MAX_FILTER_TYPES } from './limits.ts';
import { EVENT_TYPE, eventTypeError, JOBS_TOPIC, TOPIC_NAME, topicNameError } from './names.ts';

const shared = () => ({
	types: z
		.array(z.string(eventTypeError).regex(EVENT_TYPE, eventTypeError), 'expected a list of types')
		.min(1, 'expected at least one type')
		.max(MAX_FILTER_TYPES, `expected at most ${MAX_FILTER_TYPES} types`)
		.optional(),
	from: z.enum(['start', 'now'], 'expected "start" or "now"').default('now'),
});

export const WebhookSubscription = once(() =>
	z.strictObject({
		webhook: webhookOption().omit({ events: true }),
		...shared(),
	}),
);

const taskError = 'expected the name of a task';

export const TaskSubscription = once(() =>
	z.strictObject({
		task: z.string(taskError).min(1, taskError),
		input: z.unknown().optional(),
		parameters: z.record(z.string(), z.unknown(), 'expected an object').optional(),
		replyTopic: z
			.string(topicNameError)
			.regex(TOPIC_NAME, topicNameError)
			.refine((name) => name !== JOBS_TOPIC, `expected another topic: only the service publishes to "${JOBS_TOPIC}"`)
			.optional(),
		...shared(),
	}),
);
