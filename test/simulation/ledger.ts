/**
 * Checks the promises during the run: every durable write, every sent response and every event
 * that a reader receives is compared with everything before it.
 */
import {
	LINK_CHECK_MS,
	MAX_HISTORY,
	MAX_LOST_ATTEMPTS,
	MAX_RESENDS,
	MAX_WAKES,
	MAX_WEBHOOK_TRIES,
	MAX_WEBHOOK_WAKES,
	MS_PER_HOUR,
	TELL_MS,
	TOMBSTONE_MS,
} from '../../src/core/job/limits.ts';
import {
	type Fence,
	type HistoryEntry,
	isFinal,
	type JobRecord,
	maxAttempts,
	type PendingState,
	type StoredReply,
	startBy,
} from '../../src/core/job/record.ts';
import type { ObjectHost, Turn } from './platform/object-host.ts';
import type { Write } from './platform/storage.ts';
import type { Isolate, World } from './platform/world.ts';

/** A broken promise. */
export class Broken extends Error {
	override readonly name = 'Broken';
}

export interface Run {
	readonly id: string;
	readonly life: number;
	readonly fence: Fence;
	/** The consumer that runs it. */
	readonly consumer: Isolate | undefined;
}

/** Maximum number of alarms without effect before something changes. */
const MAX_IDLE_ALARMS = 4;
/** Number of queues that are offered a message, if each of them rejects it. */
const QUEUES_TRIED = 3;
const FINAL = new Set(['succeeded', 'failed', 'canceled']);
/** The calls that report for an attempt, and the calls that read. */
const REPORTS = new Set(['call completeAttempt', 'call failAttempt', 'call reportProgress']);
const READS = new Set(['readJob', 'readEvents']);
const RECORD_KEY = 'job';
const CHUNK_PREFIX = 'chunk/';

export type PendingRecord = JobRecord & { readonly state: PendingState };

/** Observes durable changes. */
export interface LedgerWatcher {
	readonly onEntry: (ledger: Ledger, entry: HistoryEntry) => void;
	/** A job starts to wait, or waits for a different reason. */
	readonly onPending: (ledger: Ledger, record: PendingRecord) => void;
	/** Number of real calls to a receiver for an event. */
	readonly triesOf: (id: string, seq: number) => number;
	/** Whether a batch will erase the job. */
	readonly isErasedByBatch: (id: string) => boolean;
}

/** A lease that was issued for an attempt. */
interface IssuedLease {
	readonly delivery: unknown;
	/** The memory of the object that issued it. */
	readonly memories: number;
}

/** Everything known about one object, from its durable writes. */
export class Ledger {
	readonly #world: World;
	readonly #host: ObjectHost;
	readonly #runs: readonly Run[];
	readonly #watcher: LedgerWatcher;
	#life = 0;
	entries: HistoryEntry[] = [];
	/** Events up to this one were deleted with their job. */
	buriedSeq = 0;
	#lastSeq = 0;
	readonly #leases = new Map<string, IssuedLease>();
	/** The memory of the object that made each start. */
	readonly #starts = new Map<string, number>();
	/** The number of alarms that the object may have spent to tell the list. */
	#tellAlarms = 0;
	readonly #updatedAt = new Map<number, string>();
	#alarmsAtChange = 0;
	#sends = 0;
	/** The end of each epoch, in all lives. */
	readonly finals: string[] = [];

	constructor(world: World, host: ObjectHost, runs: readonly Run[], watcher: LedgerWatcher) {
		this.#world = world;
		this.#host = host;
		this.#runs = runs;
		this.#watcher = watcher;
	}

	// — durable writes —

	commit(writes: readonly Write[], turn: Turn): void {
		let before = this.#host.storage.rows.get(RECORD_KEY) as JobRecord | undefined;
		for (const write of writes) {
			if (write.type === 'deleteAll') {
				this.#buried(before);
				before = undefined;
			} else if (write.type === 'put' && write.key === RECORD_KEY) {
				const record = write.value as JobRecord;
				this.#record(before, record, turn);
				before = record;
			} else if (write.type === 'put' && write.key.startsWith(CHUNK_PREFIX)) {
				this.#chunk(before, turn);
			}
		}
	}

	#buried(before: JobRecord | undefined): void {
		const mayGo = !before || before.state.name === 'tombstone' || this.#isForgotten(before);
		this.#must(mayGo, `a job that is ${before?.state.name} was deleted`);
		this.#everyEpochEnded();
		this.#life++;
		this.entries = [];
		this.buriedSeq = 0;
		this.#lastSeq = 0;
		this.#leases.clear();
		this.#starts.clear();
		this.#updatedAt.clear();
	}

	/** The clock may have moved back since the object read it. */
	#isForgotten(record: JobRecord): boolean {
		return isForgotten(record, Math.max(this.#world.latestAt, this.#world.clock));
	}

	/** Only the current attempt may store its result. */
	#chunk(before: JobRecord | undefined, { label, args }: Turn): void {
		const fence = args[2] as Fence | undefined;
		if (label !== 'call writeChunk' || !fence) return;
		const isHeld = before?.state.name === 'running' && isOf(before, fence);
		this.#must(isHeld, 'a stale attempt stored a piece of its result');
	}

	#record(before: JobRecord | undefined, after: JobRecord, turn: Turn): void {
		this.#alarmsAtChange = this.#host.soundAlarmRuns;
		const isSuccessor = before !== undefined && before.createdAt !== after.createdAt;
		// An expired tombstone is no longer written.
		const isAfterForgotten = isSuccessor && this.#isForgotten(before);
		if (isAfterForgotten) this.buriedSeq = this.#lastSeq;
		const isAfterTombstone = before?.state.name === 'tombstone' && after.state.name !== 'tombstone';
		const isNew = before === undefined || isAfterTombstone || isAfterForgotten;
		this.#must(after.seq >= this.#lastSeq, `seq went back from ${this.#lastSeq} to ${after.seq}`);
		if (before) this.#must(after.epoch >= before.epoch, `the epoch went back from ${before.epoch} to ${after.epoch}`);
		if (before && isNew) this.#must(after.epoch > before.epoch, 'a job in the place of another has its epoch');
		if (before && !isNew) this.#must(after.submission === before.submission, 'a job took the place of another');
		const fresh = this.#freshEntries(after);
		for (const entry of fresh) this.#entry(entry);
		if (before && fresh.length > 0) this.#fencedOff(before, fresh, turn);
		this.#lastSeq = Math.max(this.#lastSeq, after.seq);
		this.#state(before, after);
		this.#caps(after);
		this.#signed(after);
		this.#justified(before, after, turn);
		this.#deliveriesJustified(before, after);
		for (const entry of fresh) this.#watcher.onEntry(this, entry);
		if (isWaiting(after) && !isSameWait(before, after)) this.#watcher.onPending(this, after);
	}

	/** History only grows, except for entries removed at its beginning. */
	#freshEntries(after: JobRecord): HistoryEntry[] {
		if (after.state.name === 'tombstone') {
			// What the list may still ask for, without the texts of errors.
			const isBare = after.history.every(({ error }) => !error?.message);
			this.#must(isBare && (after.isListable === true || after.history.length === 0), 'a tombstone has a history');
			this.buriedSeq = this.#lastSeq;
			return [];
		}
		const known = this.entries.at(-1)?.seq ?? 0;
		const first = after.history[0]?.seq ?? 0;
		const kept = this.entries.filter(({ seq }) => seq >= first && seq > this.buriedSeq);
		const old = after.history.filter(({ seq }) => seq <= known);
		this.#must(same(kept, old), 'history was rewritten');
		const isCut =
			after.history.length === MAX_HISTORY ||
			first === (this.entries.find(({ seq }) => seq > this.buriedSeq)?.seq ?? first);
		this.#must(isCut, 'history lost its beginning');
		return after.history.slice(old.length);
	}

	#entry(entry: HistoryEntry): void {
		const last = this.entries.at(-1);
		const { type, at, epoch } = entry;
		const inEpoch = this.entries.filter((other) => other.epoch === epoch);
		this.#must(entry.seq > this.#lastSeq || last === undefined, `event ${entry.seq} came after ${this.#lastSeq}`);
		if (last) this.#must(entry.seq > last.seq, `event ${entry.seq} came after ${last.seq}`);
		this.#must(
			at >= this.#world.earliestAt && at <= this.#world.latestAt,
			`event ${entry.seq} has a time outside the run: ${at}`,
		);
		if (last && !this.#world.wentBack)
			this.#must(at >= last.at, `event ${entry.seq} is earlier than the one before it`);
		const end = inEpoch.find((other) => FINAL.has(other.type));
		this.#must(end === undefined, `${type} came after ${end?.type} in epoch ${epoch}`);
		this.#must(
			(type === 'accepted') === (inEpoch.length === 0),
			`epoch ${epoch} began with ${inEpoch[0]?.type ?? type}`,
		);
		if (FINAL.has(type)) this.finals.push(type);
		this.entries.push(entry);
	}

	/** Reports from a superseded attempt change nothing. The time may cause a change at the same moment. */
	#fencedOff(before: JobRecord, fresh: readonly HistoryEntry[], { label, args }: Turn): void {
		if (!REPORTS.has(label)) return;
		const [{ fence }] = args as [{ fence: Fence }];
		if (before.state.name === 'running' && isOf(before, fence)) return;
		if (this.#isUnwritten(before, fence)) return;
		// A start that was only in memory is written with whatever happens next.
		const byTime = ({ type, error }: HistoryEntry) =>
			error?.code === 'DeliveryFailed' ||
			error?.code === 'StartDeadlinePassed' ||
			type === 'canceled' ||
			type === 'started';
		this.#must(fresh.every(byTime), `a stale ${label} made ${fresh.map(({ type }) => type).join(', ')}`);
	}

	#state(before: JobRecord | undefined, after: JobRecord): void {
		const { state } = after;
		const last = this.entries.at(-1);
		if (isFinal(state)) {
			this.#must(last?.type === state.name, `a job is ${state.name}, but its last event is ${last?.type}`);
			this.#must(last?.epoch === after.epoch, 'a job ended in another epoch than it is in');
		}
		if (state.name === 'tombstone' && state.reason === 'expired') {
			const pending = before?.webhook?.deliveries.filter(({ status }) => status === 'pending') ?? [];
			this.#must(pending.length === 0, 'a job was deleted before its receiver was called');
			this.#fetchable(before, after.updatedAt);
		}
		if (before && isFinal(before.state) && before.epoch === after.epoch && state.name !== 'tombstone') {
			this.#must(same(before.state, state), `a job that was ${before.state.name} is ${state.name} in the same epoch`);
		}
	}

	/** A receiver that was called after the end of retention can still fetch the job. */
	#fetchable(before: JobRecord | undefined, buriedAt: number): void {
		if (!before || !isFinal(before.state)) return;
		const isSo = buriedAt >= overAt(before, before.state.expiresAt);
		this.#must(isSo, 'a receiver was called for a job that was deleted at once');
	}

	#caps(after: JobRecord): void {
		const { state } = after;
		if (state.name === 'tombstone') return;
		this.#must(after.history.length <= MAX_HISTORY, 'history is too long');
		this.#must(
			after.attempt <= maxAttempts(after),
			`attempt ${after.attempt} of ${maxAttempts(after)} is one too many`,
		);
		this.#must(after.lostAttempts <= MAX_LOST_ATTEMPTS, `${after.lostAttempts} attempts were given back`);
		if (state.name === 'pending') {
			this.#must(state.resends <= MAX_RESENDS, `${state.resends} messages were sent again`);
			const isSent = this.#sends >= state.resends;
			this.#must(isSent, `${state.resends} messages count as sent again, but ${this.#sends} were`);
			this.#must(state.wakes <= MAX_WAKES, `the watchdog fired ${state.wakes} times`);
		}
		for (const { seq, attempt, wakes = 0 } of after.webhook?.deliveries ?? []) {
			const tries = this.#watcher.triesOf(this.#host.id, seq);
			this.#must(attempt <= tries, `event ${seq} counts ${attempt} tries, but its receiver was called ${tries} times`);
			this.#must(attempt <= MAX_WEBHOOK_TRIES, `a receiver was called ${attempt} times`);
			this.#must(wakes <= MAX_WEBHOOK_WAKES, `a delivery was sent again ${wakes} times`);
		}
	}

	/** An attempt signs everything that it stores. The signature may be in the record only if that attempt holds the job. */
	#signed(after: JobRecord): void {
		const { state } = after;
		if (state.name === 'tombstone') return;
		if (state.name === 'succeeded') this.#by(this.#runOf(state.reply), after, 'the result');
		for (const entry of after.history.slice(-1)) {
			const run = /^run (\d+) failed$/.exec(entry.error?.message ?? '')?.[1];
			if (run !== undefined) this.#by(Number(run), entry, 'the failure');
		}
		const run = /^run (\d+) reports/.exec(after.progress?.message ?? '')?.[1];
		if (run !== undefined) this.#by(Number(run), after, 'progress');
	}

	#runOf({ body }: StoredReply): number {
		if (!body) throw new Broken('a result has no body');
		const bytes =
			'inline' in body
				? body.inline
				: (this.#host.storage.rows.get(`${CHUNK_PREFIX}${body.upload}/0`) as Uint8Array | undefined);
		this.#must(bytes !== undefined, 'a result has lost its bytes');
		return Number(/^\{"run":(\d+)/.exec(new TextDecoder().decode(bytes?.subarray(0, 40)))?.[1]);
	}

	#by(number: number, { epoch, attempt }: Fence, what: string): void {
		const run = this.#runs[number];
		const isHis =
			run?.id === this.#host.id &&
			run.life === this.#life &&
			run.fence.epoch === epoch &&
			run.fence.attempt === attempt;
		this.#must(
			isHis,
			`${what} of attempt ${epoch}/${attempt} is from run ${number}, which had ${run?.fence.epoch}/${run?.fence.attempt}`,
		);
	}

	/** Every abandoned job has a reason that can be counted. */
	#justified(before: JobRecord | undefined, after: JobRecord, { label }: Turn): void {
		const { state } = after;
		if (state.name !== 'failed' || state.phase !== 'dead-lettered' || before?.state.name === 'failed') return;
		const { resends = 0, isLastTry = false } = before?.state.name === 'pending' ? before.state : {};
		const isLost = after.lostAttempts >= MAX_LOST_ATTEMPTS;
		const isGivenUp = label === 'call deadLetter' || isLastTry;
		// Work that may have taken effect and can't be repeated is not repeated automatically.
		const isOnce = after.isOnce === true && after.lostAttempts === 0 && before?.state.name === 'running';
		this.#must(
			isLost || isGivenUp || isOnce,
			`a job was given up after ${resends} messages and ${after.lostAttempts} attempts`,
		);
	}

	/** A delivery is abandoned only after the maximum number of tries or checks. */
	#deliveriesJustified(before: JobRecord | undefined, after: JobRecord): void {
		for (const { status, attempt, seq } of after.webhook?.deliveries ?? []) {
			if (status !== 'given-up' || attempt >= MAX_WEBHOOK_TRIES) continue;
			const last = before?.webhook?.deliveries.find((delivery) => delivery.seq === seq);
			const isSo = last?.status === 'given-up' || (last?.wakes ?? 0) >= MAX_WEBHOOK_WAKES;
			this.#must(isSo, `the delivery of event ${seq} was given up after ${attempt} tries`);
		}
	}

	// — responses and events —

	/** Every response states the facts at that moment, whether or not an alarm has fired. */
	answer(method: string, value: unknown): void {
		if (method === 'fetch' || method === 'readChunk' || method === 'writeChunk') return;
		if (method === 'startAttempt') this.#noteStart(value);
		const { clock } = this.#world;
		const record = this.#host.storage.peek(RECORD_KEY) as JobRecord | undefined;
		if (!record) return;
		const { state } = record;
		const what = `"${method}" was answered with a job that`;
		if (state.name === 'running')
			this.#must(clock < state.leaseEndsAt, `${what} is running, though its lease has expired`);
		if (state.name === 'pending')
			this.#must(clock < (startBy(record) ?? Infinity), `${what} waits past its start deadline`);
		const isGone = isForgotten(record, clock);
		if (isFinal(state) && !isGone && READS.has(method)) {
			const isTold = !record.webhook?.deliveries.some(({ status }) => status === 'pending');
			this.#must(
				clock < overAt(record, state.expiresAt) || !isTold,
				`${what} is still readable, though it has expired`,
			);
		}
		if (method !== 'readJob') return;
		// A poll gets its job as text.
		const reading = typeof value === 'string' ? JSON.parse(value) : value;
		const { found, view } = reading as { found: string; view?: { facts: { status: string; seq: number } } };
		const expected = isGone ? 'nothing' : state.name === 'tombstone' ? 'tombstone' : 'job';
		const isRight = found === expected || (found === 'nothing' && this.#isForgotten(record));
		this.#must(isRight, `a reader received "${found}" for a job that is ${state.name}`);
		if (!view) return;
		const isStarted = state.name === 'pending' && (record.attempt > 0 || this.isStartedInMemory(record));
		const status = isStarted ? 'running' : state.name;
		this.#must(
			view.facts.status === status || (isStarted && record.attempt === 0 && view.facts.status === 'pending'),
			`a reader received "${view.facts.status}" for a job that is ${state.name}`,
		);
		this.#must(view.facts.seq >= record.seq, `a reader received an old number`);
	}

	/** The same number is the same moment in every response. */
	told(method: string, value: unknown): void {
		if (!READS.has(method)) return;
		const { view } = value as { view?: { facts: { seq: number; lastUpdatedAt: string } } };
		if (!view) return;
		const { seq, lastUpdatedAt } = view.facts;
		const before = this.#updatedAt.get(seq) ?? lastUpdatedAt;
		this.#must(before === lastUpdatedAt, `event ${seq} had the time ${before}, and has ${lastUpdatedAt}`);
		this.#updatedAt.set(seq, lastUpdatedAt);
	}

	/**
	 * A lease belongs to one delivery of one message, which gets it again when it repeats the call. An object that has
	 * forgotten an unwritten start issues the number once more, and writes it.
	 */
	leased(fence: Fence, delivery: unknown): void {
		const key = `${fence.epoch}/${fence.attempt}`;
		const { memories } = this.#host;
		const before = this.#leases.get(key);
		const isSame = delivery !== undefined && before?.delivery === delivery;
		const isForgotten = before !== undefined && before.memories < memories && this.#isWritten(fence);
		this.#must(before === undefined || isSame || isForgotten, `the lease of attempt ${key} was issued twice`);
		this.#leases.set(key, { delivery, memories });
	}

	/** The object knows a start before the consumer does: its response may wait for earlier writes. */
	#noteStart(value: unknown): void {
		const { started, lease } = value as { started: boolean; lease?: { fence: Fence } };
		if (started && lease) this.#starts.set(`${lease.fence.epoch}/${lease.fence.attempt}`, this.#host.memories);
	}

	#isWritten(fence: Fence): boolean {
		const record = this.#host.storage.peek(RECORD_KEY) as JobRecord | undefined;
		return record !== undefined && isOf(record, fence);
	}

	/** Whether the object knows this attempt, or has forgotten it, and no other one has its number. */
	#isUnwritten(record: JobRecord, fence: Fence): boolean {
		const lease = this.#leases.get(`${fence.epoch}/${fence.attempt}`);
		const isNext = record.epoch === fence.epoch && record.attempt + 1 === fence.attempt;
		return record.state.name === 'pending' && isNext && lease !== undefined && lease.delivery === fence.delivery;
	}

	/** Whether the job waits for an external worker or an upstream, and needs no consumer. */
	get isWaiting(): boolean {
		return this.record?.state.name === 'running' && this.record.state.waiting !== undefined;
	}

	/** Whether an attempt has the job, written or not. */
	isHeldBy(fence: Fence): boolean {
		const { record } = this;
		if (record?.state.name === 'running') return isOf(record, fence);
		return record !== undefined && this.#isUnwritten(record, fence);
	}

	/** Whether the object knows that an attempt has the job: it is written, or in the object's memory. */
	isKnownToHold(fence: Fence): boolean {
		const { record } = this;
		const isRunning = record?.state.name === 'running';
		return this.isHeldBy(fence) && (isRunning || (record !== undefined && this.isStartedInMemory(record)));
	}

	/** Whether a pending job has an attempt that only the object's memory knows. */
	isStartedInMemory({ epoch, attempt }: JobRecord): boolean {
		return this.#starts.get(`${epoch}/${attempt + 1}`) === this.#host.memories;
	}

	get id(): string {
		return this.#host.id;
	}

	get job(): number {
		return this.#host.job;
	}

	/** The durable record. */
	get record(): JobRecord | undefined {
		return this.#host.storage.rows.get(RECORD_KEY) as JobRecord | undefined;
	}

	/** Number of messages that the object has sent for the job. */
	get sends(): number {
		return this.#sends;
	}

	get life(): number {
		return this.#life;
	}

	/** A client received a 202. */
	accepted(): void {
		const wasThere = this.#life > 0 || this.entries.some(({ type }) => type === 'accepted');
		this.#must(wasThere, 'a client received a 202 for a job that is not durable');
	}

	/** The object sent a message for its job. */
	sent(): void {
		this.#sends++;
		// The watchdog's check is neither a change nor an alarm without effect.
		this.#alarmsAtChange = this.#host.soundAlarmRuns;
		const waits = this.entries.filter(({ type }) => type === 'accepted' || type === 'retrying').length;
		const all = Math.max(1, waits) * (MAX_RESENDS + 1) * QUEUES_TRIED * (this.#life + 1);
		this.#must(this.#sends <= all, `${this.#sends} messages were sent for one job`);
	}

	// — the state between two steps —

	lookedAfter(): void {
		const { host } = { host: this.#host };
		if (host.storage.rows.size > 0) {
			const record = host.storage.rows.get(RECORD_KEY) as JobRecord | undefined;
			this.#must(
				host.isLookedAfter || (isSettled(record) && this.#watcher.isErasedByBatch(this.id)),
				`there is no alarm for a job that is ${record?.state.name ?? 'still being submitted'}`,
			);
		}
		const idle = host.soundAlarmRuns - this.#alarmsAtChange;
		// A clock that was set back makes the lease last longer.
		this.#tellAlarms = host.storage.rows.size > 0 ? tellAlarms(this.record) : this.#tellAlarms;
		const allowed = MAX_IDLE_ALARMS + linkChecks(this.record) + this.#tellAlarms;
		const most = allowed + Math.ceil(this.#world.wentBackMs / LINK_CHECK_MS);
		this.#must(idle <= most, `the alarm fired ${idle} times without effect`);
	}

	/** Checks the state in which nothing more will happen. */
	atRest(): void {
		const { rows } = this.#host.storage;
		this.#must(rows.size === 0, `rows are left: ${[...rows.keys()].join(', ')}`);
		this.#must(this.#host.alarmAt === undefined, 'an alarm is left');
		this.#must(this.#host.sockets.size === 0, `${this.#host.sockets.size} sockets are left`);
		this.#everyEpochEnded();
	}

	#everyEpochEnded(): void {
		const epochs = new Set(this.entries.map(({ epoch }) => epoch));
		for (const epoch of epochs) {
			const ends = this.entries.filter((entry) => entry.epoch === epoch && FINAL.has(entry.type));
			this.#must(ends.length === 1, `epoch ${epoch} ended ${ends.length} times`);
		}
	}

	#must(isSo: boolean | undefined, otherwise: string): asserts isSo {
		if (!isSo) throw new Broken(`job ${this.#host.job}: ${otherwise}`);
	}
}

/** Time at which a finished job expires: an hour after its receiver was called, if that was late. */
function overAt({ webhook }: JobRecord, expiresAt: number): number {
	const late = webhook?.deliveries.filter(({ status, at = 0 }) => status === 'delivered' && at >= expiresAt) ?? [];
	return Math.max(expiresAt, ...late.map(({ at = 0 }) => at + MS_PER_HOUR));
}

/** Whether no data of a job is left at this time, not even its tombstone. No write is needed for that. */
function isForgotten(record: JobRecord, clock: number): boolean {
	const { state, webhook } = record;
	if (state.name === 'tombstone') return clock >= state.goneAt;
	const isTold = !webhook?.deliveries.some(({ status }) => status === 'pending');
	return isFinal(state) && isTold && clock >= overAt(record, state.expiresAt) + TOMBSTONE_MS;
}

/** The number of times that an object may look for the link of its attempt until the lease ends. */
function linkChecks(record: JobRecord | undefined): number {
	if (record?.state.name !== 'running' || record.state.waiting) return 0;
	return Math.ceil((record.state.leaseEndsAt - record.state.attemptStartedAt) / LINK_CHECK_MS);
}

/** Whether nothing but its erasure is left to do. */
function isSettled(record: JobRecord | undefined): boolean {
	if (!record) return false;
	const isTold = !record.webhook?.deliveries.some(({ status }) => status === 'pending');
	return record.state.name === 'tombstone' || (isFinal(record.state) && isTold);
}

/** The number of times that an alarm may try to tell the list, at intervals that double, in a day. */
function tellAlarms(record: JobRecord | undefined): number {
	return record?.toTell ? Math.ceil(Math.log2((25 * MS_PER_HOUR) / TELL_MS.first)) : 0;
}

function isWaiting(record: JobRecord): record is PendingRecord {
	return record.state.name === 'pending';
}

/** Whether a job waits for the same reason as before. */
export function isSameWait(before: JobRecord | undefined, after: PendingRecord): boolean {
	if (before?.state.name !== 'pending') return false;
	const { epoch, attempt, state } = before;
	return epoch === after.epoch && attempt === after.attempt && state.notBefore === after.state.notBefore;
}

export function isOf(record: JobRecord, { epoch, attempt, delivery }: Fence): boolean {
	const other = record.state.name === 'running' ? record.state.delivery : undefined;
	const isOfSameDelivery = delivery === undefined || other === undefined || delivery === other;
	return record.epoch === epoch && record.attempt === attempt && isOfSameDelivery;
}

function same(a: unknown, b: unknown): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}
