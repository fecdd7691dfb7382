/**
 * What a tenant's object answers to the rest of the Worker. For some seconds of every deploy these calls cross versions: only
 * add optional fields, and optional parameters at the end. Each may be repeated.
 */
import type { Quotas, Shortage, Wanted } from './quotas.ts';

export interface ReservationRequest extends Wanted {
	/** The reservation's name. Asking again under the same one changes how many bytes it is for. */
	readonly name: string;
	/** The job's id. */
	readonly job: string;
}

export type Reserved =
	/** `acceptBy`: later than this the job must not be accepted any more; milliseconds since the epoch. */
	| { readonly reserved: true; readonly bytes: number; readonly acceptBy: number }
	/** `roomAt`: when there will be more at the latest, if that is known. */
	| { readonly reserved: false; readonly shortage: Shortage; readonly roomAt?: number };

export interface TenantObjectApi {
	/** Takes room for a job that is about to be accepted, or run again. */
	reserve(request: ReservationRequest, quotas: Quotas): Promise<Reserved>;
	/** The job is over, and keeps `bytes` until `keptUntil`. */
	settle(name: string, bytes: number, keptUntil: number): Promise<void>;
	/** Nothing is kept. `keptUntil`: as was said to `settle`, if it was. */
	release(name: string, keptUntil?: number): Promise<void>;
}
