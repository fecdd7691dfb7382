/** The share of its tenant's quotas that a job uses, as the job itself knows it. Pure. */
import { defined } from '../defined.ts';
import {
	KEPT_AFTER_TRY_MS,
	MAX_QUEUE_DELAY_MS,
	MAX_WEBHOOK_TRIES,
	MAX_WEBHOOK_WAKES,
	TOMBSTONE_MS,
	WEBHOOK_WATCHDOG_MS,
} from './limits.ts';
import { isFinal, type JobRecord, type StoredBody } from './record.ts';
import { type SystemJobSummary, systemJobSummary } from './system-job-summary.ts';

export interface QuotaUsage {
	/** The name of its reservation in the tenant's object; left out when the job isn't counted. */
	readonly reservation?: string;
	/** Accepted and not finished. */
	readonly isInFlight: boolean;
	/** Of its input and its result. */
	readonly bytes: number;
	/**
	 * Once the job has finished: the latest time at which its bytes are erased, in milliseconds since the epoch. It never
	 * changes within one epoch.
	 */
	readonly keptUntil?: number;
	/** Once a job of the service itself has finished. */
	readonly summary?: SystemJobSummary;
}

/** The longest time that webhook deliveries can keep a finished job beyond its retention. */
const LONGEST_TELLING_MS =
	MAX_WEBHOOK_TRIES * (MAX_QUEUE_DELAY_MS + MAX_WEBHOOK_WAKES * WEBHOOK_WATCHDOG_MS.max) + KEPT_AFTER_TRY_MS;

/** Returns `undefined` for a tombstone, which keeps no data. */
export function quotaUsage(job: JobRecord): QuotaUsage | undefined {
	const { state, input, reservation, webhook } = job;
	if (state.name === 'tombstone') return undefined;
	const claim = defined({ reservation, bytes: (input?.sizeBytes ?? 0) + (replyBodyOf(job)?.sizeBytes ?? 0) });
	if (!isFinal(state)) return { ...claim, isInFlight: true };
	// Reads answer 410 once retention ends, but the bytes are erased only when the tombstone expires.
	const erasedAt = state.expiresAt + TOMBSTONE_MS;
	const keptUntil = erasedAt + (webhook ? LONGEST_TELLING_MS : 0);
	return defined({ ...claim, isInFlight: false, keptUntil, summary: systemJobSummary(job) });
}

/** The update that a change sends to the tenant's object. */
export type ClaimNews =
	/** The job has finished, and keeps the bytes in `claim`. */
	| { readonly type: 'settle'; readonly claim: QuotaUsage }
	/** The job keeps no data. */
	| { readonly type: 'release'; readonly claim: QuotaUsage };

export function quotaUsageNews(job: JobRecord, before: JobRecord | undefined, now: number): ClaimNews[] {
	const was = before && quotaUsage(before);
	const is = quotaUsage(job);
	const isLeft = was?.reservation !== undefined && was.reservation !== is?.reservation;
	// An expiry needs no update: the tenant's object already has its time.
	const isKnown = was?.keptUntil !== undefined && was.keptUntil <= now;
	const isOver = is?.reservation !== undefined && !is.isInFlight && was?.isInFlight === true;
	return [
		...(isLeft && !isKnown ? [{ type: 'release', claim: was } as const] : []),
		...(isOver ? [{ type: 'settle', claim: is } as const] : []),
	];
}

/** The uploads that hold the job's larger bodies. Its object can erase every other upload. */
export function uploadsOf(job: JobRecord): string[] {
	const { state, input } = job;
	const bodies = state.name === 'tombstone' ? [] : [input, replyBodyOf(job)];
	return bodies.flatMap((body) => (body && 'upload' in body ? [body.upload] : []));
}

function replyBodyOf({ state }: JobRecord): StoredBody | undefined {
	return state.name === 'succeeded' || state.name === 'failed' ? state.reply?.body : undefined;
}
