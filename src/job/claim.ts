/** What a job takes of its tenant's quotas, as the job itself knows it. Pure. */
import {
	KEPT_AFTER_TRY_MS,
	MAX_QUEUE_DELAY_MS,
	MAX_WEBHOOK_TRIES,
	MAX_WEBHOOK_WAKES,
	TOMBSTONE_MS,
	WEBHOOK_WATCHDOG_MS,
} from './limits.ts';
import { isFinal, type JobRecord, type StoredBody } from './record.ts';

export interface Claim {
	/** The name under which the tenant's object keeps room for it; left out when nobody counts this job. */
	readonly reservation?: string;
	/** Accepted, and not over. */
	readonly isInFlight: boolean;
	/** Its input and its result. */
	readonly bytes: number;
	/**
	 * Once it is over: when its bytes have left the disk at the latest, in milliseconds since the epoch. Never changes in one
	 * epoch.
	 */
	readonly keptUntil?: number;
}

/** The longest that a webhook's deliveries can keep a finished job beyond its retention. */
const LONGEST_TELLING_MS =
	MAX_WEBHOOK_TRIES * (MAX_QUEUE_DELAY_MS + MAX_WEBHOOK_WAKES * WEBHOOK_WATCHDOG_MS.max) + KEPT_AFTER_TRY_MS;

/** `undefined` for a tombstone: nothing is kept of it. */
export function claimOf(job: JobRecord): Claim | undefined {
	const { state, input, reservation, webhook } = job;
	if (state.name === 'tombstone') return undefined;
	const claim = {
		...(reservation !== undefined && { reservation }),
		bytes: (input?.sizeBytes ?? 0) + (replyBodyOf(job)?.sizeBytes ?? 0),
	};
	if (!isFinal(state)) return { ...claim, isInFlight: true };
	// Reads answer 410 from the end of retention on, but what nobody reads is erased with its tombstone's time.
	const erasedAt = state.expiresAt + TOMBSTONE_MS;
	return { ...claim, isInFlight: false, keptUntil: erasedAt + (webhook ? LONGEST_TELLING_MS : 0) };
}

/** What the tenant's object has to be told of a change. */
export type ClaimNews =
	/** It is over, and keeps what `claim` says. */
	| { readonly type: 'settle'; readonly claim: Claim }
	/** It keeps nothing more. */
	| { readonly type: 'release'; readonly claim: Claim };

export function claimNews(job: JobRecord, before: JobRecord | undefined, now: number): ClaimNews[] {
	const was = before && claimOf(before);
	const is = claimOf(job);
	const isLeft = was?.reservation !== undefined && was.reservation !== is?.reservation;
	// What ends by time alone needs no word: the tenant's object was told the time.
	const isKnown = was?.keptUntil !== undefined && was.keptUntil <= now;
	const isOver = is?.reservation !== undefined && !is.isInFlight && was?.isInFlight === true;
	return [
		...(isLeft && !isKnown ? [{ type: 'release', claim: was } as const] : []),
		...(isOver ? [{ type: 'settle', claim: is } as const] : []),
	];
}

/** The uploads that a job's larger bytes are in: everything else in its object is nobody's. */
export function uploadsOf(job: JobRecord): string[] {
	const { state, input } = job;
	const bodies = state.name === 'tombstone' ? [] : [input, replyBodyOf(job)];
	return bodies.flatMap((body) => (body && 'upload' in body ? [body.upload] : []));
}

function replyBodyOf({ state }: JobRecord): StoredBody | undefined {
	return state.name === 'succeeded' || state.name === 'failed' ? state.reply?.body : undefined;
}
