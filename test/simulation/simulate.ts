/** Runs the real Worker and its real objects on a simulated platform once, and checks every promise during the run. */
import './platform/hooks.ts';
import type { Erasure } from '../../src/core/batch/erasure.ts';
import type { Fence } from '../../src/core/job/record.ts';
import { Agenda, Armed } from './faults.ts';
import { Broken, Ledger, type Run } from './ledger.ts';
import { Outside, UPSTREAM } from './outside.ts';
import { Connections } from './platform/connections.ts';
import { installGlobals, surroundWith } from './platform/globals.ts';
import type { Instance, ObjectHost } from './platform/object-host.ts';
import { Objects } from './platform/objects.ts';
import { Queues } from './platform/queues.ts';
import { CONSUMERS, PRODUCERS } from './platform/settings.ts';
import { type Isolate, World } from './platform/world.ts';
import { Stories } from './readers.ts';
import type { AttemptPlan, Deed, JobPlan, Schedule, WISHES } from './schedule.ts';
import { Tally } from './tally.ts';
import { Timing } from './timing.ts';

const { JobObject } = await import('../../src/object/job-object.ts');
const { BatchObject } = await import('../../src/object/batch-object.ts');
const { UpstreamGate } = await import('../../src/object/upstream-gate.ts');
const { lanesOf, queuesOf } = await import('../../src/queue/lanes.ts');
const { sendJob } = await import('../../src/queue/send.ts');
const { Clients, ORIGIN } = await import('./clients.ts');
const { SimulatedList } = await import('./list.ts');
const { ListCheck } = await import('./list-check.ts');
const { createWorker, workFor } = await import('./work.ts');

/** A run with more events than this never comes to rest. */
const MAX_EVENTS = 20_000;
/** Upstreams are remembered by name, so each run uses a name of its own. */
let upstreams = 0;

const VARIABLES = {
	AUTH: 'none',
	PUBLIC_URL: ORIGIN,
	ALLOW_PRIVATE_TARGETS: 'true',
	WEBHOOK_SECRETS: '["whsec_Y29hdGNoZWNrLWxvY2FsLWRldmVsb3BtZW50LW9ubHk="]',
};

export interface Outcome {
	/** The broken promise, if there is one. */
	readonly broken: Error | undefined;
	readonly counts: Readonly<Record<string, number>>;
	readonly trace: readonly string[];
}

/** Objects whose calls and writes are not compared with promises. */
const UNWATCHED = { onCall: () => {}, onCommit: () => {}, onAnswer: () => {}, onAnswered: () => {} };

/** The call that an object answered. */
interface Asked {
	readonly caller: Isolate | undefined;
	readonly args: readonly unknown[];
}

installGlobals();

export async function simulate(schedule: Schedule, isTraced = false): Promise<Outcome> {
	const simulation = new Simulation(schedule, isTraced);
	const broken = await simulation.run();
	return { broken, counts: simulation.tally.counts, trace: simulation.world.trace ?? [] };
}

class Simulation {
	readonly #schedule: Schedule;
	readonly world: World;
	readonly tally = new Tally();
	readonly #armed: Armed;
	readonly #agenda: Agenda;
	readonly #objects: Objects;
	readonly #queues: Queues;
	readonly #clients: InstanceType<typeof Clients>;
	readonly #env: Record<string, unknown>;
	readonly #ledgers = new Map<string, Ledger>();
	readonly #stories = new Map<string, Stories>();
	readonly #runs: Run[] = [];
	readonly #leases = new Map<Isolate, Map<string, Fence>>();
	readonly #outside: Outside;
	readonly #gates: Objects;
	readonly #batches: Objects;
	readonly #lists: Objects;
	readonly #timing: Timing;
	readonly #listCheck: InstanceType<typeof ListCheck>;
	#broken: Error | undefined;

	constructor(schedule: Schedule, isTraced: boolean) {
		this.#schedule = schedule;
		// With memory of its own.
		const worker = createWorker();
		const world = new World(schedule.seed, isTraced);
		this.world = world;
		const timing = new Timing(world, {
			tally: this.tally,
			runs: this.#runs,
			ledgerOf: (id) => this.ledgerOf(id),
			isBehindOthers: (job, consumer) => this.#queues.isBehindOthers(job, consumer),
		});
		this.#timing = timing;
		this.#armed = new Armed(this.tally, (what, job, ms) => {
			world.say(() => `    — ${what}`, job);
			timing.fault(what, job, ms);
		});
		this.#agenda = new Agenda(schedule, (job, deed) => this.#apply(job, deed));
		const fault = (what: string, job: number) => this.#armed.take(what, job);
		this.#objects = new Objects(world, {
			create: (context) => new JobObject(context as DurableObjectState, this.#env as never) as unknown as Instance,
			fault,
			onCall: (host, name, caller) => this.#watched(() => timing.called(host, name, caller)),
			onCommit: (host, writes, turn) => this.#watched(() => this.ledgerOf(host.id).commit(writes, turn)),
			onAnswer: (host, method, value) => this.#watched(() => this.ledgerOf(host.id).answer(method, value)),
			onAnswered: (host, method, value, caller, args) => this.#answered(host, method, value, { caller, args }),
		});
		this.#gates = new Objects(world, {
			...UNWATCHED,
			create: (context) => new UpstreamGate(context as DurableObjectState, this.#env as never) as unknown as Instance,
			fault: () => undefined,
		});
		this.#batches = new Objects(world, {
			...UNWATCHED,
			create: (context) => new BatchObject(context as DurableObjectState, this.#env as never) as unknown as Instance,
			fault,
		});
		this.#lists = new Objects(world, {
			...UNWATCHED,
			create: (context) => new SimulatedList(context as DurableObjectState, this.#env as never) as unknown as Instance,
			fault,
		});
		this.#listCheck = new ListCheck(world, this.#lists, {
			schedule,
			tally: this.tally,
			onBroken: (error) => {
				this.#broken ??= error;
			},
		});
		const connections = new Connections((consumer) => {
			this.tally.add('requests held back');
			timing.held(consumer.kind === 'door' ? [consumer.job ?? 0] : this.#queues.jobsOf(consumer));
		});
		this.#outside = new Outside(world, {
			schedule,
			tally: this.tally,
			connections,
			begin: (caller, id) => this.#beginRequest(caller, id),
			finish: (run) => timing.finished(run),
			isDoubled: (job) => timing.isDoubled(job),
			onBroken: (error) => {
				this.#broken ??= error;
			},
		});
		this.#queues = new Queues(world, CONSUMERS, {
			...schedule,
			fault: (what, jobs) => this.#faultOfMessage(what, jobs),
			connections,
			onLost: (consumer, jobs) => timing.lost(consumer, jobs),
			tally: (what) => this.tally.add(what),
			jobsOf: (body) => idsIn(body).map((id) => this.#objects.hosts.get(id)?.job ?? 0),
			onSend: (body, by) => this.#sent(body, by),
			consume: (batch, context) =>
				(worker.queue as unknown as (...args: unknown[]) => Promise<void>)(batch, this.#env, context),
		});
		const lanes = PRODUCERS.map(({ binding, queue }) => [binding, this.#queues.bindingOf(queue)]);
		const upstream = `upstream-${upstreams++}`;
		this.#env = {
			...VARIABLES,
			UPSTREAMS: JSON.stringify({ [upstream]: { baseUrl: UPSTREAM, follow: true } }),
			JOBS: this.#objects.binding,
			GATES: this.#gates.binding,
			BATCHES: this.#batches.binding,
			TOPICS: this.#lists.binding,
			...Object.fromEntries(lanes),
		};
		this.#clients = new Clients(world, {
			worker,
			env: this.#env,
			jobs: schedule.jobs,
			upstream,
			ledgerOf: (id) => this.ledgerOf(id),
			storiesOf: (id) => this.#storiesOf(id),
			tally: this.tally,
			onBroken: (error) => {
				this.#broken ??= error as Error;
			},
		});
	}

	/** @returns the broken promise, if there is one. */
	async run(): Promise<Error | undefined> {
		this.#surround();
		try {
			await alignTurns(this.#env);
			this.#plan();
			while (this.#broken === undefined && (await this.world.step())) {
				if (this.world.events > MAX_EVENTS) throw new Broken(`the run did not come to rest in ${MAX_EVENTS} events`);
			}
			if (this.#broken === undefined) this.#atRest();
			return this.#broken;
		} catch (error) {
			if (error instanceof Broken) return error;
			throw error;
		} finally {
			this.#count();
			surroundWith(undefined);
			workFor(undefined);
		}
	}

	ledgerOf(id: string): Ledger {
		let ledger = this.#ledgers.get(id);
		if (!ledger) {
			const host = this.#objects.hosts.get(id);
			if (!host) throw new Broken(`there is no object ${id}`);
			ledger = new Ledger(this.world, host, this.#runs, {
				onEntry: (of, entry) => {
					this.#timing.entry(of, entry);
					this.#listCheck.entry(of, entry);
				},
				onPending: (of, record) => this.#timing.pending(of, record),
				triesOf: (of, seq) => this.#outside.triesOf(of, seq),
				isErasedByBatch: (of) => this.#isErasedByBatch(of),
			});
			this.#ledgers.set(id, ledger);
		}
		return ledger;
	}

	/** Whether a batch has planned to erase the job, and an alarm will run it. */
	#isErasedByBatch(id: string): boolean {
		const isPlanned = ({ storage, isLookedAfter }: ObjectHost) =>
			isLookedAfter && (storage.rows.get('erasure') as Erasure | undefined)?.ids.includes(id) === true;
		return [...this.#batches.hosts.values()].some(isPlanned);
	}

	#storiesOf(id: string): Stories {
		const stories = this.#stories.get(id) ?? new Stories();
		this.#stories.set(id, stories);
		return stories;
	}

	#surround(): void {
		const { world } = this;
		surroundWith({
			world,
			fetch: (sent) => this.#outside.fetch(sent),
			log: (line) => world.say(() => `    log: ${line}`, world.current?.job),
		});
		workFor({
			begin: (job, id, attempt) => this.#beginWork(job, id, attempt),
			end: (job, run, plan) => {
				this.#mark('work ends', job);
				if (/^(answers|fails)/.test(plan.ends)) this.#timing.finished(run);
			},
			handOver: (run, plan) => this.#handOver(run, plan),
			kill: () => this.#kill(world.current),
		});
		world.onBefore = (event) => this.#agenda.before(event);
		world.onAfter = (event) => {
			this.#agenda.after(event);
			this.#watched(() => {
				for (const ledger of this.#ledgers.values()) ledger.lookedAfter();
			});
		};
	}

	#plan(): void {
		const { jobs, steps } = this.#schedule;
		for (const [job, { atMs }] of jobs.entries()) this.#clients.submitLater(job, atMs);
		for (const { job, at, deed } of steps) {
			if (!('atMs' in at)) continue;
			const whose = job % jobs.length;
			this.world.schedule(at.atMs, {
				label: 'a step is due',
				job: whose,
				isQuiet: true,
				run: () => this.#apply(whose, deed),
			});
		}
	}

	/** Records a broken promise where an exception would be swallowed: inside a call, or in the work itself. */
	#watched(check: () => void): void {
		try {
			check();
		} catch (error) {
			this.#broken ??= error as Error;
		}
	}

	// — faults —

	#apply(job: number, deed: Deed): void {
		this.world.say(() => `  ⚡ ${deed.what}`, job);
		if ('times' in deed) return this.#armed.arm(deed.what, job, deed.times, 'ms' in deed ? deed.ms : 0);
		switch (deed.what) {
			case 'object reset':
				this.#timing.disturb('way', job);
				return this.#happened(deed.what, this.#hostsOf(job).filter((host) => host.reset()).length > 0);
			case 'object evicted':
				return this.#happened(deed.what, this.#hostsOf(job).filter((host) => host.evict()).length > 0);
			case 'consumer killed': {
				const consumers = this.#queues.consumersOf(job);
				for (const consumer of consumers) consumer.die();
				return this.#happened(deed.what, consumers.length > 0);
			}
			case 'door killed':
				return this.#happened(deed.what, this.#clients.killDoors(job));
			case 'restart':
				return this.#restart();
			case 'clock jumps':
				this.world.jumpClock(deed.ms);
				this.#timing.disturb('object', undefined);
				return this.#happened(deed.ms < 0 ? 'clock jumps back' : 'clock jumps forward', true);
			case 'object away':
				for (const host of this.#hostsOf(job)) host.goAway(deed.ms);
				this.#timing.disturb('object', job, deed.ms);
				return this.#happened(deed.what, this.#objects.of(job).length > 0);
			case 'queues stall':
				this.#timing.disturb('way', undefined, deed.ms);
				this.#queues.stall(deed.ms);
				return this.#happened(deed.what, true);
			default:
				return this.#clients.wish(job, deed.what as (typeof WISHES)[number]);
		}
	}

	/** A fault of one job's message affects every job that the message names. */
	#faultOfMessage(what: string, jobs: readonly number[]): number | undefined {
		for (const job of jobs) {
			const ms = this.#armed.take(what, job);
			if (ms === undefined) continue;
			for (const each of jobs) this.#timing.fault(what, each, ms);
			return ms;
		}
		return undefined;
	}

	#restart(): void {
		this.#clients.killDoors();
		this.#queues.restart();
		for (const { hosts } of [this.#objects, this.#batches, this.#lists])
			for (const host of hosts.values()) host.reset();
		this.#timing.disturb('object', undefined);
		this.#happened('restart', true);
	}

	/** The objects of a job and of its batch, and the list that it was told to first. */
	#hostsOf(job: number): ObjectHost[] {
		return [this.#objects, this.#batches, this.#lists].flatMap((objects) => objects.of(job));
	}

	#happened(what: string, hasHappened: boolean): void {
		if (hasHappened) this.tally.add(what);
	}

	// — workers and receivers —

	#beginWork(job: number, id: string, attempt: number) {
		const plans = this.#schedule.jobs[job]?.attempts ?? [];
		const plan = plans[Math.min(attempt, plans.length) - 1];
		const { current } = this.world;
		const fence = current && this.#leases.get(current)?.get(id);
		this.#watched(() => {
			if (!this.#mayWork(current, job)) throw new Broken(`work was done in ${current?.kind}`);
			if (!fence || fence.attempt !== attempt) throw new Broken(`attempt ${attempt} runs without a lease`);
		});
		const run = this.#runs.length;
		this.#runs.push({
			id,
			life: this.ledgerOf(id).life,
			fence: fence ?? { epoch: 0, attempt: 0 },
			consumer: current,
		});
		if (current?.kind === 'door') this.#beginAtOnce(current, job);
		this.#mark('work begins', job);
		if (!plan) throw new TypeError(`Job ${job} has no plan`);
		return { plan, run };
	}

	/** The first attempt of a job of lane "now" runs in the Worker that accepted it. */
	#mayWork(isolate: Isolate | undefined, job: number): boolean {
		return isolate?.kind === 'consumer' || (isolate?.kind === 'door' && this.#schedule.jobs[job]?.lane === 'now');
	}

	#beginAtOnce(door: Isolate, job: number): void {
		this.tally.add('attempts at once');
		door.atDeath(() => {
			this.tally.add('Workers lost after their attempt at once began');
			this.#timing.lost(door, [job]);
		});
	}

	#handOver(number: number, plan: AttemptPlan): void {
		const run = this.#runs[number];
		if (run) this.#clients.workElsewhere(run, number, plan, this.#objects.hosts.get(run.id)?.job ?? 0);
	}

	#answered(host: ObjectHost, method: string, value: unknown, { caller, args }: Asked): void {
		this.#watched(() => this.ledgerOf(host.id).told(method, value));
		if (method !== 'startAttempt' || !caller) return;
		const [{ delivery }] = args as [{ delivery?: string }];
		const { started, lease } = value as { started: boolean; lease?: { fence: Fence } };
		if (!started || !lease) return;
		this.#watched(() => this.ledgerOf(host.id).leased(lease.fence, delivery));
		const leases = this.#leases.get(caller) ?? new Map<string, Fence>();
		this.#leases.set(caller, leases.set(host.id, lease.fence));
	}

	#sent(body: unknown, by: Isolate | undefined): void {
		if (by?.kind !== 'object' || !('epoch' in (body as object))) return;
		this.#watched(() => this.ledgerOf((body as { id: string }).id).sent());
	}

	#kill(isolate: Isolate | undefined): void {
		this.tally.add('consumers killed by their work');
		this.world.schedule(0, { label: 'out of memory', job: isolate?.job, isQuiet: true, run: () => isolate?.die() });
	}

	/** Signals an event that a step may wait for. */
	#mark(label: string, job: number): void {
		this.world.schedule(0, { label, job, isQuiet: true, run: () => {} });
	}

	/** An attempt calls the upstream. */
	#beginRequest(caller: Isolate | undefined, id: string) {
		const ledger = this.ledgerOf(id);
		const fence = caller && this.#leases.get(caller)?.get(id);
		if (!fence) throw new Broken('an upstream was called without a lease');
		const { life } = ledger;
		this.#runs.push({ id, life, fence, consumer: caller });
		return { run: this.#runs.length - 1, life, fence };
	}

	// — the end —

	#atRest(): void {
		this.#watched(() => {
			for (const ledger of this.#ledgers.values()) ledger.atRest();
			for (const { storage, alarmAt } of this.#batches.hosts.values())
				if (storage.rows.size > 0 || alarmAt !== undefined) throw new Broken('rows or an alarm of a batch are left');
			for (const ledger of this.#ledgers.values()) this.#listCheck.atRest(ledger);
			for (const reader of this.#clients.readers) reader.missedNothing();
			if (this.#schedule.steps.length === 0) this.#asPlanned();
			if (this.#queues.waiting > 0) throw new Broken(`${this.#queues.waiting} messages are left`);
		});
	}

	/** Without faults, a job ends as its plan says. */
	#asPlanned(): void {
		const { jobs } = this.#schedule;
		const kills = jobs.some(({ attempts }) => attempts.some(({ ends }) => ends === 'kills'));
		if (kills) return;
		for (const host of this.#objects.hosts.values()) {
			const plan = jobs[host.job];
			const expected = plan && endOf(plan);
			const ends = this.ledgerOf(host.id).finals;
			const isSo = expected === undefined || (ends.length === 1 && ends[0] === expected);
			if (!isSo) throw new Broken(`job ${host.job}: without a fault, it ended ${ends.join(', ')}`);
		}
	}

	#count(): void {
		this.tally.add('schedules');
		this.tally.add('events', this.world.events);
		this.tally.add('attempts', this.#runs.length);
		for (const host of this.#objects.hosts.values()) this.tally.add('alarms', host.alarmRuns);
		for (const { finals, entries } of this.#ledgers.values()) {
			for (const final of finals) this.tally.add(`ended ${final}`);
			for (const { error } of entries) if (error) this.tally.add(`error ${error.code}`);
		}
	}
}

/** The ids of a message's jobs. */
function idsIn(body: unknown): string[] {
	const { id, jobs = [] } = body as { id?: string; jobs?: { id: string }[] };
	return id === undefined ? jobs.map((job) => job.id) : [id];
}

/** The end of a job without faults; `undefined` if it depends on exact times. */
function endOf({ attempts, maxAttempts, timeoutSeconds, startWithinSeconds, upstream }: JobPlan): string | undefined {
	if (startWithinSeconds !== undefined) return undefined;
	if (upstream) return upstream.answers.length === 0 && timeoutSeconds > 1 ? 'succeeded' : undefined;
	// Requests of a task may be slow, and have to wait for a connection.
	if (timeoutSeconds < 60 && attempts.some(({ calls = 0 }) => calls > 0)) return undefined;
	for (let attempt = 1; attempt <= maxAttempts; attempt++) {
		const plan = attempts[Math.min(attempt, attempts.length) - 1];
		if (plan?.ends === 'is finished elsewhere') return 'succeeded';
		const isInTime = plan !== undefined && plan.ms < timeoutSeconds * 1_000;
		if (isInTime && plan.ends.startsWith('answers')) return 'succeeded';
		if (isInTime && plan.ends === 'fails for good') return 'failed';
	}
	return 'failed';
}

/** The order of a lane's queues is remembered between runs, so this makes every run begin with the first. */
async function alignTurns(env: object): Promise<void> {
	const lanes = lanesOf(env);
	for (const [lane, queues] of [...lanes, ['now', queuesOf(lanes, 'now')] as const]) {
		let isLast = queues.length === 0;
		const fakes = queues.map((_, index) => ({
			send: async () => {
				isLast = index === queues.length - 1;
				return {};
			},
		}));
		const probes = new Map([[lane, fakes as never]]);
		while (!isLast) await sendJob(probes, lane, { message: { v: 1, id: '', epoch: 1 } });
	}
}
