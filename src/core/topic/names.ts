/** Names of topics, event types and subscriptions. Pure. */
import { EVENT_TYPE_CHARS, SUBSCRIPTION_NAME_CHARS, TOPIC_NAME_CHARS } from './limits.ts';

export const TOPIC_NAME = new RegExp(`^[A-Za-z0-9._-]{1,${TOPIC_NAME_CHARS.max}}$`);
export const topicNameError = `expected 1 to ${TOPIC_NAME_CHARS.max} letters, digits, dots, dashes and underscores`;

export const SUBSCRIPTION_NAME = new RegExp(`^[A-Za-z0-9._-]{1,${SUBSCRIPTION_NAME_CHARS.max}}$`);
export const subscriptionNameError = `expected 1 to ${SUBSCRIPTION_NAME_CHARS.max} letters, digits, dots, dashes and underscores`;

/** Visible ASCII without a comma, which separates types in a filter. */
export const EVENT_TYPE = new RegExp(`^[\\x21-\\x2b\\x2d-\\x7e]{1,${EVENT_TYPE_CHARS.max}}$`);
export const eventTypeError = `expected 1 to ${EVENT_TYPE_CHARS.max} visible ASCII characters without a comma`;

/** The topic of the tenant's jobs. It is there without being made, and only the service publishes to it. */
export const JOBS_TOPIC = 'jobs';

/** The type of the event that tells a reader which events are gone. No client can publish it. */
export const GAP_TYPE = 'gap';
