/**
 * One topic's object: its face to the Worker. An event is appended to the log and told to the readers in one turn of the event
 * loop. Queue consumers serve the subscriptions, so the object can hibernate whenever it is idle.
 */
import { DurableObject } from 'cloudflare:workers';
import { ALARM_LAST_TRIES, MIN_ALARM_AHEAD_MS } from '../core/job/limits.ts';
import type { JobNews } from '../core/job/news.ts';
import { UNHEARD_MS } from '../core/list/limits.ts';
import type { CombinationCount, JobCounts, JobFilter, ListApi, ListPage, ListQuery } from '../core/list/list-api.ts';
import type { Position } from '../core/list/position.ts';
import {
	type Allowance,
	type AllowanceRequest,
	NO_ALLOWANCE,
	nextAllowance,
	shrunkAllowance,
} from '../core/topic/allowance.ts';
import { DEFAULT_RETENTION, TOPIC_IDLE_MS, TRIM_INTERVAL_MS } from '../core/topic/limits.ts';
import { JOBS_TOPIC } from '../core/topic/names.ts';
import type { Retention } from '../core/topic/retention.ts';
import type { DeliveryReport } from '../core/topic/subscription.ts';
import type {
	ConsumerClaim,
	DeliveryWork,
	EventPage,
	PageRequest,
	Publication,
	Published,
	SubscriptionChange,
	SubscriptionRequest,
	SubscriptionView,
	TopicObjectApi,
	TopicSettings,
} from '../core/topic/topic-api.ts';
import { lanesOf } from '../queue/lanes.ts';
import { Jobs } from '../rpc/jobs.ts';
import { withOwnObjects } from '../rpc/own-objects.ts';
import { Tenants } from '../rpc/tenants.ts';
import { firstAskAt, JobsTopic } from './jobs-topic.ts';
import { CLOSE, CLOSED_WITHOUT_CODE, CLOSED_WITHOUT_FRAME, closeQuietly } from './sockets.ts';
import { CALL_CHECK_MS, Subscriptions } from './subscriptions.ts';
import { type Append, type Appended, TopicLog } from './topic-log.ts';
import { TopicReaders } from './topic-readers.ts';
import { TopicRecords } from './topic-records.ts';

export class TopicObject extends DurableObject<object> implements TopicObjectApi, ListApi {
	readonly #tenants: Tenants;
	readonly #records: TopicRecords;
	readonly #log: TopicLog;
	readonly #readers: TopicReaders;
	readonly #subscriptions: Subscriptions;
	readonly #jobs: Jobs;
	/** Only the topic `jobs` has this part. It is opened by the first call that needs it. */
	#jobsTopic: JobsTopic | undefined;
	/** When that part must be woken, in milliseconds since the epoch. */
	#jobsAt = Number.POSITIVE_INFINITY;
	/** The time of the alarm, as far as this instance knows. */
	#alarmAt = Number.POSITIVE_INFINITY;

	constructor(ctx: DurableObjectState, env: object) {
		super(ctx, env);
		const { TENANTS, JOBS } = withOwnObjects(env, ctx);
		this.#tenants = new Tenants(TENANTS);
		this.#jobs = new Jobs(JOBS);
		this.#records = new TopicRecords(ctx.storage);
		this.#log = new TopicLog(ctx.storage);
		this.#readers = new TopicReaders(ctx);
		const parts = { id: ctx.id.toString(), storage: ctx.storage, lanes: lanesOf(env), log: this.#log };
		this.#subscriptions = new Subscriptions(parts);
		void ctx.blockConcurrencyWhile(() => this.#readAlarm());
	}

	/** An object that is called every 20 seconds may start anew for each call: none of them may put off the alarm of the one before. */
	async #readAlarm(): Promise<void> {
		this.#alarmAt = (await this.ctx.storage.getAlarm()) ?? Number.POSITIVE_INFINITY;
		if (this.#records.settings?.topic === JOBS_TOPIC) this.#jobsAt = this.#alarmAt;
	}

	// — events ——————————————————————————————————————————————————————————————————————————————————————————————————————

	async publish(publication: Publication): Promise<Published> {
		const { event, settings, id, idempotency, allowance, isUnlimited } = publication;
		const now = Date.now();
		this.#trim(now);
		const known = idempotency && this.#log.find(idempotency.key);
		if (known) {
			const isReplay = known.digest === idempotency?.digest;
			return isReplay ? { published: true, seq: known.seq, isReplay } : { published: false, reason: 'key-reused' };
		}
		const seq = publication.isRepeat && this.#log.findPublication(id);
		if (seq) return { published: true, seq, isReplay: false };
		const append = { events: [event], id, idempotency, now };
		const own = allowance ?? this.#records.allowance;
		const request = isUnlimited ? undefined : this.#missingAllowance(own, { ...append, retention: settings.retention });
		if (request) return { published: false, reason: 'no-allowance', request };
		this.#records.keep(settings, own);
		const { first } = this.#append(append, settings);
		return { published: true, seq: first, isReplay: false };
	}

	async readEvents({ after, limit, filter }: PageRequest): Promise<EventPage> {
		this.#trim(Date.now());
		return this.#log.after(after, { events: limit, filter });
	}

	async lastSeq(): Promise<number> {
		return this.#log.last;
	}

	/** Every event of the topic goes through here, whoever publishes it. There is no `await` in it. */
	#append(append: Omit<Append, 'retention'>, { retention }: TopicSettings): Appended {
		const appended = this.#log.append({ ...append, retention });
		this.#announce(appended, retention, append.now);
		return appended;
	}

	#announce(appended: Appended, retention: Retention, now: number): void {
		const isFirst = this.#log.first === appended.first;
		const isTrimmed = this.#log.trim(now, retention, this.#jobsTopic?.storedAt(now));
		this.#readers.announce(appended);
		if (isTrimmed || appended.opensSegment) this.#readers.tellPlace(this.#log.last);
		const isAnyCalled = this.#subscriptions.announce(appended.lines, now);
		// Later appends find the alarm set, because it is set again as long as there are events.
		if (isFirst) this.#setAlarm(now);
		else if (isAnyCalled) this.#setAlarmBy(now + CALL_CHECK_MS);
	}

	#missingAllowance(own: Allowance, append: Append): AllowanceRequest | undefined {
		const used = this.#log.usage;
		const { retainBytes } = append.retention;
		const bytes = Math.min(used.bytes + this.#log.sizeOf(append), retainBytes);
		return nextAllowance(own, { bytes, events: used.events + 1 }, retainBytes);
	}

	#trim(now: number): void {
		const { settings } = this.#records;
		if (!settings) return;
		const keepAfter = settings.topic === JOBS_TOPIC ? this.#openJobsTopic().storedAt(now) : undefined;
		if (this.#log.trim(now, settings.retention, keepAfter)) this.#readers.tellPlace(this.#log.last);
	}

	// — the list of jobs ————————————————————————————————————————————————————————————————————————————————————————————

	async tell(news: readonly JobNews[], retention?: Retention): Promise<void> {
		const now = Date.now();
		const [first] = news;
		if (!first) return;
		const settings = this.#jobsSettings(first.tenant, retention);
		this.#records.keep(settings);
		const jobsTopic = this.#openJobsTopic();
		const { isAnyUnfinished, doubtful } = jobsTopic.tell(news, now);
		if (isAnyUnfinished) this.#lookAfterJobs(now);
		if (doubtful.length === 0) return;
		const asked = await jobsTopic.ask(doubtful);
		if (asked.isAnyUnfinished) this.#lookAfterJobs(now);
		// The caller tells it again, or the job itself does.
		if (asked.unreachable > 0) throw new Error(`${asked.unreachable} jobs of late news could not be asked`);
	}

	#lookAfterJobs(now: number): void {
		this.#jobsAt = Math.min(this.#jobsAt, firstAskAt(now));
		this.#setAlarmBy(this.#jobsAt);
	}

	async listJobs(query: ListQuery): Promise<ListPage> {
		const now = Date.now();
		return this.#openJobsTopic().page(query, now);
	}

	async countJobs(filter: JobFilter): Promise<JobCounts> {
		const now = Date.now();
		return (await this.#openJobsTopic().counted(filter, now)).counts;
	}

	async countCombinations(filter: JobFilter): Promise<readonly CombinationCount[]> {
		const now = Date.now();
		return (await this.#openJobsTopic().counted(filter, now)).byCombination;
	}

	/** A job's object does not know the settings. */
	#jobsSettings(tenant: string, retention = this.#retention): TopicSettings {
		return { tenant, topic: JOBS_TOPIC, retention };
	}

	#openJobsTopic(): JobsTopic {
		this.#jobsTopic ??= new JobsTopic({
			storage: this.ctx.storage,
			jobs: this.#jobs,
			log: {
				after: (position) => this.#log.extrasAfter(position),
				append: (news, now) => this.#log.append({ ...news, now, retention: this.#retention }),
				announce: (appended, now) => this.#announce(appended, this.#retention, now),
				reload: () => this.#log.reload(),
			},
		});
		return this.#jobsTopic;
	}

	get #retention(): Retention {
		return this.#records.settings?.retention ?? DEFAULT_RETENTION;
	}

	// — subscriptions ———————————————————————————————————————————————————————————————————————————————————————————————

	async putSubscription(request: SubscriptionRequest): Promise<SubscriptionChange> {
		const { settings, allowance, isUnlimited, ...terms } = request;
		const now = Date.now();
		this.#trim(now);
		const own = allowance ?? this.#records.allowance;
		// A topic that has only subscriptions takes a share, too: a tenant's topics are never without a limit.
		const { retainBytes } = settings.retention;
		const missing = isUnlimited ? undefined : nextAllowance(own, { bytes: 1, events: 1 }, retainBytes);
		if (missing) return { done: false, reason: 'no-allowance', request: missing };
		const put = this.#subscriptions.put(terms, now);
		if (!put) return { done: false, reason: 'too-many' };
		this.#records.keep(settings, own);
		this.#setAlarmBy(now + CALL_CHECK_MS);
		return { done: true, ...put };
	}

	async listSubscriptions(): Promise<readonly SubscriptionView[]> {
		return this.#subscriptions.list();
	}

	async deleteSubscription(name: string): Promise<boolean> {
		return this.#subscriptions.remove(name);
	}

	async startDelivery(claim: ConsumerClaim): Promise<DeliveryWork> {
		const { settings } = this.#records;
		return settings ? this.#subscriptions.start(claim, settings, Date.now()) : { type: 'nothing' };
	}

	async reportDelivery(claim: ConsumerClaim, report: DeliveryReport, wantsMore: boolean): Promise<DeliveryWork> {
		const { settings } = this.#records;
		const result = { report, wantsMore, now: Date.now() };
		return settings ? this.#subscriptions.report(claim, settings, result) : { type: 'nothing' };
	}

	// — readers —————————————————————————————————————————————————————————————————————————————————————————————————————

	/** Called by this Worker only, for a reader's socket. */
	override async fetch(request: Request): Promise<Response> {
		const { searchParams: query } = new URL(request.url);
		const after = query.get('after');
		const filter = { types: query.getAll('type'), correlationId: query.get('correlationId') ?? undefined };
		this.#trim(Date.now());
		return this.#readers.open(this.#log, {
			after: after === null ? undefined : Number(after),
			isBatched: query.get('frames') === 'batch',
			isPlaced: query.has('place'),
			filter: filter.types.length > 0 ? filter : { correlationId: filter.correlationId },
		});
	}

	override webSocketMessage(socket: WebSocket): void {
		closeQuietly(socket, CLOSE.unexpectedMessage, 'unexpected message: only "ping" is accepted');
	}

	override webSocketClose(socket: WebSocket, code: number): void {
		const isSendable = code !== CLOSED_WITHOUT_CODE && code !== CLOSED_WITHOUT_FRAME;
		closeQuietly(socket, isSendable ? code : CLOSE.done, 'closed by the client');
	}

	// — time ————————————————————————————————————————————————————————————————————————————————————————————————————————

	/** Sends lost messages again, deletes expired events of a topic that gets no new ones, and at last the topic itself. */
	override async alarm(info?: AlarmInvocationInfo): Promise<void> {
		const now = Date.now();
		this.#alarmAt = Number.POSITIVE_INFINITY;
		// Before storage is read, which may be what fails.
		if ((info?.retryCount ?? 0) >= ALARM_LAST_TRIES) return this.ctx.storage.setAlarm(now + UNHEARD_MS.max);
		const unheard = this.#wakeJobsTopic(now);
		this.#trim(now);
		const isEmpty = this.#log.usage.events === 0 && (this.#jobsTopic?.isEmptyAt(now) ?? true);
		this.#records.noteEmpty(isEmpty ? now : undefined);
		const { settings, emptySince = now } = this.#records;
		const isIdle = this.#subscriptions.isEmpty && now >= emptySince + TOPIC_IDLE_MS;
		if (!settings || isIdle) return this.#forget();
		const sent = this.#subscriptions.sendLost(now);
		this.#setAlarm(now);
		await Promise.all([sent, this.#giveBack(settings), this.#jobsTopic?.ask(unheard)]);
	}

	/** @returns the jobs to ask. */
	#wakeJobsTopic(now: number): readonly Position[] {
		if (this.#records.settings?.topic !== JOBS_TOPIC) return [];
		const jobsTopic = this.#openJobsTopic();
		const { unheard, nextAt } = jobsTopic.wake(now);
		this.#jobsAt = nextAt;
		// The log may be about to lose rows that the list does not have.
		const { settings } = this.#records;
		const expiryAt = settings && this.#log.nextExpiry(settings.retention);
		if (expiryAt !== undefined && expiryAt <= now + TRIM_INTERVAL_MS) jobsTopic.checkpoint(now);
		return unheard;
	}

	#setAlarm(now: number): void {
		const { settings, emptySince } = this.#records;
		const expiryAt = settings && this.#log.nextExpiry(settings.retention);
		const isForgettable = emptySince !== undefined && this.#subscriptions.isEmpty;
		// Without events, the list and the subscriptions know when they need the alarm.
		const idleAt = isForgettable ? emptySince + TOPIC_IDLE_MS : now + TOPIC_IDLE_MS;
		const trimAt = Math.max(expiryAt ?? idleAt, now + TRIM_INTERVAL_MS);
		const nextAt = Math.min(trimAt, this.#jobsAt, this.#subscriptions.nextCheckAt(now));
		this.#alarmAt = Math.max(now + MIN_ALARM_AHEAD_MS, nextAt);
		void this.ctx.storage.setAlarm(this.#alarmAt);
	}

	/** Sets the alarm, unless an earlier one is known. */
	#setAlarmBy(at: number): void {
		if (this.#alarmAt <= at) return;
		this.#alarmAt = at;
		void this.ctx.storage.setAlarm(at);
	}

	/** Gives the part of the tenant's quota back that the topic no longer needs. */
	async #giveBack({ tenant, topic }: TopicSettings): Promise<void> {
		const smaller = shrunkAllowance(this.#records.allowance, this.#log.usage);
		if (!smaller) return;
		this.#records.keepAllowance(smaller);
		await this.#tenants.returnAllowance(tenant, topic, smaller);
	}

	/** The next call may come before the object leaves memory: nothing in it may count on what was deleted. */
	async #forget(): Promise<void> {
		const returned = this.#returnShare();
		this.#records.forget();
		this.#jobsTopic = undefined;
		await this.ctx.storage.deleteAll();
		this.#log.reload();
		await returned;
	}

	/** Once more, because an earlier call may be lost: then the tenant's list of topics would have this one for ever, and count its share. */
	async #returnShare(): Promise<void> {
		const { settings } = this.#records;
		if (!settings || settings.topic === JOBS_TOPIC || !this.#tenants.isBound) return;
		await this.#tenants.returnAllowance(settings.tenant, settings.topic, NO_ALLOWANCE);
	}
}
