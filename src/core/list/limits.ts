/** Every number of the list of a tenant's jobs, with its unit. */
import { MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND } from '../job/limits.ts';

/** Items of a page of jobs, topics, actions or any other listing. */
export const PAGE_ITEMS = { min: 1, max: 100, default: 20 } as const;
/** Maximum number of leaves that one page reads. A page that ends there has a cursor, and may have few jobs or none. */
export const LEAVES_A_PAGE = 256;
/** Maximum number of leaves of which a count reads all jobs, or only the facets, before other calls of the object may run. */
export const LEAVES_A_TURN = { jobs: 8, facets: 64 } as const;

/** Jobs of a leaf. The newest leaf is followed by another once it is `full`; any other is halved above `max`. */
export const LEAF_JOBS = { full: 256, max: 512 } as const;
/** A leaf with at most this number of jobs joins the leaf before it, if both fit into a full one. */
export const FEW_JOBS = 64;
/** Maximum size of a leaf, in UTF-16 units: at most 900 KB, and the platform allows 2 MB a value. */
export const LEAF_CHARS = 300_000;
/** A leaf with more combinations of status, phase, task and error code has no counts, and is read instead. */
export const MAX_COMBINATIONS = 64;
/** Size of a leaf's Bloom filter: a power of two, with 16 to 32 bits for each item. At most 6 in 10,000 other items pass. */
export const BLOOM = { bytesAnItem: 2, minBytes: 512, maxBytes: 8_192, probes: 8 } as const;

/** News that are applied in memory until the changed leaves are written. A start applies as many again. */
export const CHECKPOINT = { news: 2_000, chars: 2_000_000 } as const;
/** Maximum number of leaves that one call writes. */
export const LEAVES_WRITTEN_AT_ONCE = 32;
/** Number of leaves whose text stays in memory: about 150 KB each. */
export const CACHED_LEAVES = 32;

/**
 * An unfinished job without news is asked after `first`, then at intervals that double up to `max`. That is less than the hour in
 * which an expired job still answers, so that no end is missed.
 */
export const UNHEARD_MS = { first: 30 * MS_PER_SECOND, max: 30 * MS_PER_MINUTE } as const;
/** Maximum number of leaves that are searched at once for such jobs. */
export const LEAVES_CHECKED_AT_ONCE = 16;
/** Maximum number of jobs that are asked at once. */
export const UNHEARD_AT_ONCE = 100;
/** Maximum number of concurrent calls to jobs. */
export const ASKED_TOGETHER = 20;
/** Maximum time of such a call. */
export const ASK_TIMEOUT_MS = 10 * MS_PER_SECOND;

/**
 * News of a job that the list doesn't know is believed up to this age; then the job is asked first. The entry of a job that
 * has ended or was erased stays for an hour and more, so that late news finds it.
 */
export const BELIEVED_MS = 30 * MS_PER_MINUTE;
/** Maximum number of jobs in one row of the log. */
export const NEWS_IN_ROW = 100;
/**
 * Maximum size of the news in one row of the log, in UTF-16 units, their events included: at most 1.8 MB, and the platform allows 2 MB a row.
 * Larger news has a row of its own.
 */
export const NEWS_ROW_CHARS = 600_000;

/** Minimum interval between two removals of a leaf's expired jobs from storage. */
export const SWEEP_INTERVAL_MS = 1 * MS_PER_HOUR;
/** Maximum number of leaves that one sweep rewrites or deletes. */
export const LEAVES_SWEPT_AT_ONCE = 32;

/** Maximum length of a filter's values, in UTF-16 units. */
export const FILTER_CHARS = 128;
