/**
 * One tenant's object: it counts the tenant's quota usage, and rejects a job or a topic that exceeds a quota. It exists only if a
 * deployment has quotas for jobs, or the tenant has topics. The rules are in `../quota/quotas.ts` and `../topic/allowance.ts`.
 *
 * A reservation is one turn of the event loop, without an `await` between check and write, so that concurrent requests
 * are handled one after the other. Room that was never released (a Worker died between two calls, a message was lost) is
 * recovered when room is short, by asking the jobs.
 */
import { DurableObject } from 'cloudflare:workers';
import { defined } from '../core/defined.ts';
import type { SystemJobSummary } from '../core/job/system-job-summary.ts';
import {
	CLEARING_INTERVAL_MS,
	MAX_UNFINISHED_LISTED,
	RESERVATION_MS,
	VERIFIED_AT_ONCE,
	VERIFY_INTERVAL_MS,
} from '../core/quota/limits.ts';
import { type Quotas, type Reservation, roomFor, verdictOn } from '../core/quota/quotas.ts';
import type {
	ActionLogPage,
	ActionLogQuery,
	ActionSettlement,
	Granted,
	ReservationRequest,
	Reserved,
	TenantObjectApi,
	TopicAllowanceRequest,
	TopicsQuery,
} from '../core/quota/tenant-api.ts';
import type { Allowance } from '../core/topic/allowance.ts';
import { Jobs } from '../rpc/jobs.ts';
import { withOwnObjects } from '../rpc/own-objects.ts';
import { ActionLog } from './action-log.ts';
import { Reservations } from './reservations.ts';
import { TopicShares } from './topic-shares.ts';

/** The bytes that a finished job keeps. */
interface Settlement {
	/** The reservation's name. */
	readonly name: string;
	readonly bytes: number;
	/** In milliseconds since the epoch. */
	readonly keptUntil: number;
	/** Of an action. */
	readonly summary?: SystemJobSummary | undefined;
}

export class TenantObject extends DurableObject<object> implements TenantObjectApi {
	readonly #jobs: Jobs;
	readonly #reservations: Reservations;
	readonly #topics: TopicShares;
	readonly #actions: ActionLog;
	/** One verification of the jobs serves all requests that wait for it. */
	#verification: Promise<boolean> | undefined;
	#verifiedAt = Number.NEGATIVE_INFINITY;
	/** The last reservation that was verified. */
	#lastVerified = '';
	#isAlarmSet = false;

	constructor(ctx: DurableObjectState, env: object) {
		super(ctx, env);
		this.#jobs = new Jobs(withOwnObjects(env, ctx).JOBS);
		this.#reservations = new Reservations(ctx.storage.sql);
		this.#topics = new TopicShares(ctx.storage.sql);
		this.#actions = new ActionLog(ctx.storage.kv);
	}

	async reserve(request: ReservationRequest, quotas: Quotas): Promise<Reserved> {
		const first = this.#take(request, quotas);
		if (first.reserved || !(await this.#verify())) return first;
		return this.#take(request, quotas);
	}

	async settle(name: string, bytes: number, keptUntil: number): Promise<void> {
		this.#settle({ name, bytes, keptUntil }, Date.now());
	}

	async settleAction({ summary, ...settlement }: ActionSettlement): Promise<void> {
		this.#settle({ ...settlement, summary }, Date.now());
	}

	/** Verifies the oldest unfinished actions first, so that the log has those whose report was lost. */
	async readActionLog(query: ActionLogQuery): Promise<ActionLogPage> {
		await this.#verify();
		const unfinished = this.#reservations.newestJobs(MAX_UNFINISHED_LISTED);
		return { unfinished, finished: this.#actions.newest(query) };
	}

	async release(name: string, keptUntil?: number): Promise<void> {
		this.#reservations.remove(name);
		if (keptUntil !== undefined) this.#reservations.dropKept(name, keptUntil);
	}

	async grantAllowance({ topic, needed, wanted, quotas }: TopicAllowanceRequest): Promise<Granted> {
		return this.#topics.grant({ topic, needed, wanted, quotas });
	}

	async returnAllowance(topic: string, allowance: Allowance): Promise<void> {
		this.#topics.set(topic, allowance);
	}

	async listTopics(query: TopicsQuery): Promise<readonly string[]> {
		return this.#topics.names(query);
	}

	/** Clears expired entries even if no further request arrives. */
	override async alarm(): Promise<void> {
		const now = Date.now();
		while (this.#reservations.dropExpired(now));
		this.#isAlarmSet = false;
		this.#clearLater(now);
	}

	#take({ name, job, ...wanted }: ReservationRequest, quotas: Quotas): Reserved {
		const now = Date.now();
		const before = this.#reservations.remove(name);
		this.#reservations.dropExpired(now);
		let room = roomFor(this.#reservations.usage, wanted, quotas);
		while ('quota' in room && this.#reservations.dropExpired(now))
			room = roomFor(this.#reservations.usage, wanted, quotas);
		if ('quota' in room) {
			if (before) this.#reservations.add(before);
			const roomAt = room.quota === 'stored-bytes' ? this.#reservations.firstExpiry() : undefined;
			return defined({ reserved: false, shortage: room, roomAt });
		}
		const heldUntil = before?.heldUntil ?? now + RESERVATION_MS;
		const areBytesCounted = quotas.maxStoredBytes !== undefined;
		this.#reservations.add({ name, job, heldUntil, ...(areBytesCounted && { bytes: room.bytes }) });
		return { reserved: true, bytes: room.bytes, acceptBy: heldUntil };
	}

	/** Ignores a job without a reservation: it was settled before, or was never counted. */
	#settle({ name, bytes, keptUntil, summary }: Settlement, now: number): void {
		const settled = this.#reservations.remove(name);
		if (settled && summary) this.#actions.add({ id: settled.job, ...summary });
		if (settled?.bytes === undefined || bytes === 0 || keptUntil <= now) return;
		this.#reservations.keep(name, bytes, keptUntil);
		this.#clearLater(now);
	}

	#clearLater(now: number): void {
		const expiry = this.#reservations.firstExpiry();
		if (this.#isAlarmSet || expiry === undefined) return;
		this.#isAlarmSet = true;
		void this.ctx.storage.setAlarm(Math.max(expiry, now) + CLEARING_INTERVAL_MS);
	}

	/** Verifies the next reservations. @returns whether that may have made room. */
	#verify(): Promise<boolean> {
		if (this.#verification) return this.#verification;
		const now = Date.now();
		if (now < this.#verifiedAt + VERIFY_INTERVAL_MS) return Promise.resolve(false);
		this.#verifiedAt = now;
		this.#verification = this.#verifyNext().finally(() => {
			this.#verification = undefined;
		});
		return this.#verification;
	}

	async #verifyNext(): Promise<boolean> {
		const portion = this.#reservations.after(this.#lastVerified, VERIFIED_AT_ONCE);
		this.#lastVerified = portion.length < VERIFIED_AT_ONCE ? '' : (portion.at(-1)?.name ?? '');
		const areOver = await Promise.all(portion.map((reservation) => this.#isOver(reservation)));
		return areOver.includes(true);
	}

	async #isOver(reservation: Reservation): Promise<boolean> {
		const { name, job } = reservation;
		// A job that can't be reached counts as existing.
		const answer = await this.#jobs
			.call(job, async (object) => ({ claim: await object.claim() }))
			.catch(() => undefined);
		const now = Date.now();
		const verdict = answer ? verdictOn(reservation, answer.claim, now) : 'keep';
		if (verdict === 'keep') return false;
		if (verdict === 'release') this.#reservations.remove(name);
		else this.#settle({ name, ...verdict, summary: answer?.claim?.summary }, now);
		return true;
	}
}
