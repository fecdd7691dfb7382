/** Every number and every default of upstreams, with its unit. What a deployment sets for one is in `settings.ts`. */
import { KIB, MAX_QUEUE_DELAY_MS, MS_PER_MINUTE, MS_PER_SECOND, SECONDS_PER_DAY, WAIT_SECONDS } from '../job/limits.ts';

/** What holds for an upstream that doesn't say otherwise. */
export const UPSTREAM_DEFAULTS = {
	/** Everything below the base URL. */
	paths: ['/*'],
	/** The deadline of one attempt. Slow is what upstreams are for. */
	timeoutSeconds: 300,
	maxAttempts: 4,
	/** Whether a request that may have been carried out is sent again, though its method is not idempotent. */
	resend: false,
	/** Its batches hold no more jobs than an invocation has connections (6). */
	lane: 'long',
	/** A redirect is a reply like any other. */
	followRedirects: false,
	/** So is a 202. */
	follow: false,
	/** The caller's cookies and credentials stay here. */
	forward: [],
	/** Headers set by gateways and SDKs differ in each try of the same request. */
	fingerprintHeaders: [],
} as const;

/** Requests at once that an upstream can be limited to: each has its place in one stored value. */
export const MAX_CONCURRENCY = 200;
/** Method, path, query and headers of a request, as they are stored: they live in the job's record. */
export const MAX_REQUEST_HEAD_BYTES = 16 * KIB;
export const MAX_REDIRECTS = 5;
/** A path that is still encoded after so many decodings is nobody's honest path. */
export const MAX_DECODINGS = 4;

/** An upstream is left alone after this many jobs failed in a row. A job that fails again does not count again. */
export const BREAKER_FAILURES = 5;
/** The most jobs that a gate remembers as failed: all that closed it, and the newest that tried since. */
export const MAX_FAILED_JOBS = 20;
/** After a cooldown, jobs that failed before leave the first try to others for this long, beyond the spread. */
export const FIRST_TRY_MS = 5 * MS_PER_SECOND;
/** For how long, at first; each time that asking was in vain again, twice as long. */
export const COOLDOWN_MS = { first: 5 * MS_PER_SECOND, max: 5 * MS_PER_MINUTE } as const;
/** Those who wait come back spread over so much of the cooldown more. */
export const COOLDOWN_SPREAD = 0.5;

/** A job that waits for its turn asks again after so long. */
export const TURN_WAIT_MS = { min: 1 * MS_PER_SECOND, max: 10 * MS_PER_MINUTE } as const;
/** How often, about, the gate is asked for each request that it lets through while others wait. */
export const ASKS_A_TURN = 4;
/** A job that has not asked again for so long is not waiting any more. */
export const WAITER_FORGOTTEN_MS = 2 * TURN_WAIT_MS.max;
/** The weight of the newest request in how long one usually takes. */
export const NEWEST_SHARE = 0.2;

/**
 * An upstream that works asynchronously is asked how it is after the wait that it names, or else after `first`, then each time
 * twice as late, at most `max`. No wait is shorter than `min`, whatever an upstream names, nor longer than `longest`.
 */
export const POLL_MS = {
	min: 1 * MS_PER_SECOND,
	first: 1 * MS_PER_SECOND,
	max: 30 * MS_PER_SECOND,
	maxAfterFailures: 5 * MS_PER_MINUTE,
	longest: MAX_QUEUE_DELAY_MS,
} as const;
/**
 * The wait is at least this share of the time that the operation has taken, up to `max`: an operation of a day is asked about
 * 600 times, and each end is seen at most 2 % late.
 */
export const POLL_SHARE = { share: 0.02, max: 5 * MS_PER_MINUTE } as const;
/** For this long the consumer that sent the request asks itself: a short operation waits for no queue. */
export const ASK_DIRECTLY_MS = 10 * MS_PER_SECOND;
/** When it comes to ask this much later than that, it leaves the question to the consumer that the watchdog has sent for. */
export const ASK_LATE_MS = 5 * MS_PER_SECOND;
/** The headers of an answer must be there in this time. */
export const ANSWER_MS = 30 * MS_PER_SECOND;
/** Maximum number of questions that may fail in a row: over about an hour. */
export const MAX_POLL_FAILURES = 20;
/** Maximum size of what is kept of an operation, as JSON: its links, above all. */
export const MAX_OPERATION_BYTES = 8 * KIB;
/** How long an operation may take in all, in seconds. */
export const FOLLOW_SECONDS = { min: 1, max: WAIT_SECONDS.max, default: 1 * SECONDS_PER_DAY } as const;
/** So much of an answer is looked into. */
export const MAX_PEEK_BYTES = 256 * KIB;
