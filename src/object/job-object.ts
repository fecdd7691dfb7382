/**
 * One job's object. It stores the job's record, and holds the sockets of its watchers, waiters and attempt.
 *
 * Memory is a copy: state that must survive is written before any response. Only progress since the last write may be
 * lost, and even that is kept in the attachment of the attempt's socket. The object never runs a task and sets no timer,
 * and it makes no calls except to send its messages and to update its tenant's object. It can therefore hibernate
 * whenever it is idle.
 *
 * Every change goes through `#apply`: load, advance, transition, save, then effects. There is no `await` in it.
 */
import { defined } from '../core/defined.ts';
import { advanceOnce } from '../core/job/advance.ts';
import { isLookDue, nextAlarmAt } from '../core/job/alarm.ts';
import {
	type BareEvent,
	eventAt,
	eventsAfter,
	type JobFacts,
	jobFacts,
	progressEvent,
	snapshot,
} from '../core/job/document.ts';
import { documentTag } from '../core/job/document-tag.ts';
import { readableUntil } from '../core/job/expiry.ts';
import { accepted, nextProgressAt, type Submission } from '../core/job/lifecycle.ts';
import {
	ALARM_GIVE_UP_MS,
	ALARM_LAST_TRIES,
	MS_PER_SECOND,
	UPLOAD_LEASE_MS,
	WEBHOOK_TIMEOUT_MS,
} from '../core/job/limits.ts';
import type { LinkBase } from '../core/job/links.ts';
import { awaitedMessage } from '../core/job/message.ts';
import type {
	Acceptance,
	AcceptTerms,
	ArgumentsOf,
	Asking,
	Change,
	ChunkKey,
	DueDelivery,
	EventsReading,
	JobObjectApi,
	JobView,
	Lease,
	Nothing,
	Outcome,
	Reading,
	Report,
	RetryTerms,
	Start,
} from '../core/job/object-api.ts';
import { type QuotaUsage, quotaUsage, quotaUsageNews, uploadsOf } from '../core/job/quota-usage.ts';
import { isVisibleTo, type Reader } from '../core/job/reader.ts';
import { LEGACY_READER_HEADER, READER_HEADER } from '../core/job/reader-header.ts';
import {
	ALONE_LANE,
	type Fence,
	fenceOf,
	isCurrent,
	isFinal,
	type JobRecord,
	laneOf,
	type Progress,
	type StoredInput,
} from '../core/job/record.ts';
import { liveProgressOf, numberedUntil, recover } from '../core/job/recover.ts';
import { isRepeat } from '../core/job/repeat.ts';
import { type Command, type Transition, transition } from '../core/job/transition.ts';
import { upstreamHintOf } from '../core/job/upstream.ts';
import { lateDeliveries, messageId, pendingDeliveries, type Try } from '../core/job/webhook.ts';
import { type Lanes, lanesOf } from '../queue/lanes.ts';
import { sendDelivery, sendJob } from '../queue/send.ts';
import { Tenants } from '../rpc/tenants.ts';
import { JobCalls010 } from './calls-010.ts';
import { CLOSE, closeQuietly, JobSockets, type LongPollGoal } from './sockets.ts';
import { JobStore } from './store.ts';

/** The reader of a socket, with the base of its links. */
interface SocketReader extends Reader {
	readonly base: LinkBase;
}

/** Maximum duration of a delivery try, report included. */
const CLAIM_MS = WEBHOOK_TIMEOUT_MS + 5 * MS_PER_SECOND;

export class JobObject extends JobCalls010 implements JobObjectApi {
	readonly #id: string;
	readonly #store: JobStore;
	readonly #sockets: JobSockets;
	readonly #lanes: Lanes;
	readonly #tenants: Tenants;
	/** Deliveries in progress, and when each claim expires. Losing this costs a duplicate call. */
	readonly #deliveriesInProgress = new Map<number, number>();
	/** Uploads without a fence, and the time of their last chunk. Losing an entry costs a repeated upload. */
	readonly #uploads = new Map<string, number>();
	/** When a Worker will call `tell` to announce pending progress. Losing this costs a duplicate call. */
	#toldBy = 0;
	/** The newest progress that was delivered to the webhook. Losing this costs a duplicate call with the same id. */
	#toldProgressSeq = 0;
	/** The job as of the last turn of the event loop; `null` when storage holds none, `undefined` before it was loaded. */
	#job: JobRecord | null | undefined;
	/** A progress event with a higher number must be written, or a reset would use its number again. */
	#numberedUntil = 0;

	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		this.#id = ctx.id.toString();
		this.#store = new JobStore(ctx.storage);
		this.#sockets = new JobSockets(ctx);
		this.#lanes = lanesOf(env);
		this.#tenants = new Tenants(env.TENANTS);
	}

	// — clients —————————————————————————————————————————————————————————————————————————————————————————————————————

	async accept(submission: Submission, { acceptBy, isReplayOnly }: AcceptTerms = {}): Promise<Acceptance> {
		const now = Date.now();
		const existing = this.#current(now);
		// Two tenants never share an id. If they ever did, this check would keep their jobs apart.
		if (existing && existing.tenant !== submission.tenant) return { accepted: false, reason: 'key-reused' };
		if (existing && existing.state.name !== 'tombstone') {
			const isSameRequest = existing.submission === submission.submission;
			if (!isSameRequest && !isRepeat(existing, submission)) return { accepted: false, reason: 'key-reused' };
			return { accepted: true, view: jobView(this.#id, existing, now), isReplay: !isSameRequest };
		}
		if (isReplayOnly) return { accepted: false, reason: 'no-room' };
		const isLate = acceptBy !== undefined && now > acceptBy;
		if (isLate || !this.#isThere(submission.input)) return { accepted: false, reason: 'upload-lost' };
		// A key can be used again once its job has expired. The new job erases the remains of the old one, and continues its
		// epochs and event numbers. This also applies if the tombstone has expired and only the alarm is late.
		const left = this.#job ?? undefined;
		const job = accepted(submission, now, left);
		if (left) this.#store.deleteChunksExcept(uploadsOf(job));
		// Without an idempotency key, only this submission can have uploaded to this id.
		else if (job.fingerprint === undefined && uploadsOf(job).length === 0) this.#store.knowsNoChunks();
		// The upload is complete: from here on, the record determines how long it is kept.
		for (const upload of uploadsOf(job)) this.#uploads.delete(upload);
		this.#commit(job, left, now);
		return { accepted: true, view: jobView(this.#id, job, now), isReplay: false };
	}

	async readJob(reader: Reader, { withOutcome = false }: { withOutcome?: boolean } = {}): Promise<Reading> {
		const now = Date.now();
		const job = this.#visible(reader, now);
		if (!job) return NOTHING;
		if (job.state.name === 'tombstone') return { found: 'tombstone', reason: job.state.reason };
		const outcome = withOutcome ? storedOutcome(job) : undefined;
		return { ...this.#readingOf(job, now), ...(outcome && { outcome }) };
	}

	#readingOf(job: JobRecord, now: number): Extract<Reading, { found: 'job' }> {
		return { found: 'job', view: jobView(this.#id, job, now) };
	}

	async readEvents(reader: Reader, { after }: { after: number }): Promise<EventsReading> {
		const now = Date.now();
		const job = this.#visible(reader, now);
		if (!job) return NOTHING;
		if (job.state.name === 'tombstone') return { found: 'tombstone', reason: job.state.reason };
		return { events: eventsAfter(this.#id, job, after, now), view: jobView(this.#id, job, now) };
	}

	async cancelJob(reader: Reader): Promise<Change> {
		return this.#change(reader, { type: 'cancel' });
	}

	async retryJob(reader: Reader, { reservation, acceptBy }: RetryTerms = {}): Promise<Change> {
		return this.#change(reader, defined({ type: 'retry', reservation, acceptBy }));
	}

	async purgeJob(reader: Reader): Promise<Change> {
		return this.#change(reader, { type: 'purge' });
	}

	async claim(): Promise<QuotaUsage | undefined> {
		const job = this.#current(Date.now());
		return job && quotaUsage(job);
	}

	// — the attempt —————————————————————————————————————————————————————————————————————————————————————————————————

	async startAttempt({ isShared = false, ...start }: ArgumentsOf<'start'>): Promise<Start> {
		const now = Date.now();
		// A deployment without this lane runs such jobs with the others.
		const mustShare = !this.#lanes.has(ALONE_LANE);
		const dueAt = dueAtOf(this.#current(now));
		const result = this.#apply({ ...start, type: 'start', isShared: isShared && !mustShare }, now);
		if (result === undefined) return { started: false, refusal: 'gone' };
		const { job, refusal } = result;
		const { state } = job;
		if (refusal !== undefined || state.name !== 'running') {
			const isEarly = refusal === 'early' && state.name === 'pending';
			const wait = isEarly ? { waitMs: state.notBefore - now, lane: laneOf(job) } : {};
			return { started: false, refusal: refusal ?? 'stale', ...wait };
		}
		const lease = leaseOf(job, state.leaseEndsAt);
		return { started: true, lease: { ...lease, ...(dueAt !== undefined && { waitedMs: now - dueAt }) } };
	}

	async deferAttempt(deferral: ArgumentsOf<'defer'>): Promise<Report> {
		return this.#report({ ...deferral, type: 'defer' });
	}

	async reportProgress(progress: ArgumentsOf<'progress'>): Promise<Report> {
		const now = Date.now();
		const report = this.#report({ ...progress, type: 'progress' });
		const job = this.#job;
		const isToBeTold = report.refusal === undefined && job?.isUntold && now >= this.#toldBy;
		if (!isToBeTold || !this.#sockets.hasAudience()) return report;
		this.#toldBy = nextProgressAt(job);
		return { ...report, tellInMs: Math.max(0, this.#toldBy - now) };
	}

	async tell(): Promise<void> {
		this.#current(Date.now());
	}

	async waitForWorker(wait: ArgumentsOf<'wait'>): Promise<Report> {
		return this.#report({ ...wait, type: 'wait' });
	}

	async followOperation(operation: ArgumentsOf<'follow'>): Promise<Report> {
		return this.#report({ ...operation, type: 'follow' });
	}

	async startPoll(poll: ArgumentsOf<'ask'>): Promise<Asking> {
		const result = this.#apply({ ...poll, type: 'ask' }, Date.now());
		if (!result) return { asking: false, refusal: 'gone' };
		const { job, refusal } = result;
		const waiting = job.state.name === 'running' ? job.state.waiting : undefined;
		if (refusal !== undefined || job.state.name !== 'running' || !waiting?.following)
			return { asking: false, refusal: refusal ?? 'stale' };
		const { following, since } = waiting;
		return { asking: true, lease: leaseOf(job, job.state.leaseEndsAt), following, since };
	}

	async continuePolling(answer: ArgumentsOf<'asked'>): Promise<Report> {
		return this.#report({ ...answer, type: 'asked' });
	}

	async completeAttempt(completion: ArgumentsOf<'complete'>): Promise<Report> {
		return this.#report({ ...completion, type: 'complete' });
	}

	async failAttempt(failing: ArgumentsOf<'fail'>): Promise<Report> {
		return this.#report({ ...failing, type: 'fail', random: Math.random() });
	}

	async deadLetter(epoch: number): Promise<Report> {
		return this.#report({ type: 'deadLetter', epoch });
	}

	// — webhooks ————————————————————————————————————————————————————————————————————————————————————————————————————

	async delivery(seq: number): Promise<DueDelivery | undefined> {
		const now = Date.now();
		const job = this.#current(now);
		if (!job?.webhook || job.state.name === 'tombstone') return undefined;
		const { url, format, origin } = job.webhook;
		const { tenant } = job;
		const due = { webhook: { url, format, origin }, tenant, readableUntil: readableUntil(job) };
		const delivery = pendingDeliveries(job).find((candidate) => candidate.seq === seq);
		if (!delivery) {
			const event = this.#untoldProgress(job, now);
			return event && { ...due, event, messageId: messageId(this.#id, job, event.seq), waitMs: 0, isTracked: false };
		}
		const event = eventAt(this.#id, job, seq, now);
		// Two messages for one delivery: the second does nothing.
		if (!event || (this.#deliveriesInProgress.get(seq) ?? 0) > now) return undefined;
		const waitMs = Math.max(0, (delivery.nextAttemptAt ?? now) - now);
		if (waitMs === 0) this.#deliveriesInProgress.set(seq, now + CLAIM_MS);
		const attempt = delivery.attempt + 1;
		return { ...due, event, messageId: messageId(this.#id, job, seq), attempt, waitMs, isTracked: true };
	}

	/**
	 * Returns the newest progress, unless it was delivered. A late message delivers it too, since otherwise none might be
	 * delivered.
	 */
	#untoldProgress(job: JobRecord, now: number): BareEvent | undefined {
		const isProgress = job.state.name === 'running' && job.seq > (job.history.at(-1)?.seq ?? 0);
		if (!isProgress || !job.webhook?.events.includes('progress') || job.seq <= this.#toldProgressSeq) return undefined;
		this.#toldProgressSeq = job.seq;
		return progressEvent(this.#id, job, now);
	}

	async delivered(seq: number, made: Try): Promise<Report> {
		const now = Date.now();
		this.#deliveriesInProgress.delete(seq);
		const result = this.#apply({ type: 'delivered', seq, made, random: Math.random() }, now);
		if (!result) return { refusal: 'gone' };
		const next = pendingDeliveries(result.job).find((delivery) => delivery.seq === seq)?.nextAttemptAt;
		return next === undefined ? {} : { retryInMs: Math.max(0, next - now) };
	}

	// — bytes ———————————————————————————————————————————————————————————————————————————————————————————————————————

	async writeChunk(key: ChunkKey, bytes: Uint8Array, fence?: Fence): Promise<Report> {
		const now = Date.now();
		const job = this.#current(now);
		if (fence) {
			const isHeld = job?.state.name === 'running' && isCurrent(job, fence);
			if (!isHeld) return { refusal: 'stale' };
		} else {
			this.#keepUpload(key.upload, job, now);
		}
		this.#store.writeChunk(key, bytes);
		return {};
	}

	/**
	 * Sets the alarm that erases an upload without a submission. The alarm must not erase an upload that is still arriving.
	 */
	#keepUpload(upload: string, job: JobRecord | undefined, now: number): void {
		this.#uploads.set(upload, now);
		if (job) this.#store.setAlarmBy(Math.min(nextAlarmAt(job, now), now + UPLOAD_LEASE_MS));
		else this.#store.keepAlarmWithin(now + UPLOAD_LEASE_MS / 2, now + UPLOAD_LEASE_MS);
	}

	/** Whether an upload is arriving. A job may expire while the input of the next job of its key arrives. */
	#isUploading(now: number): boolean {
		return [...this.#uploads.values()].some((at) => isOnItsWay(at, now));
	}

	/** Erases chunks that no record refers to. @returns whether some are left because their upload may still be arriving. */
	#sweep(job: JobRecord, now: number): boolean {
		for (const [upload, at] of this.#uploads) if (!isOnItsWay(at, now)) this.#uploads.delete(upload);
		const named = uploadsOf(job);
		// The record refers to a running attempt's result only once it is complete. When the job ends, all other chunks are
		// erased.
		if (job.state.name !== 'running') this.#store.deleteChunksExcept([...named, ...this.#uploads.keys()]);
		return this.#store.hasChunksExcept(named);
	}

	async readChunk(key: ChunkKey): Promise<Uint8Array | undefined> {
		return this.#store.readChunk(key);
	}

	/** Checks the first chunk only: an upload is erased as a whole. */
	#isThere(input: StoredInput | undefined): boolean {
		return !input || !('upload' in input) || this.#store.readChunk({ upload: input.upload, index: 0 }) !== undefined;
	}

	async discardUpload(upload: string, chunks: number): Promise<void> {
		const job = this.#current(Date.now());
		if (job && uploadsOf(job).includes(upload)) return;
		this.#uploads.delete(upload);
		for (let index = 0; index < chunks; index++) this.#store.deleteChunk({ upload, index });
	}

	// — sockets —————————————————————————————————————————————————————————————————————————————————————————————————————

	/**
	 * Called by this Worker only: `/watch` for readers of every event, `/wait` for readers that wait for the job's next
	 * change or end, `/attempt` for the running attempt.
	 */
	override async fetch(request: Request): Promise<Response> {
		const url = new URL(request.url);
		if (url.pathname === '/attempt') return this.#attach(url);
		const reader = JSON.parse(
			request.headers.get(READER_HEADER) ?? request.headers.get(LEGACY_READER_HEADER) ?? '',
		) as SocketReader;
		const now = Date.now();
		const job = this.#visible(reader, now);
		if (!job) return new Response(null, { status: 404 });
		if (job.state.name === 'tombstone') {
			return new Response(null, { status: 410, headers: { 'coatcheck-reason': job.state.reason } });
		}
		return url.pathname === '/wait' ? this.#wait(job, url, now) : this.#watch(job, reader.base, url, now);
	}

	/** Responds at once if the awaited change has happened; otherwise over a socket, when it happens. */
	#wait(job: JobRecord, url: URL, now: number): Response {
		const until: LongPollGoal = url.searchParams.get('until') === 'change' ? 'change' : 'end';
		const reading = this.#readingOf(job, now);
		const isNews = until === 'change' && !isKnown(reading.view.facts, url.searchParams);
		const isSettled = isFinal(job.state) && (until === 'end' || pendingDeliveries(job).length === 0);
		// At the limit of watchers, the client gets its response at once, and polls.
		if (isNews || isSettled || !this.#sockets.makeRoom(now)) return Response.json(reading);
		const { 0: client, 1: server } = new WebSocketPair();
		this.#sockets.addWaiter(server, until);
		return new Response(null, { status: 101, webSocket: client });
	}

	#watch(job: JobRecord, base: LinkBase, url: URL, now: number): Response {
		const after = url.searchParams.get('after');
		const isOver = isFinal(job.state);
		const isFresh = after === null && !isOver;
		const events = isFresh ? [snapshot(this.#id, job, now)] : eventsAfter(this.#id, job, Number(after ?? 0), now);
		// No events are left, so no socket is needed. A cursor beyond the last event has all of them, too.
		if (isOver && (events.length === 0 || Number(after ?? 0) > job.seq)) return new Response(null, { status: 204 });
		if (!isOver && !this.#sockets.makeRoom(now)) return new Response(null, { status: 503 });
		const { 0: client, 1: server } = new WebSocketPair();
		this.#sockets.addWatcher(server, { ...base, flags: storedFlags(job) }, events);
		if (isOver) closeQuietly(server, CLOSE.done, 'the job has finished');
		return new Response(null, { status: 101, webSocket: client });
	}

	#attach(url: URL): Response {
		const createdAt = url.searchParams.get('createdAt');
		const fence: Fence = {
			epoch: Number(url.searchParams.get('epoch')),
			attempt: Number(url.searchParams.get('attempt')),
			...(createdAt !== null && { createdAt: Number(createdAt) }),
		};
		const job = this.#current(Date.now());
		const { 0: client, 1: server } = new WebSocketPair();
		const isHeld = job?.state.name === 'running' && isCurrent(job, fence);
		this.#sockets.addAttempt(server, isHeld ? liveProgressOf(job) : { ...fence, seq: 0 });
		if (!isHeld) this.#sockets.abort(fence, 'stale');
		else if (job.state.name === 'running' && job.state.canceling) this.#sockets.abort(fence, 'canceled');
		return new Response(null, { status: 101, webSocket: client });
	}

	override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
		if (!this.#sockets.isAttempt(socket) || typeof message !== 'string') {
			closeQuietly(socket, CLOSE.unexpectedMessage, 'unexpected message: only "ping" is accepted');
			return;
		}
		const { fence, progress } = JSON.parse(message) as { fence: Fence; progress: Progress };
		const result = this.#apply({ type: 'progress', fence, progress }, Date.now());
		const refusal = result === undefined ? 'gone' : result.refusal;
		if (refusal !== undefined) this.#sockets.abort(fence, refusal === 'canceled' ? 'canceled' : 'stale');
	}

	override webSocketClose(socket: WebSocket, code: number): void {
		// 1005 and 1006 mean that there was no close code. They can't be sent.
		closeQuietly(socket, code === 1005 || code === 1006 ? CLOSE.done : code, 'closed by the client');
	}

	// — the alarm ———————————————————————————————————————————————————————————————————————————————————————————————————

	override async alarm(info?: AlarmInvocationInfo): Promise<void> {
		const now = Date.now();
		this.#store.alarmFired();
		if ((info?.retryCount ?? 0) >= ALARM_LAST_TRIES) return this.#store.setAlarm(now + ALARM_GIVE_UP_MS);
		const job = this.#current(now);
		if (job === undefined)
			return this.#job && this.#isUploading(now) ? this.#store.setAlarm(now + UPLOAD_LEASE_MS) : this.#forget();
		const isMessageDue = isLookDue(job, now);
		const late = lateDeliveries(job, now);
		const woken = isMessageDue ? this.#apply({ type: 'wake' }, now) : undefined;
		const redelivered = late.length > 0 ? this.#apply({ type: 'redeliver', seqs: late }, now) : undefined;
		// Set before the messages are sent, so that the object checks again even if sending fails.
		const nextAt = nextAlarmAt((redelivered ?? woken)?.job ?? job, now);
		this.#store.setAlarmBy(this.#sweep(job, now) ? Math.min(nextAt, now + UPLOAD_LEASE_MS) : nextAt);
		await Promise.all([this.#sendAgain(woken), this.#redeliver(redelivered, late)]);
	}

	async #sendAgain(woken: Transition | undefined): Promise<void> {
		if (!woken?.effects.some(({ type }) => type === 'enqueue')) return;
		const message = awaitedMessage(this.#id, woken.job);
		if (message) await sendJob(this.#lanes, laneOf(woken.job), message);
	}

	async #redeliver(redelivered: Transition | undefined, seqs: readonly number[]): Promise<void> {
		if (!redelivered) return;
		const still = pendingDeliveries(redelivered.job).filter(({ seq }) => seqs.includes(seq));
		await Promise.all(still.map(({ seq }) => sendDelivery(this.#lanes, { v: 1, id: this.#id, seq })));
	}

	/** Erases everything: the job has expired, or only an unfinished upload existed. */
	async #forget(): Promise<void> {
		this.#job = null;
		this.#toldProgressSeq = 0;
		this.#sockets.announce([], true);
		this.#sockets.dismiss();
		await this.#store.deleteAll();
	}

	// — changes ————————————————————————————————————————————————————————————————————————————————————————————————————

	/** Applies a command. Returns `undefined` if there is no job. */
	#apply(command: Command, now: number): Transition | undefined {
		const before = this.#current(now);
		if (!before) return undefined;
		const result = transition(before, command, now);
		if (result.job !== before) this.#commit(result.job, before, now, result.volatile);
		for (const effect of result.effects) {
			if (effect.type === 'abort') this.#sockets.abort(effect.fence, 'canceled');
		}
		return result;
	}

	/** Returns the job at `now`, after all changes that time alone makes. */
	#current(now: number): JobRecord | undefined {
		if (this.#job === undefined) {
			const stored = this.#store.load();
			this.#numberedUntil = stored ? numberedUntil(stored) : 0;
			this.#job = stored ? recover(stored, this.#sockets.liveProgress()) : null;
		}
		// Step by step, so that watchers get an event for each change, including an end long ago.
		while (this.#job) {
			const before: JobRecord = this.#job;
			const job = advanceOnce(before, now, Math.random());
			if (job === undefined) return undefined;
			if (job === before) return job;
			// A step that keeps the state only announces progress.
			this.#commit(job, before, now, job.state === before.state && job.unwritten === before.unwritten);
		}
		return undefined;
	}

	/**
	 * Writes a job and notifies its watchers and waiters. All writes are in one turn of the event loop, so they are durable
	 * together or not at all.
	 */
	#commit(job: JobRecord, before: JobRecord | undefined, now: number, isVolatile = false): void {
		this.#job = job;
		const isOver = isFinal(job.state) || job.state.name === 'tombstone';
		// An expired tombstone is about to be erased: writing it would cost a row and an alarm.
		const isErasable = job.state.name === 'tombstone' && now >= job.state.goneAt;
		const isWritten = !isErasable && (!isVolatile || job.seq > this.#numberedUntil);
		if (isWritten) this.#write(job, before, now, isOver);
		if (isWritten || isErasable)
			for (const news of quotaUsageNews(job, before, now)) void this.#tenants.tell(job.tenant, news);
		if (job.state.name === 'running') this.#sockets.keepLiveProgress(liveProgressOf(job));
		else this.#sockets.closeAttempts();
		if (job.state.name === 'tombstone') {
			this.#sockets.announce([], true);
			this.#sockets.dismiss();
		} else if (job.seq !== before?.seq) {
			this.#sockets.answer(isOver, () => JSON.stringify(this.#readingOf(job, now)));
			this.#sockets.announce(eventsAfter(this.#id, job, before?.seq ?? 0, now), isOver);
			this.#notify(job, before?.seq ?? 0);
		} else if (job.webhook !== before?.webhook) {
			// The document has changed without an event.
			this.#sockets.answer(false, () => JSON.stringify(this.#readingOf(job, now)));
		}
	}

	#write(job: JobRecord, before: JobRecord | undefined, now: number, isOver: boolean): void {
		this.#store.save(job);
		this.#numberedUntil = numberedUntil(job);
		// A finished job's alarm is later than its previous one, which would only wake the object for nothing.
		if (isOver) this.#store.setAlarm(nextAlarmAt(job, now));
		else this.#store.setAlarmBy(nextAlarmAt(job, now));
		// Erases chunks that the job no longer refers to: a used input, the partial result of a lost attempt, or, for a job
		// that is run again, the reply of its failure.
		if (isOver || (before && hasLargeReply(before))) this.#store.deleteChunksExcept(uploadsOf(job));
	}

	/** Sends the messages of new deliveries. The platform sends them only once the writes before them are durable. */
	#notify(job: JobRecord, after: number): void {
		if (!job.webhook) return;
		const isNewest = job.seq > (job.history.at(-1)?.seq ?? 0);
		const isProgress = isNewest && job.webhook.events.includes('progress');
		const deliveries = pendingDeliveries(job).map(({ seq }) => seq);
		for (const seq of isProgress ? [job.seq] : deliveries.filter((seq) => seq > after)) {
			void sendDelivery(this.#lanes, { v: 1, id: this.#id, seq });
		}
	}

	#change(reader: Reader, command: Command): Change {
		const now = Date.now();
		if (!this.#visible(reader, now)) return NOTHING;
		const result = this.#apply(command, now);
		if (!result) return NOTHING;
		const { job, refusal } = result;
		const why = refusal === undefined ? {} : { refusal };
		if (job.state.name === 'tombstone')
			return { found: 'tombstone', reason: job.state.reason, createdAt: job.createdAt, ...why };
		return { found: 'job', view: jobView(this.#id, job, now), ...why };
	}

	#report(command: Command): Report {
		const now = Date.now();
		const result = this.#apply(command, now);
		if (!result) return { refusal: 'gone' };
		const { job, refusal } = result;
		const { state } = job;
		const isFailed = command.type === 'fail' && job.attempt === command.fence.attempt;
		const isDeferred = command.type === 'defer' && refusal === undefined;
		const isRetried = (isFailed || isDeferred) && state.name === 'pending';
		if ((command.type === 'follow' || command.type === 'asked') && refusal === undefined) {
			const next = awaitedMessage(this.#id, job);
			return { retryInMs: command.waitMs, lane: laneOf(job), ...(next && { next }) };
		}
		return {
			...(refusal !== undefined && { refusal }),
			...(isRetried && { retryInMs: Math.max(0, state.notBefore - now), lane: laneOf(job) }),
		};
	}

	#visible(reader: Reader, now: number): JobRecord | undefined {
		const job = this.#current(now);
		return job && isVisibleTo(reader, job) ? job : undefined;
	}
}

/** Whether more chunks of an upload may arrive. A clock that was set back extends no upload beyond its lease. */
function isOnItsWay(lastPieceAt: number, now: number): boolean {
	return Math.abs(now - lastPieceAt) < UPLOAD_LEASE_MS;
}

const NOTHING: Nothing = { found: 'nothing', knowsTokens: true };

/** Versions up to 0.1.0 send the `seq` of the last event instead of a tag. */
function isKnown(facts: JobFacts, query: URLSearchParams): boolean {
	const tag = query.get('tag');
	return tag === null ? facts.seq === Number(query.get('after')) : tag === documentTag(facts);
}

function jobView(id: string, job: JobRecord, now: number): JobView {
	const { state } = job;
	const upstream = upstreamHintOf(job);
	const waitingSince = state.name === 'running' ? state.attemptStartedAt : job.epochAt;
	return {
		facts: jobFacts(id, job, now),
		epoch: job.epoch,
		flags: storedFlags(job),
		timing: {
			waitingSince,
			...(state.name === 'pending' && { notBefore: state.notBefore }),
			...(job.progressAt !== undefined && { progressAt: job.progressAt }),
			...firstWaitOf(job),
		},
		lane: laneOf(job),
		...(upstream && { upstream }),
		readableUntil: readableUntil(job),
	};
}

function leaseOf(job: JobRecord, leaseEndsAt: number): Lease {
	const { task, tenant, options, parameters, input, origin } = job;
	return {
		fence: fenceOf(job),
		task,
		tenant,
		options,
		parameters,
		leaseEndsAt,
		readableUntil: readableUntil(job),
		...(input && { input }),
		...(origin !== undefined && { origin }),
	};
}

/** The earliest start of a pending job. */
function dueAtOf(job: JobRecord | undefined): number | undefined {
	return job?.state.name === 'pending' ? job.state.notBefore : undefined;
}

/** Time that a job waited for its first start. Left out for a delayed job. */
function firstWaitOf({ startedAt, epochAt, options }: JobRecord): { waitedMs?: number } {
	return startedAt === undefined || options.delaySeconds > 0 ? {} : { waitedMs: startedAt - epochAt };
}

function hasLargeReply({ state }: JobRecord): boolean {
	return state.name === 'failed' && state.reply?.body !== undefined && 'upload' in state.reply.body;
}

function storedFlags({ options: { onPending, onComplete, onFailed } }: JobRecord): Record<string, string> {
	return {
		...(onPending && { onPending }),
		...(onComplete && { onComplete }),
		...(onFailed && { onFailed }),
	};
}

function storedOutcome({ state }: JobRecord): Outcome | undefined {
	if (state.name === 'succeeded') return { kind: 'reply', reply: state.reply };
	if (state.name !== 'failed') return undefined;
	return state.reply ? { kind: 'reply', reply: state.reply } : { kind: 'failure', status: state.status };
}
