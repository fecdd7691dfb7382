/**
 * How much a tenant may have at a time, and the rules by which it is counted.
 *
 * The invariant: room is taken before a job is accepted, and given back only by somebody who knows that the job is over, or
 * that it was never accepted and can't be any more. Whatever is lost on the way, too much is counted and never too little:
 * no job is let in for which there is no room.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import type { Claim } from '../job/claim.ts';
import { RESERVATION_MARGIN_MS } from './limits.ts';

/** Left out: no such quota. */
export interface Quotas {
	/** Jobs that are accepted and not over. */
	readonly maxJobsInFlight?: number;
	/** Inputs and results of all jobs that are not gone yet. */
	readonly maxStoredBytes?: number;
}

export interface Usage {
	readonly jobsInFlight: number;
	readonly storedBytes: number;
}

/** The quotas' names on the wire. */
export type QuotaName = 'jobs-in-flight' | 'stored-bytes';

/** What a job needs. */
export interface Wanted {
	readonly bytes: number;
	/** How much there will be is not known yet: as much of it as there is room for. */
	readonly isUpTo?: boolean;
	/** The bytes are there already, and counted: they are not what there must be room for. */
	readonly isStored?: boolean;
}

/** A quota that has no room for what was wanted. */
export interface Shortage {
	readonly quota: QuotaName;
	readonly used: number;
	readonly limit: number;
}

/** The bytes that can be had, or what there is too little of. */
export function roomFor(usage: Usage, wanted: Wanted, quotas: Quotas): { readonly bytes: number } | Shortage {
	const { maxJobsInFlight = Number.POSITIVE_INFINITY, maxStoredBytes = Number.POSITIVE_INFINITY } = quotas;
	const { jobsInFlight, storedBytes } = usage;
	if (jobsInFlight >= maxJobsInFlight) return { quota: 'jobs-in-flight', used: jobsInFlight, limit: maxJobsInFlight };
	const left = maxStoredBytes - storedBytes;
	if (wanted.isStored || wanted.bytes <= left) return { bytes: wanted.bytes };
	if (wanted.isUpTo && left > 0) return { bytes: left };
	return { quota: 'stored-bytes', used: storedBytes, limit: maxStoredBytes };
}

/** Room that was taken for a job which is not known to be over. */
export interface Reservation {
	/** They sort by age. */
	readonly name: string;
	/** The job's id. */
	readonly job: string;
	/** Left out when only jobs are counted. */
	readonly bytes?: number;
	/** Until when the job may still be accepted, in milliseconds since the epoch. */
	readonly heldUntil: number;
}

/** What is to become of a reservation. */
export type Verdict = 'keep' | 'release' | { readonly bytes: number; readonly keptUntil: number };

/**
 * @param claim what the job says of itself; `undefined` when it isn't there. A job of the same id can have another
 * reservation: then this one was for a submission that never became it, or for an epoch that is over.
 */
export function verdictOn({ name, heldUntil }: Reservation, claim: Claim | undefined, now: number): Verdict {
	if (claim?.reservation !== name) return now > heldUntil + RESERVATION_MARGIN_MS ? 'release' : 'keep';
	if (claim.isInFlight || claim.keptUntil === undefined) return 'keep';
	return { bytes: claim.bytes, keptUntil: claim.keptUntil };
}
