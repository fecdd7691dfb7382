/**
 * Quotas of a tenant, and the rules for counting its usage.
 *
 * The invariant: quota is reserved before a job is accepted. It is released only when the job is known to be finished, or known
 * never to be accepted. A lost message makes the count too high, never too low, so no job is accepted beyond the quota.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import type { QuotaUsage } from '../job/quota-usage.ts';
import { RESERVATION_MARGIN_MS } from './limits.ts';

/** An absent field means no such quota. */
export interface Quotas {
	/** Maximum number of accepted, unfinished jobs. */
	readonly maxJobsInFlight?: number;
	/** Maximum bytes of inputs and results, of all jobs until they expire. */
	readonly maxStoredBytes?: number;
}

export interface Usage {
	readonly jobsInFlight: number;
	readonly storedBytes: number;
}

/** The quotas' names on the wire. */
export type QuotaName = 'jobs-in-flight' | 'stored-bytes';

/** The quota that a job needs. */
export interface Wanted {
	readonly bytes: number;
	/** `bytes` is a maximum, because the size is not known yet: reserve as much of it as possible. */
	readonly isUpTo?: boolean;
	/** The bytes are already stored and counted, so they need no additional quota. */
	readonly isStored?: boolean;
}

/** The quota that would be exceeded. */
export interface Shortage {
	readonly quota: QuotaName;
	readonly used: number;
	readonly limit: number;
}

/** The bytes that can be reserved, or the quota that would be exceeded. */
export function roomFor(usage: Usage, wanted: Wanted, quotas: Quotas): { readonly bytes: number } | Shortage {
	const { maxJobsInFlight = Number.POSITIVE_INFINITY, maxStoredBytes = Number.POSITIVE_INFINITY } = quotas;
	const { jobsInFlight, storedBytes } = usage;
	if (jobsInFlight >= maxJobsInFlight) return { quota: 'jobs-in-flight', used: jobsInFlight, limit: maxJobsInFlight };
	const left = maxStoredBytes - storedBytes;
	if (wanted.isStored || wanted.bytes <= left) return { bytes: wanted.bytes };
	if (wanted.isUpTo && left > 0) return { bytes: left };
	return { quota: 'stored-bytes', used: storedBytes, limit: maxStoredBytes };
}

/** Reserved quota of a job that is not known to be finished. */
export interface Reservation {
	/** Names sort by age. */
	readonly name: string;
	/** The job's id. */
	readonly job: string;
	/** Absent when only jobs are counted. */
	readonly bytes?: number;
	/** Deadline for accepting the job, in milliseconds since the epoch. */
	readonly heldUntil: number;
}

/** The decision about a reservation. */
export type Verdict = 'keep' | 'release' | { readonly bytes: number; readonly keptUntil: number };

/**
 * @param claim the job's own usage; `undefined` when the job does not exist. If the job has a different reservation, this one
 * belongs to a submission that was not accepted, or to a finished epoch.
 */
export function verdictOn({ name, heldUntil }: Reservation, claim: QuotaUsage | undefined, now: number): Verdict {
	if (claim?.reservation !== name) return now > heldUntil + RESERVATION_MARGIN_MS ? 'release' : 'keep';
	if (claim.isInFlight || claim.keptUntil === undefined) return 'keep';
	return { bytes: claim.bytes, keptUntil: claim.keptUntil };
}
