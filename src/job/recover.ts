/**
 * Progress costs no row: between two writes it lives in the object's memory, and beside the attempt's socket, which
 * survives hibernation. An external worker has no such socket, and costs a row a minute. This file says how a record that was
 * just read from storage gets it back, and how the numbering stays honest when it can't.
 */
import { PROGRESS_EVENT_INTERVAL_MS } from './limits.ts';
import { fenceOf, isCurrent, type JobRecord, type Progress } from './record.ts';

/** What is kept beside the attempt's socket. Persisted across hibernation: only add optional fields. */
export interface LiveProgress {
	readonly epoch: number;
	readonly attempt: number;
	/** The job's. */
	readonly createdAt?: number;
	readonly seq: number;
	readonly progressAt?: number;
	readonly updatedAt?: number;
	readonly progress?: Progress;
	readonly isUntold?: true;
}

/** What to keep beside the attempt's socket. */
export function liveProgressOf(job: JobRecord): LiveProgress {
	const { seq, progressAt, updatedAt, progress, isUntold } = job;
	return {
		...fenceOf(job),
		seq,
		updatedAt,
		...(progressAt !== undefined && { progressAt }),
		...(progress !== undefined && { progress }),
		...(isUntold && { isUntold }),
	};
}

/**
 * How far the events of a stored record may be numbered before it is written again: as many as an attempt can make within
 * its lease. So whoever reads the record knows the last number that can have been given, whatever clocks show by then.
 */
export function numberedUntil({ state, seq, unwritten }: JobRecord): number {
	if (state.name !== 'running') return seq;
	const setAside = Math.max(seq, unwritten?.seq ?? 0);
	if (state.waiting) return setAside;
	const leaseMs = Math.max(0, state.leaseEndsAt - state.attemptStartedAt);
	return Math.max(setAside, seq + Math.ceil(leaseMs / PROGRESS_EVENT_INTERVAL_MS) + 1);
}

/**
 * A record read from storage, with the progress that was not written.
 *
 * Without `live` (the object was reset, and every socket with it) the numbers of events that may have gone out are not
 * known: the count goes on after the last possible one, so that no number is ever given twice. Readers see a gap, never
 * a repeat.
 *
 * @param live what the attempt's socket kept, if it is still there.
 */
export function recover(stored: JobRecord, live: LiveProgress | undefined): JobRecord {
	if (stored.state.name !== 'running') return stored;
	const isWaiting = stored.state.waiting !== undefined;
	// All that was reported is written.
	if (isWaiting && !stored.unwritten) return stored;
	// The numbers that were set aside may have been given: the next event is written.
	const { unwritten: _, ...job } = stored;
	if (isWaiting || !live || !isCurrent(job, live) || live.seq < job.seq) return { ...job, seq: numberedUntil(stored) };
	const { seq, progress, progressAt, updatedAt = job.updatedAt, isUntold } = live;
	const { isUntold: __, ...kept } = job;
	return {
		...kept,
		seq,
		updatedAt,
		...(progress && { progress }),
		...(progressAt !== undefined && { progressAt }),
		...(isUntold && { isUntold }),
	};
}
