/** The numbers of batches, with their units. */
import { MS_PER_SECOND, SECONDS_PER_DAY } from '../job/limits.ts';

/** So many jobs one request can submit. */
export const MAX_BATCH_JOBS = 1_000;

/** So many of a batch's jobs are called at a time. */
export const CALLS_AT_ONCE = 50;

/** Where requests are limited, so many jobs that are submitted together count as one; a batch may be half of a window's requests. */
export const JOBS_A_REQUEST = 2;

/** Likewise, so many jobs that are asked how they are. */
export const CALLS_A_REQUEST = 10;

/** Counts are made anew when they are so old: a job that has to be asked for them adds to it. */
export const LOOK_AGAIN_MS = { min: 1 * MS_PER_SECOND, perJob: 10, max: 10 * MS_PER_SECOND } as const;

/** Whoever asks the jobs has so long for it; meanwhile everybody else is told what was counted before. */
export const ASKING_MS = 10 * MS_PER_SECOND;

/** A batch is kept for so much longer than its jobs' delay and retention: for what they take, and for who looks late. */
export const KEPT_LONGER_MS = 14 * SECONDS_PER_DAY * MS_PER_SECOND;
