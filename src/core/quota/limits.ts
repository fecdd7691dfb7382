/** Fixed limits of quotas, with their units. The quotas themselves are settings. */
import { MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, UPLOAD_LEASE_MS } from '../job/limits.ts';

/** Maximum time from a reservation to the acceptance of its job: the lifetime of an unsubmitted upload. */
export const RESERVATION_MS = UPLOAD_LEASE_MS;
/** Maximum clock difference between the tenant's object and the job's. */
export const RESERVATION_MARGIN_MS = 1 * MS_PER_MINUTE;

/** Number of reservations that are verified when a quota is exceeded, the oldest first, different ones each time. */
export const VERIFIED_AT_ONCE = 20;
/** Minimum interval between verifications, regardless of the number of callers. */
export const VERIFY_INTERVAL_MS = 1 * MS_PER_SECOND;

/** Maximum number of expired entries that are deleted at once. */
export const EXPIRED_AT_ONCE = 1_000;
/** Interval of deletions while the tenant is idle. */
export const CLEARING_INTERVAL_MS = 1 * MS_PER_HOUR;

/** `Retry-After` when a quota is exceeded, in seconds. `spread` adds jitter, so that clients don't retry together. */
export const QUOTA_RETRY_SECONDS = { min: 5, max: 3_600, spread: 5 } as const;

/** Number of finished actions that a tenant's log keeps; the oldest are dropped. */
export const MAX_LOGGED_ACTIONS = 1_000;
/** Maximum number of unfinished actions in one answer, the newest. */
export const MAX_UNFINISHED_LISTED = 100;
