/**
 * Every number of a job's life, with its unit. What a deployment may change without touching code is in `../config.ts`;
 * what is here is part of how the service behaves, and changing one is a decision.
 */

export const MS_PER_SECOND = 1_000;
export const MS_PER_MINUTE = 60 * MS_PER_SECOND;
export const MS_PER_HOUR = 60 * MS_PER_MINUTE;
export const SECONDS_PER_DAY = 86_400;
export const KIB = 1_024;
export const MIB = 1_024 * KIB;

/** What a submission may ask for, and what it gets when it doesn't ask. */
export const OPTION_LIMITS = {
	idempotencyKeyChars: { max: 255 },
	correlationIdChars: { max: 128 },
	delaySeconds: { min: 0, max: 30 * SECONDS_PER_DAY, default: 0 },
	startWithinSeconds: { min: 1, max: 30 * SECONDS_PER_DAY },
	/** A queue consumer may run for 15 minutes in all: 14 for the work leave one to report it. */
	timeoutSeconds: { min: 1, max: 840, default: 60 },
	maxAttempts: { min: 1, max: 50, default: 4 },
	retainSeconds: { min: 60, max: 30 * SECONDS_PER_DAY, default: SECONDS_PER_DAY },
	tags: { max: 10 },
	tagChars: { max: 64 },
} as const;

/** `Prefer: wait`, in seconds: more is clamped, so that every proxy on the way lets the answer through. */
export const LONG_POLL_SECONDS = { min: 1, max: 25 } as const;

/** Up to this size a body lives in the job's record; above it in rows of its own. */
export const INLINE_BODY_BYTES = 64 * KIB;
/** The size of one such row: the platform takes 2 MB a value, this leaves room for its envelope. */
export const CHUNK_BYTES = 1_900_000;
/** An upload whose submission never came is erased after this time. */
export const UPLOAD_LEASE_MS = 15 * MS_PER_MINUTE;
/** JSON larger than this is refused, whatever a deployment takes: it is read as a whole, and is then there several times over. */
export const MAX_JSON_BYTES = 16 * MIB;
/** JSON of more values than this is refused: each may take a hundred bytes of an isolate's 128 MB. */
export const MAX_JSON_VALUES = 500_000;
/** A submission's parameters, as JSON: they live in the record, which the platform bounds. */
export const MAX_PARAMETERS_BYTES = 16 * KIB;
/** The same for the envelope's options. */
export const MAX_OPTIONS_BYTES = 16 * KIB;
/** JSON nested deeper than this is refused. */
export const MAX_JSON_DEPTH = 100;

/** Failed attempts wait a random time up to `base × 2^(attempt − 1)`, never more than `max` (full jitter). */
export const BACKOFF_MS = { base: 1 * MS_PER_SECOND, max: 1 * MS_PER_MINUTE } as const;
/** A task or upstream may ask for a longer wait than backoff gives, up to this. */
export const MAX_RETRY_AFTER_MS = 12 * MS_PER_HOUR;

/** A running attempt may be this late with its report before it counts as lost. */
export const LEASE_GRACE_MS = 20 * MS_PER_SECOND;
/** A canceled attempt may take this long to let go before the job ends without it. */
export const CANCEL_GRACE_MS = 20 * MS_PER_SECOND;
/** Attempts lost to the infrastructure are given back to the job, this often in an epoch. */
export const MAX_LOST_ATTEMPTS = 5;

/**
 * The watchdog looks at a pending job after `first`, then each time twice as late, at most `max`. At every look it sends the
 * message again: behind a backlog of a day a job has at most a dozen duplicates.
 */
export const WATCHDOG_MS = { first: 20 * MS_PER_SECOND, max: 6 * MS_PER_HOUR } as const;
/** Maximum number of looks before the last one: with these intervals about five days, longer than a queue keeps a message. */
export const MAX_WAKES = 28;
/** Maximum number of times that a job's message is sent again before the job is given up: each look, and one last time. */
export const MAX_RESENDS = MAX_WAKES + 1;
/** A message whose job can't be reached comes back after `first`, then each time twice as late, at most `max`. */
export const UNREACHABLE_MS = { first: 10 * MS_PER_SECOND, max: 15 * MS_PER_MINUTE } as const;
/** How often a job may be told that its turn has not come, between two attempts: at growing intervals, for a day and more. */
export const MAX_WAITS = 200;
/** A message may wait this long in the queue; a job delayed further is sent by its alarm. The platform takes 24 h. */
export const MAX_QUEUE_DELAY_MS = 12 * MS_PER_HOUR;
/** An alarm is set this far ahead at least. */
export const MIN_ALARM_AHEAD_MS = 50;
/** An alarm that keeps failing is abandoned by the platform after six tries: from this one on it only re-arms itself. */
export const ALARM_LAST_TRIES = 5;
/** How far such an alarm moves itself: far enough that one which never succeeds costs next to nothing. */
export const ALARM_GIVE_UP_MS = 1 * MS_PER_HOUR;

/** How long an attempt may wait for an external worker, in seconds. */
export const WAIT_SECONDS = { min: 1, max: 7 * SECONDS_PER_DAY, default: 1 * 3_600 } as const;

/** A consumer that asks how an upstream's operation is may take this long before another one is sent for. */
export const ASKING_MS = 1 * MS_PER_MINUTE;

/** How long a tombstone answers 410 before the id is unknown again. */
export const TOMBSTONE_MS = 1 * MS_PER_HOUR;
/** How many may watch one job at one time, waiting ones included: each is told every event by the job's one object. */
export const MAX_WATCHERS = 2_000;
/**
 * A client may vanish without a word, and its socket then counts on. When every place is taken, sockets that were silent for
 * this long make room, the longest silent first. Any message, `ping` included, is a sign of life.
 */
export const WATCHER_SILENT_MS = 5 * MS_PER_MINUTE;
/** Lifecycle events kept for replay. */
export const MAX_HISTORY = 128;

/** A running task's progress goes out at most once in this time: what comes between is folded into the next. */
export const PROGRESS_INTERVAL_MS = 1 * MS_PER_SECOND;
/** The smallest step of `percentComplete` that goes out by itself. */
export const PROGRESS_STEP_PERCENT = 1;
/** The object makes at most one progress event in this time, whoever reports. */
export const PROGRESS_EVENT_INTERVAL_MS = 500;
/** An external worker's progress is written at most this often while its object is awake. */
export const PROGRESS_WRITE_INTERVAL_MS = 1 * MS_PER_MINUTE;
/** An object that hears nothing for longer than this falls asleep, and forgets what is not written. */
export const OBJECT_AWAKE_MS = 10 * MS_PER_SECOND;
export const PROGRESS_MESSAGE_CHARS = 500;
export const PROGRESS_DATA_BYTES = 4 * KIB;

/**
 * When a webhook that was not delivered is tried again, after each failure in turn; past the end the last one repeats, so
 * that a receiver may be down for two days and loses nothing.
 */
export const WEBHOOK_RETRY_MS: readonly number[] = [
	5 * MS_PER_SECOND,
	30 * MS_PER_SECOND,
	2 * MS_PER_MINUTE,
	10 * MS_PER_MINUTE,
	1 * MS_PER_HOUR,
	6 * MS_PER_HOUR,
];
/** Receivers that come back would all be called at one moment: each wait is up to this share longer. */
export const WEBHOOK_JITTER_SHARE = 0.1;
/** Tries in all, the first included: over a little more than two days. */
export const MAX_WEBHOOK_TRIES = 14;
/** A receiver has this long to answer. */
export const WEBHOOK_TIMEOUT_MS = 15 * MS_PER_SECOND;
/**
 * Receivers that are called at once by one invocation. The platform lets an invocation wait for the headers of six requests;
 * a seventh is held back while its time runs out.
 */
export const WEBHOOK_CONNECTIONS = 5;
/** A delivery that is this late has lost its message; each time that happens again, twice as late, at most `max`. */
export const WEBHOOK_WATCHDOG_MS = { first: 1 * MS_PER_MINUTE, max: 1 * MS_PER_HOUR } as const;
/** How often the watchdog sends a delivery's message again before it gives the delivery up. */
export const MAX_WEBHOOK_WAKES = 60;
/** Whoever is told of a job by a webhook has this long to fetch its result at least. */
export const KEPT_AFTER_TRY_MS = 1 * MS_PER_HOUR;
/** Deliveries of one job that wait for their receiver. Above this number the oldest is given up, and shown as that. */
export const MAX_PENDING_DELIVERIES = 64;
/** Deliveries shown in the status document: the oldest delivered ones make room first. */
export const MAX_DELIVERIES = 128;
export const WEBHOOK_URL_CHARS = 2_048;

/** What a failed task may say of itself. */
export const ERROR_CODE_CHARS = 64;
export const ERROR_MESSAGE_CHARS = 2_000;
export const ERROR_DETAILS_BYTES = 8 * KIB;

/** `Retry-After`, in seconds. */
export const RETRY_AFTER_SECONDS = { min: 1, max: 60 } as const;
