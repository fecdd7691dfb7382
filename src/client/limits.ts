/**
 * All numbers of the client, with their units. Those that an application may change are options of `createClient` or
 * `followOperation`.
 */

export const MS_PER_SECOND = 1_000;

/** Maximum time until a response begins, and maximum silence within it. */
export const ANSWER_TIMEOUT_MS = 30 * MS_PER_SECOND;
/** The same for requests that carry bytes, which may travel slowly. */
export const UPLOAD_TIMEOUT_MS = 300 * MS_PER_SECOND;
/**
 * The slowest upload rate that the client allows. It is slower than the server's minimum, so that the server reports a slow
 * upload.
 */
export const UPLOAD_BYTES_PER_SECOND = 32 * 1_024;
/** Maximum time for a socket to open. */
export const OPEN_TIMEOUT_MS = 10 * MS_PER_SECOND;
/** A stream sends a heartbeat every 15 s: after three missed ones it is dead. */
export const STREAM_SILENCE_MS = 45 * MS_PER_SECOND;
/** A socket that is silent for this long is pinged, and has the same time again to answer. */
export const PING_MS = 20 * MS_PER_SECOND;
/** First delay until the check for a closed socket, after an event that may be the last. It doubles with each check. */
export const FAREWELL_MS = 10;
/** Maximum size of what a socket has received and its reader has not taken. */
export const MAX_WAITING_CHARS = 8 * 1_024 * 1_024;
/** The time that a poll asks the server to hold its response. */
export const LONG_POLL_SECONDS = 20;

/** Number of events that a reader of a topic asks for at once when it polls: the server's maximum. */
export const TOPIC_PAGE_EVENTS = 1_000;

/** The wait before a retry: `first`, then doubled each time nothing has changed, at most `max`. */
export const WAIT_MS = { first: 500, max: 30 * MS_PER_SECOND } as const;
/** Jitter as a share of the wait: it keeps clients with the same `Retry-After` from returning together. */
export const JITTER_SHARE = 0.2;
/**
 * A deployment closes all sockets at one moment, including those of up to 2,000 watchers of one job. The clients spread their
 * reconnects over this time. A client with a shorter wait waits up to twice as long.
 */
export const SPREAD_MS = 2 * MS_PER_SECOND;
/** A response that took this long was held by the server until something changed: the next request can follow at once. */
export const HELD_MS = 1 * MS_PER_SECOND;
/** A client gives up when it is asked to wait longer than this. The error says for how long. */
export const MAX_RETRY_AFTER_MS = 60 * MS_PER_SECOND;
/** The platform's longest timer. A longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Maximum number of tries of one request. */
export const MAX_TRIES = 5;
/** Maximum number of consecutive failed requests for another service's operation: about a minute of outage. */
export const MAX_OPERATION_TRIES = 8;
/** Maximum number of redirects for one request. */
export const MAX_REDIRECTS = 5;
/** Maximum number of rounds in which all transports fail and the server sends nothing: about 90 s of outage. */
export const MAX_SILENT_ROUNDS = 8;
/** A connection that lasted this long was stable: the next wait starts small again. */
export const STEADY_MS = 10 * MS_PER_SECOND;

/** Maximum number of bytes to read of an error response. */
export const MAX_PROBLEM_BYTES = 64 * 1_024;
