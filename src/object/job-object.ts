/**
 * One job's object: its face to the Worker. It answers calls, opens sockets and wakes on alarms; every change of the job
 * goes through `JobKeeper`.
 *
 * The object never runs a task and sets no timer, and it makes no calls except to send its messages and to update its
 * tenant's object. It can therefore hibernate whenever it is idle.
 */
import { defined } from '../core/defined.ts';
import { toAsking, toChange, toDelivery, toReport, toStart } from '../core/job/call-results.ts';
import { eventsAfter } from '../core/job/document.ts';
import type { Submission } from '../core/job/lifecycle.ts';
import { type JobNews, jobNews } from '../core/job/news.ts';
import type {
	Acceptance,
	AcceptTerms,
	ActionCommand,
	ArgumentsOf,
	Asking,
	Change,
	ChunkKey,
	DueDelivery,
	EventsReading,
	InputReading,
	JobObjectApi,
	Reading,
	Report,
	RetryTerms,
	Start,
} from '../core/job/object-api.ts';
import { type QuotaUsage, quotaUsage } from '../core/job/quota-usage.ts';
import { isVisibleTo, type Reader } from '../core/job/reader.ts';
import { ALONE_LANE, type Fence, isFinal, type JobRecord, type Progress } from '../core/job/record.ts';
import { relationTo } from '../core/job/repeat.ts';
import type { Command } from '../core/job/transition.ts';
import { foundJob, jobView, NOTHING, storedOutcome } from '../core/job/view.ts';
import type { Try } from '../core/job/webhook.ts';
import { type Lanes, lanesOf } from '../queue/lanes.ts';
import { Lists } from '../rpc/lists.ts';
import { withOwnObjects } from '../rpc/own-objects.ts';
import { Tenants } from '../rpc/tenants.ts';
import { Announcer } from './announcer.ts';
import { JobCalls010 } from './calls-010.ts';
import { Deliveries } from './deliveries.ts';
import { JobKeeper } from './job-keeper.ts';
import { acceptAttempt, acceptWaiter, acceptWatcher, attemptFence, socketReader } from './socket-requests.ts';
import { CLOSE, CLOSED_WITHOUT_CODE, CLOSED_WITHOUT_FRAME, closeQuietly, JobSockets } from './sockets.ts';
import { JobStore } from './store.ts';
import { Uploads } from './uploads.ts';
import { Watchdog } from './watchdog.ts';

export class JobObject extends JobCalls010 implements JobObjectApi {
	readonly #id: string;
	readonly #lanes: Lanes;
	readonly #store: JobStore;
	readonly #sockets: JobSockets;
	readonly #uploads: Uploads;
	readonly #deliveries: Deliveries;
	readonly #announcer: Announcer;
	readonly #keeper: JobKeeper;
	readonly #watchdog: Watchdog;
	/** The last reading of a finished job, as JSON. */
	#finished: { readonly job: JobRecord; readonly text: string } | undefined;

	constructor(ctx: DurableObjectState, env: object) {
		super(ctx, env);
		const { TOPICS, TENANTS } = withOwnObjects(env, ctx);
		const id = ctx.id.toString();
		const lanes = lanesOf(env);
		const store = new JobStore(ctx.storage);
		const sockets = new JobSockets(ctx);
		const uploads = new Uploads(store);
		const deliveries = new Deliveries(id, lanes);
		this.#id = id;
		this.#lanes = lanes;
		this.#store = store;
		this.#sockets = sockets;
		this.#uploads = uploads;
		this.#deliveries = deliveries;
		const lists = new Lists(TOPICS);
		this.#announcer = new Announcer({ id, sockets, deliveries, lists, tenants: new Tenants(TENANTS) });
		this.#keeper = new JobKeeper(store, sockets, this.#announcer);
		this.#watchdog = new Watchdog({ id, lanes, lists, store, uploads, deliveries, keeper: this.#keeper });
	}

	// — clients —————————————————————————————————————————————————————————————————————————————————————————————————————

	async accept(submission: Submission, { acceptBy, isReplayOnly }: AcceptTerms = {}): Promise<Acceptance> {
		const now = Date.now();
		const existing = this.#keeper.current(now);
		const relation = relationTo(existing, submission);
		if (relation === 'different') return { accepted: false, reason: 'key-reused' };
		if (existing && relation !== 'first')
			return { accepted: true, view: jobView(this.#id, existing, now), isReplay: relation === 'repeat' };
		if (isReplayOnly) return { accepted: false, reason: 'no-room' };
		const isLate = acceptBy !== undefined && now > acceptBy;
		if (isLate || !this.#uploads.has(submission.input)) return { accepted: false, reason: 'upload-lost' };
		const job = this.#keeper.create(submission, now);
		this.#uploads.release(job);
		return { accepted: true, view: jobView(this.#id, job, now), isReplay: false };
	}

	async readJob(reader: Reader, options?: { withOutcome?: boolean }): Promise<Reading>;
	async readJob(reader: Reader, options: { asText: true }): Promise<Reading | string>;
	async readJob(
		reader: Reader,
		{ withOutcome = false, asText = false }: { withOutcome?: boolean; asText?: boolean } = {},
	): Promise<Reading | string> {
		const now = Date.now();
		const job = this.#visible(reader, now);
		if (!job) return NOTHING;
		if (job.state.name === 'tombstone') return { found: 'tombstone', reason: job.state.reason };
		if (asText) return this.#readingText(job, now);
		const outcome = withOutcome ? storedOutcome(job) : undefined;
		return defined({ ...foundJob(this.#id, job, now), outcome });
	}

	/** Keeps the text of a finished job until its record changes. It doesn't depend on the time, so every poll gets the same. */
	#readingText(job: JobRecord, now: number): string {
		if (this.#finished?.job === job) return this.#finished.text;
		const text = JSON.stringify(foundJob(this.#id, job, now));
		if (isFinal(job.state)) this.#finished = { job, text };
		return text;
	}

	async readInput(reader: Reader): Promise<InputReading> {
		const now = Date.now();
		const job = this.#visible(reader, now);
		if (!job) return NOTHING;
		if (job.state.name === 'tombstone') return { found: 'tombstone', reason: job.state.reason };
		return defined({ found: 'job', view: jobView(this.#id, job, now), input: job.input });
	}

	async readEvents(reader: Reader, { after }: { after: number }): Promise<EventsReading> {
		const now = Date.now();
		const job = this.#visible(reader, now);
		if (!job) return NOTHING;
		if (job.state.name === 'tombstone') return { found: 'tombstone', reason: job.state.reason };
		return { events: eventsAfter({ id: this.#id, job, now }, after), view: jobView(this.#id, job, now) };
	}

	async cancelJob(reader: Reader, { unlessFollowed = false } = {}): Promise<Change> {
		if (unlessFollowed && this.#sockets.hasAudience()) return this.readJob(reader);
		return this.#change(reader, { type: 'cancel' });
	}

	async retryJob(reader: Reader, { reservation, acceptBy }: RetryTerms = {}): Promise<Change> {
		return this.#change(reader, defined({ type: 'retry', reservation, acceptBy }));
	}

	async purgeJob(reader: Reader): Promise<Change> {
		return this.#change(reader, { type: 'purge' });
	}

	async obeyAction(reader: Reader, command: ActionCommand): Promise<Change> {
		return this.#change(reader, command);
	}

	async readNews(): Promise<JobNews | undefined> {
		const now = Date.now();
		const job = this.#keeper.current(now);
		return job && jobNews(this.#id, job, now);
	}

	async eraseIfExpired(): Promise<void> {
		await this.#watchdog.eraseIfExpired();
	}

	async claim(): Promise<QuotaUsage | undefined> {
		const job = this.#keeper.current(Date.now());
		return job && quotaUsage(job);
	}

	#change(reader: Reader, command: Command): Change {
		const now = Date.now();
		if (!this.#visible(reader, now)) return NOTHING;
		return toChange(this.#id, this.#keeper.apply(command, now), now);
	}

	#visible(reader: Reader, now: number): JobRecord | undefined {
		const job = this.#keeper.current(now);
		return job && isVisibleTo(reader, job) ? job : undefined;
	}

	// — the attempt —————————————————————————————————————————————————————————————————————————————————————————————————

	async startAttempt({ isShared = false, ...start }: ArgumentsOf<'start'>): Promise<Start> {
		const now = Date.now();
		// A deployment without this lane runs such jobs with the others.
		const mustShare = !this.#lanes.has(ALONE_LANE);
		const before = this.#keeper.current(now);
		const command: Command = { ...start, type: 'start', isShared: isShared && !mustShare };
		return toStart(this.#keeper.apply(command, now), { id: this.#id, before, now });
	}

	async deferAttempt(deferral: ArgumentsOf<'defer'>): Promise<Report> {
		return this.#report({ ...deferral, type: 'defer' });
	}

	async reportProgress(report: ArgumentsOf<'progress'>): Promise<Report> {
		const now = Date.now();
		const result = this.#keeper.apply({ ...report, type: 'progress' }, now);
		if (!result) return { refusal: 'gone' };
		const { job, refusal } = result;
		return defined({ refusal, tellInMs: refusal === undefined ? this.#announcer.tellInMs(job, now) : undefined });
	}

	async tell(): Promise<void> {
		this.#keeper.current(Date.now());
	}

	async waitForWorker(wait: ArgumentsOf<'wait'>): Promise<Report> {
		return this.#report({ ...wait, type: 'wait' });
	}

	async followOperation(operation: ArgumentsOf<'follow'>): Promise<Report> {
		return this.#report({ ...operation, type: 'follow' });
	}

	async startPoll(poll: ArgumentsOf<'ask'>): Promise<Asking> {
		return toAsking(this.#keeper.apply({ ...poll, type: 'ask' }, Date.now()));
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

	#report(command: Command): Report {
		const now = Date.now();
		return toReport(this.#keeper.apply(command, now), { id: this.#id, command, now });
	}

	// — webhooks ————————————————————————————————————————————————————————————————————————————————————————————————————

	async delivery(seq: number): Promise<DueDelivery | undefined> {
		const now = Date.now();
		const job = this.#keeper.current(now);
		return job && this.#deliveries.start(job, seq, now);
	}

	/** Not awaited: the message leaves once the write before it is durable. The watchdog replaces a lost one. */
	async sendEventAgain(reader: Reader, { seq }: { seq: number }): Promise<Change> {
		const change = this.#change(reader, { type: 'sendAgain', seq });
		const job = this.#keeper.current(Date.now());
		if (job && change.found === 'job' && change.refusal === undefined) void this.#deliveries.sendAgain(job, [seq]);
		return change;
	}

	async delivered(seq: number, made: Try): Promise<Report> {
		const now = Date.now();
		this.#deliveries.end(seq);
		const before = this.#keeper.current(now);
		const result = this.#keeper.apply({ type: 'delivered', seq, made, random: Math.random() }, now);
		return toDelivery(result, { id: this.#id, before, now, seq });
	}

	// — bytes ———————————————————————————————————————————————————————————————————————————————————————————————————————

	async writeChunk(key: ChunkKey, bytes: Uint8Array, fence?: Fence): Promise<Report> {
		const now = Date.now();
		const refusal = fence && this.#keeper.resultRefusal(fence, now);
		if (refusal !== undefined) return { refusal };
		if (!fence) this.#uploads.keep(key.upload, this.#keeper.current(now), now);
		this.#store.writeChunk(key, bytes);
		return {};
	}

	async readChunk(key: ChunkKey): Promise<Uint8Array | undefined> {
		return this.#store.readChunk(key);
	}

	async discardUpload(upload: string, chunks: number): Promise<void> {
		this.#uploads.discard({ upload, chunks }, this.#keeper.current(Date.now()));
	}

	// — sockets —————————————————————————————————————————————————————————————————————————————————————————————————————

	/** Called by this Worker only: `/watch`, `/wait` and `/attempt` open sockets. */
	override async fetch(request: Request): Promise<Response> {
		const { pathname, searchParams: query } = new URL(request.url);
		const now = Date.now();
		if (pathname === '/attempt') return this.#acceptAttempt(query, now);
		const reader = socketReader(request.headers);
		const job = this.#visible(reader, now);
		if (!job) return new Response(null, { status: 404 });
		if (job.state.name === 'tombstone')
			return new Response(null, { status: 410, headers: { 'coatcheck-reason': job.state.reason } });
		const socketRequest = { id: this.#id, job, query, now };
		return pathname === '/wait'
			? acceptWaiter(this.#sockets, socketRequest)
			: acceptWatcher(this.#sockets, socketRequest, reader.base);
	}

	override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
		if (!this.#sockets.isAttempt(socket) || typeof message !== 'string') {
			closeQuietly(socket, CLOSE.unexpectedMessage, 'unexpected message: only "ping" is accepted');
			return;
		}
		const { fence, progress } = JSON.parse(message) as { fence: Fence; progress: Progress };
		const result = this.#keeper.apply({ type: 'progress', fence, progress }, Date.now());
		const refusal = result === undefined ? 'gone' : result.refusal;
		if (refusal !== undefined) this.#sockets.abort(fence, refusal === 'canceled' ? 'canceled' : 'stale');
	}

	#acceptAttempt(query: URLSearchParams, now: number): Response {
		const fence = attemptFence(query);
		const result = this.#keeper.apply({ type: 'link', fence }, now);
		return acceptAttempt(this.#sockets, fence, result?.job);
	}

	override webSocketClose(socket: WebSocket, code: number): void {
		this.#unlink(socket, code !== CLOSED_WITHOUT_FRAME);
		const isSendable = code !== CLOSED_WITHOUT_CODE && code !== CLOSED_WITHOUT_FRAME;
		closeQuietly(socket, isSendable ? code : CLOSE.done, 'closed by the client');
	}

	override webSocketError(socket: WebSocket): void {
		this.#unlink(socket, false);
	}

	#unlink(socket: WebSocket, isClosed: boolean): void {
		const fence = this.#sockets.attemptLeftBy(socket);
		if (fence) this.#keeper.apply({ type: 'unlink', fence, isClosed }, Date.now());
	}

	override async alarm(info?: AlarmInvocationInfo): Promise<void> {
		await this.#watchdog.wake(info?.retryCount ?? 0);
	}
}
