/**
 * All numbers and defaults of upstreams, with their units. `settings.ts` has the values that a deployment sets for one
 * upstream.
 */
import { KIB, MAX_QUEUE_DELAY_MS, MS_PER_MINUTE, MS_PER_SECOND, SECONDS_PER_DAY, WAIT_SECONDS } from '../job/limits.ts';

/** The defaults of an upstream. */
export const UPSTREAM_DEFAULTS = {
	/** Everything below the base URL. */
	paths: ['/*'],
	/** The deadline of one attempt. It is long because upstreams are expected to be slow. */
	timeoutSeconds: 300,
	maxAttempts: 4,
	/** Whether a request with a non-idempotent method is sent again although it may have been carried out. */
	resend: false,
	/** The lane's batches hold no more jobs than an invocation has connections (6). */
	lane: 'long',
	/** A redirect is the result, like any other reply. */
	followRedirects: false,
	/** A 202 is the result, too. */
	follow: false,
	/** The caller's cookies and credentials are not forwarded. */
	forward: [],
	/** Gateways and SDKs set headers that differ in each try of the same request. */
	fingerprintHeaders: [],
	/** Agents could send any allowed request with the operator's credential. */
	mcp: false,
} as const;

/** Maximum length of an upstream's description. */
export const MAX_DESCRIPTION_CHARS = 2_000;

/** The highest concurrency limit of an upstream: all passes are stored in one value. */
export const MAX_CONCURRENCY = 200;
/** Maximum size of a request's method, path, query and headers, as stored in the job's record. */
export const MAX_REQUEST_HEAD_BYTES = 16 * KIB;
export const MAX_REDIRECTS = 5;
/** A legitimate path is not still encoded after this many decodings. */
export const MAX_DECODINGS = 4;

/** The breaker trips after this many jobs failed in a row. Repeated failures of one job count once. */
export const BREAKER_FAILURES = 5;
/** Maximum number of jobs that a gate remembers as failed: all that tripped the breaker, and the newest that failed since. */
export const MAX_FAILED_JOBS = 20;
/** After a cooldown, jobs that failed before leave the first try to others for this long, beyond the spread. */
export const FIRST_TRY_MS = 5 * MS_PER_SECOND;
/** The breaker's cooldown: `first`, then doubled after each failed probe, at most `max`. */
export const COOLDOWN_MS = { first: 5 * MS_PER_SECOND, max: 5 * MS_PER_MINUTE } as const;
/** Waiting jobs return spread over this additional share of the cooldown. */
export const COOLDOWN_SPREAD = 0.5;

/** Bounds of the wait until a job asks for a slot again. */
export const TURN_WAIT_MS = { min: 1 * MS_PER_SECOND, max: 10 * MS_PER_MINUTE } as const;
/** Approximate number of requests to the gate for each slot, while jobs wait. */
export const ASKS_A_TURN = 4;
/** A job that has not asked for this long no longer counts as waiting. */
export const WAITER_FORGOTTEN_MS = 2 * TURN_WAIT_MS.max;
/** The weight of the newest request in the typical duration. */
export const NEWEST_SHARE = 0.2;

/**
 * The wait before each status request to an asynchronous upstream: the time that the upstream names, otherwise `first`, doubled
 * each time, at most `max`. No wait is shorter than `min`, whatever an upstream names, nor longer than `longest`.
 */
export const POLL_MS = {
	min: 1 * MS_PER_SECOND,
	first: 1 * MS_PER_SECOND,
	max: 30 * MS_PER_SECOND,
	maxAfterFailures: 5 * MS_PER_MINUTE,
	longest: MAX_QUEUE_DELAY_MS,
} as const;
/**
 * The wait is at least this share of the operation's elapsed time, up to `max`: an operation of a day causes about 600
 * requests, and its end is noticed at most 2 % late.
 */
export const POLL_SHARE = { share: 0.02, max: 5 * MS_PER_MINUTE } as const;
/** For this long the consumer that sent the request also polls: a short operation needs no queue. */
export const ASK_DIRECTLY_MS = 10 * MS_PER_SECOND;
/** If the consumer polls this much later than planned, it leaves the poll to the consumer that the watchdog has scheduled. */
export const ASK_LATE_MS = 5 * MS_PER_SECOND;
/** Maximum time until the headers of a response arrive. */
export const ANSWER_MS = 30 * MS_PER_SECOND;
/** Maximum number of consecutive failed status requests: over about an hour. */
export const MAX_POLL_FAILURES = 20;
/** Maximum size of an operation's stored data as JSON, mostly its links. */
export const MAX_OPERATION_BYTES = 8 * KIB;
/** Maximum duration of an operation, in seconds. */
export const FOLLOW_SECONDS = { min: 1, max: WAIT_SECONDS.max, default: 1 * SECONDS_PER_DAY } as const;
/** Maximum number of bytes of a response that are inspected. */
export const MAX_PEEK_BYTES = 256 * KIB;
