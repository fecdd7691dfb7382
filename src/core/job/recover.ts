/**
 * Progress costs no row. Between two writes it is in the object's memory, and in the attachment of the attempt's socket,
 * which survives hibernation. An external worker has no such socket, and costs a row a minute. This file restores the
 * progress of a record that was read from storage. If it can't, it keeps the event numbers correct.
 */
import { defined } from '../defined.ts';
import { PROGRESS_EVENT_INTERVAL_MS } from './limits.ts';
import { lookForLink } from './presence.ts';
import { fenceOf, isCurrent, type JobRecord, type Progress } from './record.ts';
import { markForgetful } from './unwritten-start.ts';

/** The attachment of the attempt's socket. Persisted across hibernation: only add optional fields. */
export interface LiveProgress {
	readonly epoch: number;
	readonly attempt: number;
	/** The creation time of the job. */
	readonly createdAt?: number;
	/** As in a `Fence`. */
	readonly delivery?: string;
	readonly startedAt?: number;
	readonly seq: number;
	readonly progressAt?: number;
	readonly updatedAt?: number;
	readonly progress?: Progress;
	readonly isUntold?: true;
}

/** Returns the attachment for the attempt's socket. */
export function liveProgressOf(job: JobRecord): LiveProgress {
	const { seq, progressAt, updatedAt, progress, isUntold } = job;
	return defined({ ...fenceOf(job), seq, updatedAt, progressAt, progress, isUntold });
}

/**
 * Returns the highest event number that may be used before the record is written again: as many events as an attempt can
 * have within its lease. A reader of the record therefore knows the last number that may have been used, whatever its
 * clock says.
 */
export function numberedUntil({ state, seq, unwritten }: JobRecord): number {
	// A start may stay unwritten.
	if (state.name === 'pending') return seq + 1;
	if (state.name !== 'running') return seq;
	const setAside = Math.max(seq, unwritten?.seq ?? 0);
	if (state.waiting) return setAside;
	const leaseMs = Math.max(0, state.leaseEndsAt - state.attemptStartedAt);
	return Math.max(setAside, seq + Math.ceil(leaseMs / PROGRESS_EVENT_INTERVAL_MS) + 1);
}

/**
 * Returns a record read from storage, with the progress that was not written.
 *
 * Without `live` (the object and every socket were reset), the numbers of the events that were sent are unknown.
 * Numbering continues after the last possible one, so that no number is ever used twice. Readers see a gap, never a
 * repeat.
 *
 * @param live the attachment of the attempt's socket, if the socket still exists.
 */
export function recover(stored: JobRecord, live: LiveProgress | undefined): JobRecord {
	if (stored.state.name !== 'running') return stored;
	const isWaiting = stored.state.waiting !== undefined;
	// All reported progress is written.
	if (isWaiting && !stored.unwritten) return stored;
	// The reserved numbers may have been used, so the next event must be written.
	const { unwritten: _, ...job } = stored;
	if (isWaiting || !live || !isCurrent(job, live) || live.seq < job.seq) return { ...job, seq: numberedUntil(stored) };
	const { seq, progress, progressAt, updatedAt = job.updatedAt, isUntold } = live;
	const { isUntold: __, ...kept } = job;
	return { ...kept, seq, updatedAt, ...defined({ progress, progressAt, isUntold }) };
}

/** A record that an object reads when it is loaded. */
export interface LoadedRecord {
	readonly stored: JobRecord;
	/** The attachment of the attempt's socket, if the socket still exists. */
	readonly live: LiveProgress | undefined;
	readonly now: number;
}

/** Returns a record that was read from storage, with what its object has forgotten, as far as that is known. */
export function loaded({ stored, live, now }: LoadedRecord): JobRecord {
	return markForgetful(lookForLink(recover(stored, live), live, now));
}
