/**
 * Reserves a tenant's quota for a job, before anything of the job is stored. Releases it when the job was not accepted. An
 * accepted job reports later changes itself. Without quotas, this file makes no calls.
 */

import { MS_PER_SECOND } from '../../core/job/limits.ts';
import { QUOTA_RETRY_SECONDS } from '../../core/quota/limits.ts';
import type { Quotas, Shortage, Wanted } from '../../core/quota/quotas.ts';
import { reservationName } from '../../rpc/tenants.ts';
import { tenantOf } from '../access/auth.ts';
import { item } from '../access/rate-limit.ts';
import { tooLarge } from '../body.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';

type Payer = Pick<RequestContext, 'config' | 'tenants' | 'principal'>;

/** Quota that is reserved for a job. */
export interface Reservation {
	readonly reservation: string;
	/** Deadline for accepting the job, in milliseconds since the epoch. */
	readonly acceptBy: number;
	readonly bytes: number;
}

/** A job with quota that is reserved for it. */
export interface ReservedJob {
	readonly id: string;
	readonly room: Reservation;
}

/**
 * @param job the job's id.
 * @returns `undefined` without quotas. Exceeded quota is returned as a `Problem`, because a replay needs no quota.
 * @throws {Problem} `PayloadTooLarge` for an input that is larger than the whole quota.
 */
export async function reserveRoom(
	payer: Payer,
	job: string,
	wanted: Wanted,
): Promise<Reservation | Problem | undefined> {
	const { quotas } = payer.config;
	if (!quotas) return undefined;
	refuseWhatNeverFits(wanted, quotas);
	return reserve(payer, quotas, { name: reservationName(Date.now()), job, ...wanted });
}

/** Sets the reservation to the actual size of the input. @throws {Problem} `QuotaExceeded` */
export async function resizeReservation(payer: Payer, { id: job, room }: ReservedJob, bytes: number): Promise<void> {
	const { quotas } = payer.config;
	if (!quotas || room.bytes === bytes) return;
	const fitted = await reserve(payer, quotas, { name: room.reservation, job, bytes });
	if (fitted instanceof Problem) throw fitted;
}

/** Releases a reservation. Call it only when its job was not accepted and never will be. */
export async function releaseReservation({ tenants, principal }: Payer, room: Reservation | undefined): Promise<void> {
	if (room) await tenants.release(tenantOf(principal), room.reservation);
}

/** The problem for an input that exceeds its reservation. */
export function outgrown({ config: { quotas } }: Pick<Payer, 'config'>, bytes: number): Problem {
	const limit = quotas?.maxStoredBytes ?? 0;
	return quotaExceeded({ quota: 'stored-bytes', used: limit - bytes, limit });
}

function refuseWhatNeverFits(
	{ bytes, isUpTo, isStored }: Wanted,
	{ maxStoredBytes = Number.POSITIVE_INFINITY }: Quotas,
) {
	if (!isUpTo && !isStored && bytes > maxStoredBytes) throw tooLarge(maxStoredBytes, bytes);
}

async function reserve(
	{ tenants, principal }: Payer,
	quotas: Quotas,
	request: Wanted & { readonly name: string; readonly job: string },
): Promise<Reservation | Problem> {
	const reserved = await tenants.call(tenantOf(principal), (object) => object.reserve(request, quotas));
	if (!reserved.reserved) return quotaExceeded(reserved.shortage, reserved.roomAt);
	const { bytes, acceptBy } = reserved;
	return { reservation: request.name, acceptBy, bytes };
}

export function quotaExceeded(shortage: Shortage, roomAt?: number): Problem {
	const { quota, used, limit } = shortage;
	const unit = UNITS[quota];
	const left = Math.max(0, limit - used);
	const detail = `The tenant has ${used} of at most ${limit} ${unit.name}: nothing was accepted, try again later`;
	return new Problem('QuotaExceeded', detail, {
		headers: {
			'retry-after': String(quotaRetrySeconds(roomAt)),
			'ratelimit-policy': item(quota, { q: limit, qu: unit.quotaUnit }),
			ratelimit: item(quota, { r: left }),
		},
	});
}

/** The quota units registered by draft-ietf-httpapi-ratelimit-headers. */
const UNITS: Record<Shortage['quota'], { readonly name: string; readonly quotaUnit: string }> = {
	'jobs-in-flight': { name: 'jobs in flight', quotaUnit: 'concurrent-requests' },
	'stored-bytes': { name: 'bytes stored', quotaUnit: 'content-bytes' },
};

function quotaRetrySeconds(roomAt: number | undefined): number {
	const { min, max, spread } = QUOTA_RETRY_SECONDS;
	const seconds = roomAt === undefined ? min : Math.ceil((roomAt - Date.now()) / MS_PER_SECOND);
	return Math.min(max, Math.max(min, seconds)) + Math.floor(Math.random() * spread);
}
