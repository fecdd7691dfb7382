/** Limits of batches, with their units. */
import { MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, SECONDS_PER_DAY } from '../job/limits.ts';

/** Maximum number of jobs in one request. */
export const MAX_BATCH_JOBS = 1_000;

/** Maximum number of concurrent calls to a batch's jobs. */
export const CALLS_AT_ONCE = 50;

/** Jobs of a batch that count as one request of the rate limit. A batch may use half of a window's requests. */
export const JOBS_A_REQUEST = 2;

/** Status reads of jobs that count as one request of the rate limit. */
export const CALLS_A_REQUEST = 10;

/** Maximum age of counts, in milliseconds. Each job that must be read adds `perJob`. */
export const LOOK_AGAIN_MS = { min: 1 * MS_PER_SECOND, perJob: 10, max: 10 * MS_PER_SECOND } as const;

/** Time for one caller to read the jobs. Meanwhile, other callers get the previous counts. */
export const ASKING_MS = 10 * MS_PER_SECOND;

/** A batch is kept longer than its jobs' delay and retention by this time, for running jobs and late readers. */
export const KEPT_LONGER_MS = 14 * SECONDS_PER_DAY * MS_PER_SECOND;

/** A batch erases its jobs this long after the first of them can be gone: those that take longer than this erase themselves. */
export const ERASES_AFTER_MS = 15 * MS_PER_MINUTE;

/** Maximum number of jobs that one alarm of a batch erases: each costs a call, and the platform limits them. */
export const ERASED_AT_ONCE = 500;

/** Maximum time of the call that erases a job. */
export const ERASE_CALL_MS = 30 * MS_PER_SECOND;

/** Time until a batch tries again to erase the jobs that it could not reach: `first`, then doubled each time, up to `max`. */
export const ERASE_AGAIN_MS = { first: 1 * MS_PER_HOUR, max: 24 * MS_PER_HOUR } as const;

/** Maximum number of alarms that a batch spends on the erasure of its jobs: a year. Afterwards it gives up those that are left. */
export const MAX_ERASURE_ALARMS = 370;
