/**
 * The RPC interface of a tenant's object. During each deploy, calls cross versions for some seconds: only add optional fields,
 * and optional parameters at the end. Callers may repeat each call.
 */

import type { SystemJobSummary } from '../job/system-job-summary.ts';
import type { Allowance, AllowanceRequest, TopicQuotas, TopicShortage } from '../topic/allowance.ts';
import type { Quotas, Shortage, Wanted } from './quotas.ts';

export interface ReservationRequest extends Wanted {
	/** The reservation's name. Another call with the same name changes its bytes. */
	readonly name: string;
	/** The job's id. */
	readonly job: string;
}

export type Reserved =
	/** `acceptBy`: deadline for accepting the job, in milliseconds since the epoch. */
	| { readonly reserved: true; readonly bytes: number; readonly acceptBy: number }
	/** `roomAt`: latest time at which quota becomes free, if known, in milliseconds since the epoch. */
	| { readonly reserved: false; readonly shortage: Shortage; readonly roomAt?: number };

/** A topic's request for a share of the tenant's quota for topics. */
export interface TopicAllowanceRequest extends AllowanceRequest {
	readonly topic: string;
	readonly quotas: TopicQuotas;
}

export type Granted = { readonly allowance: Allowance } | { readonly shortage: TopicShortage };

/** A finished action. `name`, `bytes` and `keptUntil` as in `settle`. */
export interface ActionSettlement {
	readonly name: string;
	readonly bytes: number;
	readonly keptUntil: number;
	readonly summary: SystemJobSummary;
}

/** An action in the log. */
export interface LoggedAction extends SystemJobSummary {
	readonly id: string;
}

/** A position in the log, which is sorted by the time of creation. */
export type LogPosition = Pick<LoggedAction, 'createdAt' | 'id'>;

export interface ActionLogQuery {
	readonly limit: number;
	/** Only actions that are older. */
	readonly before?: LogPosition;
}

export interface ActionLogPage {
	/** The jobs of actions that are not known to have finished. */
	readonly unfinished: readonly string[];
	/** Newest first. */
	readonly finished: readonly LoggedAction[];
}

export interface TopicsQuery {
	readonly limit: number;
	/** Only names that sort after this one. */
	readonly after?: string;
}

export interface TenantObjectApi {
	/** Reserves quota for a job before it is accepted or retried. */
	reserve(request: ReservationRequest, quotas: Quotas): Promise<Reserved>;
	/** Records that the job is finished, and stores `bytes` until `keptUntil`. */
	settle(name: string, bytes: number, keptUntil: number): Promise<void>;
	/** Records that an action has finished: as `settle`, and in the log of actions. */
	settleAction(settlement: ActionSettlement): Promise<void>;
	readActionLog(query: ActionLogQuery): Promise<ActionLogPage>;
	/** Releases the reservation and its bytes. `keptUntil`: the value of an earlier `settle`, if any. */
	release(name: string, keptUntil?: number): Promise<void>;
	/** Gives a topic a larger share of the quota for topics. */
	grantAllowance(request: TopicAllowanceRequest): Promise<Granted>;
	/** Sets the share of a topic that needs less. */
	returnAllowance(topic: string, allowance: Allowance): Promise<void>;
	/** The names of the topics that have events or subscriptions, sorted. Each of them has a share. */
	listTopics(query: TopicsQuery): Promise<readonly string[]>;
}
