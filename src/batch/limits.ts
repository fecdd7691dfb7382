/** The numbers of batches, with their units. */
import { MS_PER_SECOND, SECONDS_PER_DAY } from '../job/limits.ts';

/** So many jobs one request can submit. */
export const MAX_BATCH_JOBS = 1_000;

/** So many of a batch's jobs are called at a time. */
export const CALLS_AT_ONCE = 50;

/** Whoever has so many jobs asked has made a request more, as far as limits go. */
export const CALLS_A_REQUEST = 10;

/** Counts are made anew when they are so old: a job that has to be asked for them adds to it. */
export const LOOK_AGAIN_MS = { min: 1 * MS_PER_SECOND, perJob: 10, max: 10 * MS_PER_SECOND } as const;

/** A job may take so long from when it may start to its end; after that, and its delay and retention, its batch is forgotten. */
export const LONGEST_JOB_MS = 14 * SECONDS_PER_DAY * MS_PER_SECOND;
