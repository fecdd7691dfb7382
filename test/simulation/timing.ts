/**
 * Deadlines of the service's promises. A deadline applies while no fault interferes: each fault is registered here, and
 * delays that it causes are counted, not reported as failures.
 */
import { LEASE_GRACE_MS, LINK_CHECK_MS, MS_PER_SECOND, UNLINKED_MS } from '../../src/core/job/limits.ts';
import type { Fence, HistoryEntry, JobRecord } from '../../src/core/job/record.ts';
import { Broken, isSameWait, type Ledger, type PendingRecord, type Run } from './ledger.ts';
import type { ObjectHost } from './platform/object-host.ts';
import type { Isolate, World } from './platform/world.ts';
import type { Tally } from './tally.ts';

/** Maximum delay of a retry: delays are in whole seconds, and the rest is latency. */
const RETRY_WITHIN_MS = 3_000;
/** Maximum time until a job whose message is lost has another one sent. */
const LOOK_WITHIN_MS = 30_000;
/** Maximum time until an attempt's outcome reaches its job, once the job is reachable: tries are at most 10 s apart. */
const REPORT_WITHIN_MS = 13_000;

/** Maximum time until a job notices that its attempt died: until its object looks, and the time without a link. */
const NOTICED_WITHIN_MS = LINK_CHECK_MS + UNLINKED_MS.broken + 5_000;

/** Maximum rate at which one consumer may open its link to one object: never in a loop, and less often while the object is unreachable. */
const CONNECTS = [
	{ most: 4, perMs: 1_000 },
	{ most: 12, perMs: 30_000 },
] as const;
/** Maximum rate at which one consumer may call one object. */
const CALLS = { most: 40, perMs: 1_000 };

/** A job that has waited for longer than this was affected by a fault before. */
const LATE_MS = 1_000;

const CONSUMER_LIMIT_MS = 15 * 60_000;
const REDELIVERED_MS = 30_000;
/** Durations of faults that have none of their own. */
const FAULT_MS: Readonly<Record<string, number>> = {
	'calls hung': CONSUMER_LIMIT_MS,
	'sends hung': 60_000,
	// An alarm that keeps failing moves itself an hour ahead.
	'alarms failed': 65 * 60_000,
};

/** The scope of a fault: `way` affects calls and messages, `object` also the object's own work. */
export type Reach = 'way' | 'object';

interface Expectation {
	readonly job: number;
	/** The name that it is counted by, as in "retries". */
	readonly what: string;
	readonly withinMs: number;
	/** The faults that excuse a delay. */
	readonly reach: Reach;
	readonly isMet: () => boolean;
	/** Whether it can no longer be met, for a reason outside the service. */
	readonly isOver: () => boolean;
	/** Whether the time starts again after a fault. */
	readonly isRenewed?: boolean;
	/** The failure message. */
	readonly otherwise: string;
}

export interface TimingOptions {
	readonly tally: Tally;
	readonly runs: readonly Run[];
	readonly ledgerOf: (id: string) => Ledger;
	/** Whether a message for the job is in a queue whose consumers, not counting this one, are all busy. */
	readonly isBehindOthers: (job: number, consumer: Isolate | undefined) => boolean;
}

export class Timing {
	readonly #world: World;
	readonly #options: TimingOptions;
	/** Time until which a job is disturbed, by reach and number; "all" means every job. */
	readonly #disturbedUntilMs = new Map<string, number>();
	readonly #doubled = new Set<number>();
	readonly #killed = new WeakSet<Isolate>();
	readonly #calls = new WeakMap<Isolate, Map<string, number[]>>();

	constructor(world: World, options: TimingOptions) {
		this.#world = world;
		this.#options = options;
	}

	// — faults —

	/** Registers a fault that affects a job, or all jobs. */
	disturb(reach: Reach, job: number | undefined, forMs = 0): void {
		const untilMs = this.#world.nowMs + forMs;
		const reaches: readonly Reach[] = reach === 'object' ? ['way', 'object'] : ['way'];
		for (const each of reaches) {
			const key = `${each} ${job ?? 'all'}`;
			this.#disturbedUntilMs.set(key, Math.max(untilMs, this.#disturbedUntilMs.get(key) ?? 0));
		}
	}

	fault(what: string, job: number, ms: number): void {
		if (what === 'messages duplicated') this.#doubled.add(job);
		// An alarm is late from its own time on, which may be that of the next look for a link. What it does then takes time, too.
		const afterMs = what === 'alarms late' ? LINK_CHECK_MS + RETRY_WITHIN_MS : 0;
		this.disturb(what.startsWith('alarms') ? 'object' : 'way', job, Math.max(ms, FAULT_MS[what] ?? 0) + afterMs);
	}

	/** A consumer died; its messages will be redelivered. */
	lost(consumer: Isolate, jobs: readonly number[]): void {
		this.#killed.add(consumer);
		for (const job of jobs) this.disturb('way', job, REDELIVERED_MS);
		for (const run of this.#options.runs) if (run.consumer === consumer) this.#died(run);
	}

	/** An attempt died with its consumer. Its job notices, even if no client asks. */
	#died({ id, fence, life }: Run): void {
		const ledger = this.#options.ledgerOf(id);
		const hasIt = () => ledger.life === life && ledger.isKnownToHold(fence) && !ledger.isWaiting;
		if (!hasIt()) return;
		this.#expect({
			job: ledger.job,
			what: 'deaths noticed',
			withinMs: NOTICED_WITHIN_MS + (ledger.record?.isOnce ? UNLINKED_MS.once : 0),
			reach: 'object',
			isMet: () => !hasIt(),
			// The attempt seems to have begun later than it did.
			isOver: () => this.#world.wentBack,
			otherwise: `attempt ${fence.epoch}/${fence.attempt} died with its consumer, and had its job ${NOTICED_WITHIN_MS} ms later`,
		});
	}

	/** The consumer of these jobs waits for a connection to send a request. */
	held(jobs: readonly number[]): void {
		for (const job of jobs) this.disturb('way', job, CONSUMER_LIMIT_MS);
	}

	/** Whether two messages may request this job at once. */
	isDoubled(job: number): boolean {
		return this.#doubled.has(job);
	}

	// — promises —

	entry(ledger: Ledger, { type, epoch, attempt, seq, nextAttemptAt }: HistoryEntry): void {
		if (type !== 'retrying' || nextAttemptAt === undefined) return;
		const { job, life } = ledger;
		const fence = { epoch, attempt };
		const last = this.#options.runs.findLast((run) => run.id === ledger.id && isSame(run.fence, fence));
		const isOn = () => {
			const { record } = ledger;
			const { state } = record ?? {};
			const isElsewhere = ledger.life !== life || state?.name !== 'pending' || !isSame(record, fence);
			return isElsewhere || state.notBefore > nextAttemptAt || ledger.isStartedInMemory(record as JobRecord);
		};
		this.#expect({
			job,
			what: 'retries',
			withinMs: Math.max(0, nextAttemptAt - this.#world.clock) + RETRY_WITHIN_MS,
			reach: 'way',
			isMet: () => {
				if (!isOn()) return false;
				if (last?.consumer && !last.consumer.isDead) this.#options.tally.add('retries beside a neighbour in time');
				return true;
			},
			isOver: () => this.#options.isBehindOthers(job, last?.consumer),
			otherwise: `the retry of event ${seq} had not started ${RETRY_WITHIN_MS} ms after its time`,
		});
	}

	/** The job waits, and its message may be lost. */
	pending(ledger: Ledger, record: PendingRecord): void {
		const { life, sends } = ledger;
		const { notBefore, sentAt = 0 } = record.state;
		// Checks follow from the time alone: after a late alarm or a clock jump, some of them are past already.
		if (this.#world.clock - Math.max(notBefore, sentAt) > LATE_MS) return;
		this.#expect({
			job: ledger.job,
			what: 'looks',
			withinMs: Math.max(0, Math.max(notBefore, sentAt) - this.#world.clock) + LOOK_WITHIN_MS,
			reach: 'object',
			isMet: () => ledger.life !== life || ledger.sends > sends || !isSameWait(ledger.record, record),
			// An attempt has the job, and its start is not written yet.
			isOver: () => ledger.isStartedInMemory(record),
			otherwise: `a job was waiting, and no message was sent again for it in ${LOOK_WITHIN_MS} ms`,
		});
	}

	/** An attempt has an outcome. */
	finished(number: number): void {
		const run = this.#options.runs[number];
		if (!run) return;
		const { fence, life, consumer } = run;
		const ledger = this.#options.ledgerOf(run.id);
		const holdsIt = () => ledger.isHeldBy(fence);
		// If a fault lasts as long as the lease, the consumer gives up before that, and nothing holds the outcome any more.
		// The lease of a followed operation is the operation's. Its consumer gives up after the time limit of an attempt, and
		// the next delivery of its message asks for the outcome again.
		const finishedAt = this.#world.clock;
		const isLeaseOver = () => {
			const { state, options } = (holdsIt() ? ledger.record : undefined) ?? {};
			if (!state || !options) return false;
			const consumerMs = options.timeoutSeconds * MS_PER_SECOND + LEASE_GRACE_MS;
			// The start is not written.
			if (state.name !== 'running') return this.#world.clock >= (fence.startedAt ?? finishedAt) + consumerMs;
			const isFollowed = state.waiting?.following !== undefined;
			return this.#world.clock >= (isFollowed ? finishedAt + consumerMs : state.leaseEndsAt);
		};
		const isLost = () => ledger.entries.some((entry) => isSame(entry, fence) && entry.error?.code === 'DeliveryFailed');
		this.#expect({
			job: ledger.job,
			what: 'reports',
			withinMs: REPORT_WITHIN_MS,
			reach: 'way',
			isMet: () => ledger.life === life && !holdsIt() && !isLost(),
			isOver: () =>
				ledger.life !== life || isLost() || isLeaseOver() || (consumer !== undefined && this.#killed.has(consumer)),
			isRenewed: true,
			otherwise: `the outcome of attempt ${fence.epoch}/${fence.attempt} had not reached its job ${REPORT_WITHIN_MS} ms later`,
		});
	}

	called({ id, job }: ObjectHost, name: string, caller: Isolate | undefined): void {
		if (caller?.kind !== 'consumer' && caller?.kind !== 'door') return;
		if (name === 'attempt') for (const bound of CONNECTS) this.#keepPace('link opened', id, job, caller, bound);
		this.#keepPace('object called', id, job, caller, CALLS);
	}

	// — how deadlines are checked —

	#expect(expectation: Expectation, delayMs = expectation.withinMs): void {
		const { job, what, withinMs, reach, isMet, isOver, isRenewed = false, otherwise } = expectation;
		const { tally } = this.#options;
		const world = this.#world;
		const sinceMs = world.nowMs;
		const look = () => {
			if (isMet()) return tally.add(`${what} in time`);
			if (isOver()) return tally.add(`${what} overtaken`);
			const untilMs = this.#disturbedUntil(reach, job);
			if (untilMs < sinceMs) throw new Broken(`job ${job}: ${otherwise}`);
			if (!isRenewed) return tally.add(`${what} held up by a fault`);
			this.#expect(expectation, Math.max(1, untilMs - world.nowMs + withinMs));
		};
		world.schedule(delayMs, { label: `look whether ${what} are in time`, job, isQuiet: true, run: look });
	}

	#disturbedUntil(reach: Reach, job: number): number {
		const until = (key: string) => this.#disturbedUntilMs.get(`${reach} ${key}`) ?? -1;
		return Math.max(until(String(job)), until('all'));
	}

	#keepPace(
		what: string,
		id: string,
		job: number,
		caller: Isolate,
		{ most, perMs }: { readonly most: number; readonly perMs: number },
	): void {
		const all = this.#calls.get(caller) ?? new Map<string, number[]>();
		this.#calls.set(caller, all);
		const key = `${what} ${most} ${id}`;
		const times = all.get(key) ?? [];
		all.set(key, times);
		times.push(this.#world.nowMs);
		if (times.length <= most) return;
		const tookMs = this.#world.nowMs - (times.shift() ?? 0);
		if (tookMs < perMs) throw new Broken(`job ${job}: ${what} ${most + 1} times in ${Math.round(tookMs)} ms`);
	}
}

function isSame(a: Fence | undefined, b: Fence): boolean {
	return a?.epoch === b.epoch && a.attempt === b.attempt;
}
