/**
 * Every limit and interval of a job's lifecycle, with its unit. Settings of a deployment are in `../config.ts`. The
 * numbers here define the behaviour of the service, so each change needs a decision.
 */

export const MS_PER_SECOND = 1_000;
export const MS_PER_MINUTE = 60 * MS_PER_SECOND;
export const MS_PER_HOUR = 60 * MS_PER_MINUTE;
export const SECONDS_PER_DAY = 86_400;
export const KIB = 1_024;
export const MIB = 1_024 * KIB;

/** The range and the default of each option of a submission. */
export const OPTION_LIMITS = {
	idempotencyKeyChars: { max: 255 },
	correlationIdChars: { max: 128 },
	delaySeconds: { min: 0, max: 30 * SECONDS_PER_DAY, default: 0 },
	startWithinSeconds: { min: 1, max: 30 * SECONDS_PER_DAY },
	/** A queue consumer may run for 15 minutes in total: 14 for the work leave one minute for the report. */
	timeoutSeconds: { min: 1, max: 840, default: 60 },
	maxAttempts: { min: 1, max: 50, default: 4 },
	retainSeconds: { min: 60, max: 30 * SECONDS_PER_DAY, default: SECONDS_PER_DAY },
	tags: { max: 10 },
	tagChars: { max: 64 },
} as const;

/** The lane of work that the accepting Worker runs at once. Its messages go to the queues of lane `jobs`. */
export const NOW_LANE = 'now';
/** The deadline of one attempt on that lane: an invocation ends 30 s after its response, and must also report. */
export const NOW_TIMEOUT_SECONDS = { min: OPTION_LIMITS.timeoutSeconds.min, max: 20, default: 10 } as const;

/** `Prefer: wait`, in seconds. Longer waits are clamped, so that no proxy on the path times out first. */
export const LONG_POLL_SECONDS = { min: 1, max: 25 } as const;

/** Maximum size of a body that is stored in the job's record. Larger bodies are stored in rows of their own. */
export const INLINE_BODY_BYTES = 64 * KIB;
/** The size of one such row. The platform allows 2 MB a value; the difference is room for its envelope. */
export const CHUNK_BYTES = 1_900_000;
/** An upload without a submission is erased after this time. */
export const UPLOAD_LEASE_MS = 15 * MS_PER_MINUTE;
/**
 * Maximum size of a JSON body, whatever the deployment's own limit. JSON is read as a whole, and needs several times its
 * size in memory.
 */
export const MAX_JSON_BYTES = 16 * MIB;
/** Maximum number of values in a JSON body: each may take a hundred bytes of an isolate's 128 MB. */
export const MAX_JSON_VALUES = 500_000;
/** Maximum size of a submission's parameters as JSON. They are part of the record, and the platform limits its size. */
export const MAX_PARAMETERS_BYTES = 16 * KIB;
/** Maximum size of the envelope's options as JSON. */
export const MAX_OPTIONS_BYTES = 16 * KIB;
/** Maximum size of the headers that are kept of a task's `Response`. They are part of the record, and the platform limits both. */
export const MAX_REPLY_HEAD_BYTES = 64 * KIB;
/** Maximum nesting depth of JSON. */
export const MAX_JSON_DEPTH = 100;

/** Backoff after a failed attempt: a random time up to `base × 2^(attempt − 1)`, at most `max` (full jitter). */
export const BACKOFF_MS = { base: 1 * MS_PER_SECOND, max: 1 * MS_PER_MINUTE } as const;
/** Maximum wait that a task or upstream can ask for, beyond the backoff. */
export const MAX_RETRY_AFTER_MS = 12 * MS_PER_HOUR;

/** A running attempt may report this late before it counts as lost. */
export const LEASE_GRACE_MS = 20 * MS_PER_SECOND;
/** An attempt that runs longer than this opens its link. */
export const LINK_AFTER_MS = 1 * MS_PER_SECOND;
/**
 * How long an attempt may be without its link before it counts as lost. A consumer whose link breaks opens it again after
 * half a second at first, and within two seconds if it breaks often, so a consumer that is alive returns in time.
 */
export const UNLINKED_MS = {
	/** The link was open before. */
	broken: 4 * MS_PER_SECOND,
	/** The attempt has not opened its link yet: work that keeps the CPU busy delays that. */
	unopened: 30 * MS_PER_SECOND,
	/** The work must not be done twice, so a lost attempt fails its job. */
	once: 60 * MS_PER_SECOND,
} as const;
/**
 * An object checks that often whether its running attempt has a link. A link that breaks wakes the object by itself: the
 * check finds the attempts that a power cut ended together with their object. It costs a row each time.
 */
export const LINK_CHECK_MS = 50 * MS_PER_SECOND;
/** A canceled attempt has this long to stop before the job ends without it. */
export const CANCEL_GRACE_MS = 20 * MS_PER_SECOND;
/** Maximum number of attempts of an epoch that are lost to the infrastructure and don't count. */
export const MAX_LOST_ATTEMPTS = 5;

/**
 * The watchdog checks a pending job after `first`; then the interval doubles each time, up to `max`. Each check sends the
 * message again: behind a backlog of a day, a job has at most a dozen duplicates.
 */
export const WATCHDOG_MS = { first: 20 * MS_PER_SECOND, max: 6 * MS_PER_HOUR } as const;
/** Maximum number of checks before the last one. They take about five days, longer than a queue keeps a message. */
export const MAX_WAKES = 28;
/**
 * Maximum number of times that a job's message is sent again before the job fails: once for each check, and one last
 * time.
 */
export const MAX_RESENDS = MAX_WAKES + 1;
/**
 * An object that does not know whether the list knows its job tells it after `first`, and again at intervals that double, up to
 * `max`, until the list answers.
 */
export const TELL_MS = { first: WATCHDOG_MS.first, max: 6 * MS_PER_HOUR } as const;
/** Delay of a message whose job can't be reached: `first`, then doubled each time, up to `max`. */
export const UNREACHABLE_MS = { first: 10 * MS_PER_SECOND, max: 15 * MS_PER_MINUTE } as const;
/**
 * Maximum number of times that a job is deferred between two attempts. The intervals grow, so this takes more than a day.
 */
export const MAX_WAITS = 200;
/** Maximum delay of a message in the queue. A longer delay is left to the job's alarm. The platform allows 24 h. */
export const MAX_QUEUE_DELAY_MS = 12 * MS_PER_HOUR;
/** Minimum time from now to an alarm. */
export const MIN_ALARM_AHEAD_MS = 50;
/** The platform abandons an alarm after six failed tries. From this retry on, the alarm only sets itself again. */
export const ALARM_LAST_TRIES = 5;
/** The delay of such an alarm: long enough that an alarm which always fails costs almost nothing. */
export const ALARM_GIVE_UP_MS = 1 * MS_PER_HOUR;

/** Range and default of an attempt's wait for an external worker, in seconds. */
export const WAIT_SECONDS = { min: 1, max: 7 * SECONDS_PER_DAY, default: 1 * 3_600 } as const;

/** A consumer that polls an upstream's operation has this long before the job accepts another consumer. */
export const ASKING_MS = 1 * MS_PER_MINUTE;

/** How long a tombstone answers 410 before the id is unknown again (404). */
export const TOMBSTONE_MS = 1 * MS_PER_HOUR;
/** Maximum time that a job's rows may outlive its tombstone, unreadable, because its batch erases them. */
export const MAX_UNERASED_MS = 30 * MS_PER_MINUTE;
/** Maximum number of watchers and waiters of one job. The job's single object sends every event to each of them. */
export const MAX_WATCHERS = 2_000;
/**
 * A client may disappear without closing its socket, which still counts. At the limit, sockets that were silent for this
 * long are closed to make room, the longest silent first. Any message, `ping` included, shows that the client is alive.
 */
export const WATCHER_SILENT_MS = 5 * MS_PER_MINUTE;
/** Maximum number of lifecycle events kept for replay. */
export const MAX_HISTORY = 128;

/** Minimum interval between two progress messages of a running task. Reports in between are merged into the next message. */
export const PROGRESS_INTERVAL_MS = 1 * MS_PER_SECOND;
/** Minimum step of `percentComplete` that is sent for its own sake. */
export const PROGRESS_STEP_PERCENT = 1;
/** Minimum interval between two progress events of a job, whatever their source. */
export const PROGRESS_EVENT_INTERVAL_MS = 500;
/** Minimum interval between two writes of an external worker's progress while its object is awake. */
export const PROGRESS_WRITE_INTERVAL_MS = 1 * MS_PER_MINUTE;
/** Maximum size of a progress or failure report of an external worker. */
export const MAX_REPORT_BYTES = 16 * KIB;
/** An object that receives nothing for longer than this hibernates, and loses state that is not written. */
export const OBJECT_AWAKE_MS = 10 * MS_PER_SECOND;
export const PROGRESS_MESSAGE_CHARS = 500;
export const PROGRESS_DATA_BYTES = 4 * KIB;

/**
 * The delay of the next webhook try after each failure. The last delay repeats, so a receiver can be down for two days
 * without losing an event.
 */
export const WEBHOOK_RETRY_MS: readonly number[] = [
	5 * MS_PER_SECOND,
	30 * MS_PER_SECOND,
	2 * MS_PER_MINUTE,
	10 * MS_PER_MINUTE,
	1 * MS_PER_HOUR,
	6 * MS_PER_HOUR,
];
/** Maximum share added to each delay as jitter, so that a receiver that recovers doesn't get all calls at once. */
export const WEBHOOK_JITTER_SHARE = 0.1;
/** Maximum number of tries, the first included: they take a little more than two days. */
export const MAX_WEBHOOK_TRIES = 14;
/** Timeout of a webhook call. */
export const WEBHOOK_TIMEOUT_MS = 15 * MS_PER_SECOND;
/**
 * Maximum number of receivers that one invocation calls at once. The platform lets an invocation wait for the response
 * headers of six requests; it holds back a seventh while the timeout of that request runs.
 */
export const WEBHOOK_CONNECTIONS = 5;
/** A delivery that is this late has lost its message, which is sent again. The interval doubles each time, up to `max`. */
export const WEBHOOK_WATCHDOG_MS = { first: 1 * MS_PER_MINUTE, max: 1 * MS_PER_HOUR } as const;
/** Maximum number of times that the watchdog sends a delivery's message again before it gives the delivery up. */
export const MAX_WEBHOOK_WAKES = 60;
/** Minimum time that a webhook's receiver has to fetch the job's result. */
export const KEPT_AFTER_TRY_MS = 1 * MS_PER_HOUR;
/** Maximum number of pending deliveries of one job. Beyond it, the oldest is given up and shown as `given-up`. */
export const MAX_PENDING_DELIVERIES = 64;
/** Maximum number of deliveries in the status document. The oldest delivered ones are dropped first. */
export const MAX_DELIVERIES = 128;
export const WEBHOOK_URL_CHARS = 2_048;

/** Limits of a failed task's `error`. */
export const ERROR_CODE_CHARS = 64;
export const ERROR_MESSAGE_CHARS = 2_000;
export const ERROR_DETAILS_BYTES = 8 * KIB;

/** Range of `Retry-After`, in seconds. */
export const RETRY_AFTER_SECONDS = { min: 1, max: 60 } as const;
