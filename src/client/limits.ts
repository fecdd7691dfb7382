/** Every number of the client, with its unit. What an application may change is an option of `createClient` or `followOperation`. */

export const MS_PER_SECOND = 1_000;

/** An answer must have begun this long after it was asked for; and then never be silent for as long. */
export const ANSWER_TIMEOUT_MS = 30 * MS_PER_SECOND;
/** The same, when the request takes bytes with it that may travel slowly. */
export const UPLOAD_TIMEOUT_MS = 300 * MS_PER_SECOND;
/** A request's body may travel at this rate: slower than the server allows, so that the server is the one to say so. */
export const UPLOAD_BYTES_PER_SECOND = 32 * 1_024;
/** A socket must be open by then. */
export const OPEN_TIMEOUT_MS = 10 * MS_PER_SECOND;
/** A stream says something every 15 s: one that missed three of them is dead. */
export const STREAM_SILENCE_MS = 45 * MS_PER_SECOND;
/** A socket that was silent this long is asked whether it lives, and has as long again to answer. */
export const PING_MS = 20 * MS_PER_SECOND;
/** After what may be the last event a socket is looked at this soon, then each time twice as late: has it been closed? */
export const FAREWELL_MS = 10;
/** How long a poll asks the server to hold its answer. */
export const LONG_POLL_SECONDS = 20;

/** The wait before a repetition: `first`, then twice as long each time nothing has changed, at most `max`. */
export const WAIT_MS = { first: 500, max: 30 * MS_PER_SECOND } as const;
/** Clients that were told the same time would come back together: each waits up to this share longer. */
export const JITTER_SHARE = 0.2;
/**
 * A deploy closes all sockets at one moment, those of up to 2,000 watchers of one job among them: they come back over this
 * time. A client that waits less than that anyway waits up to twice as long.
 */
export const SPREAD_MS = 2 * MS_PER_SECOND;
/** An answer that took this long was held by the server until there was something to say: the next question need not wait. */
export const HELD_MS = 1 * MS_PER_SECOND;
/** A request that is told to wait longer is given up, and the error says for how long. */
export const MAX_RETRY_AFTER_MS = 60 * MS_PER_SECOND;
/** Longer than this a timer can't be: it would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** How often one request is sent before its failure is the caller's. */
export const MAX_TRIES = 5;
/** How often in a row an operation of another service may be asked for in vain: about a minute of outage. */
export const MAX_OPERATION_TRIES = 8;
/** How often one question may be led elsewhere. */
export const MAX_REDIRECTS = 5;
/** How often all transports may be tried in vain, with not a byte from the server in between: some 90 s of outage. */
export const MAX_SILENT_ROUNDS = 8;
/** A connection that held this long was a good one: the wait before the next starts small again. */
export const STEADY_MS = 10 * MS_PER_SECOND;

/** Of a refusal's body, no more than this is read. */
export const MAX_PROBLEM_BYTES = 64 * 1_024;
