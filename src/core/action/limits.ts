/** Fixed limits of bulk actions, with their units. `MAX_ACTIONS` and `ACTION_JOBS_PER_SECOND` are settings. */
import { KIB, MS_PER_MINUTE, MS_PER_SECOND, SECONDS_PER_DAY } from '../job/limits.ts';

/** Maximum size of the request for an action. */
export const MAX_ACTION_BYTES = 16 * KIB;
/** Maximum duration of an action. */
export const ACTION_SECONDS = 1 * SECONDS_PER_DAY;
/** The deadline of the attempt that begins an action, and of no portion. */
export const ACTION_START_SECONDS = 60;

/**
 * Maximum number of calls to jobs in one portion. A retry in a deployment with quotas takes three. The platform allows an
 * invocation 1,000 calls to objects and queues; the rest is for the list, the action itself and the messages.
 */
export const CALLS_A_PORTION = 800;
/** Maximum number of jobs that are worked on at once. */
export const JOBS_AT_ONCE = 32;
/** Maximum number of pages that a portion reads: jobs that the list itself rules out need no call. */
export const PAGES_A_PORTION = 20;
/** No job is begun after this time of a portion: consumers may be ended after 30 s. */
export const PORTION_MS = 20 * MS_PER_SECOND;
/** An action rests while the jobs that it runs again wait longer than this in their queues. */
export const GIVE_WAY_MS = 3 * MS_PER_SECOND;
export const REST_MS = 2 * MS_PER_SECOND;
/** Interval at which a portion in work reports its progress, and notices that the action was stopped. */
export const TELL_MS = 500;

/** The wait after a portion without effect, because jobs or the list were unreachable. Doubled each time, up to `max`. */
export const FAILED_PORTION_MS = { first: 1 * MS_PER_SECOND, max: 1 * MS_PER_MINUTE } as const;
/** Maximum number of such portions in a row: over about eight minutes. */
export const MAX_FAILED_PORTIONS = 12;
