/** Every limit and interval of topics, with its unit. Settings of a deployment are in `../../config.ts`. */
import { KIB, MIB, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, SECONDS_PER_DAY } from '../job/limits.ts';

export const TOPIC_NAME_CHARS = { max: 128 } as const;
export const EVENT_TYPE_CHARS = { max: 128 } as const;
/** Maximum size of an event's data as the client sent it. */
export const MAX_EVENT_BYTES = 64 * KIB;
/** Maximum size of the attributes around the data of a structured CloudEvent. */
const ENVELOPE_BYTES = 8 * KIB;
/** Maximum size of a request with an event. */
export const MAX_EVENT_REQUEST_BYTES = 2 * MAX_EVENT_BYTES + ENVELOPE_BYTES;

/** Number of events of a JSON page. */
export const PAGE_EVENTS = { min: 1, max: 1_000, default: 100 } as const;
/** Number of events that a stream fetches at once for a reader that is behind. */
export const STREAM_FETCH_EVENTS = 2_000;
/** Maximum size of the events that one call returns. A single larger event is returned alone. */
export const PAGE_BYTES = 1 * MIB;
/** Maximum size of the stored events that one call looks at, whether they match the reader's filter or not. */
export const SCAN_BYTES = 8 * MIB;
/** Maximum number of types in a filter. */
export const MAX_FILTER_TYPES = 20;

/** Maximum number of readers of one topic by SSE and WebSocket. Its single object sends every event to each of them. */
export const MAX_TOPIC_READERS = 2_000;
/**
 * Maximum size of the earlier events that one WebSocket gets when it opens. Its client can't slow the object down, so all of
 * them wait in the object's memory. A reader that is further behind is disconnected after them, and connects again.
 */
export const SOCKET_CATCH_UP_BYTES = 4 * MIB;

/** Size of the frames of a reader that asks for batches. */
export const BATCH_FRAME_BYTES = 128 * KIB;

/** Range of the setting `TOPIC_RETAIN_SECONDS`. */
export const TOPIC_RETAIN_SECONDS_RANGE = { min: 60, max: 30 * SECONDS_PER_DAY } as const;
/** Range of the setting `TOPIC_RETAIN_BYTES`. An object of the platform holds 10 GB. */
export const TOPIC_RETAIN_BYTES_RANGE = { min: 1 * MIB, max: 1_024 * MIB } as const;
/** The defaults of both. */
export const DEFAULT_RETENTION = { retainSeconds: SECONDS_PER_DAY, retainBytes: 64 * MIB } as const;
/** A log is deleted in segments. Each is at most this part of what is kept. */
export const SEGMENT_SHARE = { seconds: 1 / 8, bytes: 1 / 16 } as const;
export const SEGMENT_BYTES = { min: 64 * KIB, max: 8 * MIB } as const;
/** Minimum duration of a segment: each costs two or three rows. */
export const MIN_SEGMENT_MS = 5 * MS_PER_MINUTE;
/** The space that a row takes beyond its text, as far as retention and quotas count it. */
export const ROW_OVERHEAD_BYTES = 64;
/** Minimum interval of the alarm that deletes expired events. */
export const TRIM_INTERVAL_MS = 1 * MS_PER_HOUR;
/** A topic without events, subscriptions and calls is forgotten after this time. Later events are numbered from 1 again. */
export const TOPIC_IDLE_MS = 30 * SECONDS_PER_DAY * MS_PER_SECOND;

/**
 * The share of the tenant's quota that a topic takes at once, so that most events need no call to the tenant's object.
 * It doubles each time, up to what the topic may keep.
 */
export const ALLOWANCE = { bytes: 1 * MIB, events: 10_000 } as const;

export const SUBSCRIPTION_NAME_CHARS = { max: 64 } as const;
/** Maximum number of subscriptions of one topic. */
export const MAX_SUBSCRIPTIONS = 20;
/** Maximum size of a subscription's request. */
export const MAX_SUBSCRIPTION_BYTES = 16 * KIB;
/** Maximum number and size of the events that a consumer gets at once. */
export const SUBSCRIPTION_PAGE = { events: 100, bytes: 512 * KIB } as const;
/** A consumer has a subscription's events for this long before another consumer may get them. Each report extends it. */
export const SUBSCRIPTION_LEASE_MS = 45 * MS_PER_SECOND;
/** A consumer hands the subscription on after this time, so that it does not hold up the others of its queue. */
export const SUBSCRIPTION_TURN_MS = 5 * MS_PER_SECOND;
/** Maximum number of given-up events that a subscription shows. */
export const MAX_GIVEN_UP_SHOWN = 20;
/** Maximum size of the input that a task subscription makes of an event. */
export const MAX_MAPPED_INPUT_BYTES = 64 * KIB;
/**
 * Ends what follows from one event by replies: a circle of subscriptions over several topics after 10 jobs, and a tree of them after
 * fewer levels. A reply counts the task subscriptions of each topic that led to it.
 */
export const MAX_REPLY_HOPS = 10;
/** Maximum size of a JSON result that stands in the reply event itself. */
export const MAX_INLINE_RESULT_BYTES = 48 * KIB;
