/** Every number of the quotas that is not a deployment's to set, with its unit. */
import { MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, UPLOAD_LEASE_MS } from '../job/limits.ts';

/** So long may it take from a reservation to the acceptance of its job: as long as an upload is kept that nobody submits. */
export const RESERVATION_MS = UPLOAD_LEASE_MS;
/** The tenant's object and the job's may disagree by this much on what time it is. */
export const RESERVATION_MARGIN_MS = 1 * MS_PER_MINUTE;

/** When there is no room, so many reservations are looked into, the oldest first, each time others. */
export const VERIFIED_AT_ONCE = 20;
/** But not more often than this, however many ask. */
export const VERIFY_INTERVAL_MS = 1 * MS_PER_SECOND;

/** Of what is over by time, so much is cleared away at once. */
export const EXPIRED_AT_ONCE = 1_000;
/** When nobody comes, that is done at this interval. */
export const CLEARING_INTERVAL_MS = 1 * MS_PER_HOUR;

/** `Retry-After` of a refusal, in seconds: a little longer for each, so that not all come back at once. */
export const QUOTA_RETRY_SECONDS = { min: 5, max: 3_600, spread: 5 } as const;
