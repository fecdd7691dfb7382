/**
 * Queues and their consumers: at-least-once delivery, in no order, in batches. A consumer's acknowledgements take effect when its
 * whole batch has ended. If the consumer dies before, all messages are redelivered.
 */
import type { Connections } from './connections.ts';
import { Isolate, type World } from './world.ts';

export interface QueueSettings {
	readonly name: string;
	readonly maxBatchSize: number;
	readonly maxRetries: number;
	readonly retryDelaySeconds: number;
	/** Default: none; exhausted messages are lost. */
	readonly deadLetterQueue?: string;
}

/** A lane's queue, as bound in the Worker. */
export interface QueueBinding {
	readonly binding: string;
	readonly queue: string;
}

export interface Message {
	readonly id: string;
	readonly body: unknown;
	/** The jobs that it names. */
	readonly jobs: readonly number[];
	readonly sentAt: number;
	readonly order: number;
	attempts: number;
	visibleMs: number;
}

export interface QueueOptions {
	readonly jobsOf: (body: unknown) => readonly number[];
	/** The fault of a message that names these jobs. */
	readonly fault: (kind: string, jobs: readonly number[]) => number | undefined;
	readonly tally: (what: string) => void;
	/** A send uses one of its invocation's connections. */
	readonly connections: Connections;
	/** A consumer with messages of these jobs died. */
	readonly onLost: (consumer: Isolate, jobs: readonly number[]) => void;
	/** A message was sent. It may still be lost. */
	readonly onSend: (body: unknown, by: Isolate | undefined) => void;
	/** Runs the Worker's handler. */
	readonly consume: (batch: unknown, context: { waitUntil: (promise: Promise<unknown>) => void }) => Promise<void>;
	/** Maximum number of batches of one queue in progress at once. */
	readonly concurrency: number;
	/** Maximum number of redeliveries before a message becomes a dead letter. */
	readonly maxRetries: number;
}

interface Sending {
	readonly body: unknown;
	readonly delaySeconds?: number;
}

type Verdict = { readonly ack: true } | { readonly ack: false; readonly delaySeconds: number | undefined };

const DELIVERY_MS = { min: 1, max: 30 };
const ANSWER_MS = { min: 1, max: 8 };
/** Time limit of a consumer. */
const CONSUMER_LIMIT_MS = 15 * 60_000;
/** Time until the messages of a dead consumer are redelivered. */
const REDELIVERY_MS = { min: 500, max: 30_000 };
/** A send that hangs fails after this time. */
const HUNG_SEND_MS = 57_000;
const HUNG = Symbol('hung');

export class Queues {
	readonly #world: World;
	readonly #options: QueueOptions;
	readonly #queues = new Map<string, SimulatedQueue>();

	constructor(world: World, settings: readonly QueueSettings[], options: QueueOptions) {
		this.#world = world;
		this.#options = options;
		for (const each of settings) this.#queues.set(each.name, new SimulatedQueue(world, each, options, this));
	}

	named(name: string): SimulatedQueue {
		const queue = this.#queues.get(name);
		if (!queue) throw new TypeError(`No queue "${name}"`);
		return queue;
	}

	/** The consumers that hold a message of this job. */
	consumersOf(job: number): Isolate[] {
		return [...this.#queues.values()].flatMap((queue) => queue.consumersOf(job));
	}

	/** Whether a message for the job's work is in a queue whose consumers, not counting `own`, are all busy. */
	isBehindOthers(job: number, own: Isolate | undefined): boolean {
		return [...this.#queues.values()].some((queue) => queue.isBehindOthers(job, own));
	}

	/** The jobs whose messages a consumer holds. */
	jobsOf(consumer: Isolate): number[] {
		return [...this.#queues.values()].flatMap((queue) => queue.jobsOf(consumer));
	}

	stall(ms: number): void {
		for (const queue of this.#queues.values()) queue.stall(ms);
	}

	/** Loses every message and every consumer. */
	restart(): void {
		for (const queue of this.#queues.values()) queue.restart();
	}

	get waiting(): number {
		let waiting = 0;
		for (const queue of this.#queues.values()) waiting += queue.waiting;
		return waiting;
	}

	/** The binding that the Worker sends with. */
	bindingOf(name: string): unknown {
		const queue = this.named(name);
		return {
			send: (body: unknown, options: { delaySeconds?: number } = {}) =>
				this.#connected((caller) => this.#send(queue, caller, [{ body, ...options }])),
			sendBatch: (sendings: Iterable<Sending>) => this.#connected((caller) => this.#send(queue, caller, [...sendings])),
			metrics: async () => queue.metrics(),
		};
	}

	#connected(send: (caller: Isolate | undefined) => Promise<unknown>): Promise<unknown> {
		const caller = this.#world.current;
		return this.#options.connections.use(caller, () => send(caller));
	}

	#send(queue: SimulatedQueue, caller: Isolate | undefined, sendings: readonly Sending[]): Promise<unknown> {
		const { fault, jobsOf, tally } = this.#options;
		const sent = sendings.map(({ body, delaySeconds = 0 }) => ({
			body: JSON.parse(JSON.stringify(body)) as object,
			delayMs: delaySeconds * 1_000,
		}));
		for (const { body } of sent) this.#options.onSend(body, caller);
		const first = sent[0]?.body ?? {};
		const jobs = sent.flatMap(({ body }) => jobsOf(body));
		const [job = 0] = jobs;
		return this.#answered(`send ${kindOf(first)}`, job, caller, () => {
			if (fault('sends failed', jobs) !== undefined) throw new Error('Queue is overloaded');
			if (fault('sends hung', jobs) !== undefined) return HUNG;
			for (const { body } of sent) if (jobsOf(body).length > 1) tally('bundles');
			for (const each of sent) this.#take(queue, each);
			return { metadata: { metrics: queue.metrics() } };
		});
	}

	#take(queue: SimulatedQueue, { body, delayMs }: { body: object; delayMs: number }): void {
		const { fault, jobsOf } = this.#options;
		const jobs = jobsOf(body);
		const copies = fault('messages duplicated', jobs) === undefined ? 1 : 2;
		const isDropped = fault('messages dropped', jobs) !== undefined;
		for (let copy = 0; copy < copies && !isDropped; copy++) {
			const lateMs = fault('messages delayed', jobs) ?? 0;
			queue.add(body, jobs, delayMs + lateMs);
		}
	}

	#answered(label: string, job: number, caller: Isolate | undefined, work: () => unknown): Promise<unknown> {
		const world = this.#world;
		const { promise, resolve, reject } = Promise.withResolvers<unknown>();
		const answer = (settle: () => void, afterMs = 0) =>
			world.schedule(afterMs + world.between(ANSWER_MS.min, ANSWER_MS.max, 'queue answer', job), {
				label: `${label} answered`,
				job,
				isolate: caller,
				run: settle,
			});
		const arrive = () =>
			world.schedule(world.between(ANSWER_MS.min, ANSWER_MS.max, 'queue latency', job), {
				label,
				job,
				isQuiet: true,
				run: () => {
					try {
						const value = work();
						if (value === HUNG) answer(() => reject(new Error('Queue is overloaded')), HUNG_SEND_MS);
						else answer(() => resolve(value));
					} catch (error) {
						answer(() => reject(error));
					}
				},
			});
		if (caller?.isDead) return promise;
		if (caller?.output) caller.output(arrive);
		else arrive();
		return promise;
	}
}

export class SimulatedQueue {
	readonly #world: World;
	readonly #settings: QueueSettings;
	readonly #options: QueueOptions;
	readonly #queues: Queues;
	readonly #ready: Message[] = [];
	readonly #batches = new Map<Isolate, readonly Message[]>();
	/** Number of promises that consumers work on in the background. */
	readonly #background = new Map<Isolate, number>();
	#stalledUntilMs = 0;
	#lastOrder = -1;

	constructor(world: World, settings: QueueSettings, options: QueueOptions, queues: Queues) {
		this.#world = world;
		this.#settings = settings;
		this.#options = options;
		this.#queues = queues;
	}

	get waiting(): number {
		let waiting = this.#ready.length;
		for (const batch of this.#batches.values()) waiting += batch.length;
		return waiting;
	}

	/** As in production, messages in progress and delayed messages count until they are acknowledged. */
	metrics(): unknown {
		const waiting = [...this.#ready, ...[...this.#batches.values()].flat()];
		const oldest = waiting.length === 0 ? undefined : new Date(Math.min(...waiting.map(({ sentAt }) => sentAt)));
		return { backlogCount: waiting.length, backlogBytes: 0, oldestMessageTimestamp: oldest };
	}

	add(body: unknown, jobs: readonly number[], delayMs: number): void {
		const world = this.#world;
		const order = world.count('message');
		const id = `message ${order}`;
		this.#put({ id, body, jobs, order, sentAt: world.clock, attempts: 0, visibleMs: world.nowMs + delayMs });
	}

	consumersOf(job: number): Isolate[] {
		return [...this.#batches].filter(([, batch]) => batch.some(({ jobs }) => jobs.includes(job))).map(([of]) => of);
	}

	jobsOf(consumer: Isolate): number[] {
		return (this.#batches.get(consumer) ?? []).flatMap(({ jobs }) => jobs);
	}

	isBehindOthers(job: number, own: Isolate | undefined): boolean {
		const isFull = this.#batches.size >= this.#options.concurrency;
		if (!isFull || (own !== undefined && this.#batches.has(own))) return false;
		return this.#ready.some(
			(message) =>
				message.jobs.includes(job) &&
				kindOf(message.body as object) === 'job' &&
				message.visibleMs <= this.#world.nowMs,
		);
	}

	stall(ms: number): void {
		this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#world.nowMs + ms);
		this.#pumpAt(this.#stalledUntilMs);
	}

	restart(): void {
		this.#ready.length = 0;
		const batches = [...this.#batches];
		this.#batches.clear();
		for (const [consumer, batch] of batches) {
			this.#options.onLost(
				consumer,
				batch.flatMap(({ jobs }) => jobs),
			);
			consumer.die();
		}
	}

	#put(message: Message): void {
		this.#ready.push(message);
		const latencyMs = this.#world.between(DELIVERY_MS.min, DELIVERY_MS.max, 'delivery', message.jobs[0]);
		this.#pumpAt(message.visibleMs + latencyMs);
	}

	#pumpAt(ms: number): void {
		this.#world.schedule(ms - this.#world.nowMs, {
			label: 'look for messages',
			isQuiet: true,
			run: () => this.#pump(),
		});
	}

	#pump(): void {
		const world = this.#world;
		if (world.nowMs < this.#stalledUntilMs || this.#batches.size >= this.#options.concurrency) return;
		const due = this.#ready.filter(({ visibleMs }) => visibleMs <= world.nowMs);
		if (due.length === 0) return;
		const size = world.between(1, Math.min(due.length, this.#settings.maxBatchSize), 'batch size');
		const batch = due.slice(0, size);
		for (const message of batch) this.#ready.splice(this.#ready.indexOf(message), 1);
		this.#start(batch);
		if (due.length > size) this.#pumpAt(world.nowMs);
	}

	#start(batch: readonly Message[]): void {
		const world = this.#world;
		const isolate = new Isolate('consumer', batch[0]?.jobs[0]);
		this.#batches.set(isolate, batch);
		for (const message of batch) {
			message.attempts++;
			if (message.order < this.#lastOrder) this.#options.tally('messages reordered');
			this.#lastOrder = message.order;
		}
		isolate.atDeath(() => this.#lost(isolate));
		const label = `deliver ${batch.map(({ body }) => kindOf(body as object)).join(', ')}`;
		for (const job of batch.flatMap(({ jobs }) => jobs)) {
			const event = { label: 'deliver', job, isQuiet: true, run: () => {} };
			world.schedule(0, event);
		}
		world.schedule(0, { label, job: batch[0]?.jobs[0], isolate, run: () => this.#run(isolate, batch) });
		world.schedule(CONSUMER_LIMIT_MS, {
			label: 'consumer has run too long',
			isolate,
			isQuiet: true,
			run: () => {
				this.#options.tally('consumers overran');
				isolate.die();
			},
		});
	}

	#run(isolate: Isolate, batch: readonly Message[]): void {
		const verdicts = new Map<Message, Verdict>();
		const say = (message: Message, verdict: Verdict) => {
			if (!verdicts.has(message)) verdicts.set(message, verdict);
		};
		const all = (verdict: Verdict) => {
			for (const message of batch) say(message, verdict);
		};
		const retry = ({ delaySeconds }: { delaySeconds?: number } = {}): Verdict => ({ ack: false, delaySeconds });
		const handed = {
			queue: this.#settings.name,
			messages: batch.map((message) => ({
				id: message.id,
				body: message.body,
				attempts: message.attempts,
				timestamp: new Date(message.sentAt),
				ack: () => say(message, { ack: true }),
				retry: (options?: { delaySeconds?: number }) => say(message, retry(options)),
			})),
			ackAll: () => all({ ack: true }),
			retryAll: (options?: { delaySeconds?: number }) => all(retry(options)),
		};
		const settle = (otherwise: Verdict) =>
			this.#world.schedule(this.#world.between(ANSWER_MS.min, ANSWER_MS.max, 'settle', batch[0]?.jobs[0]), {
				label: 'settle',
				job: batch[0]?.jobs[0],
				isolate,
				isQuiet: true,
				run: () => this.#settle(isolate, batch, verdicts, otherwise),
			});
		const waitUntil = (promise: Promise<unknown>) => {
			this.#background.set(isolate, (this.#background.get(isolate) ?? 0) + 1);
			const ended = () => this.#endBackground(isolate);
			promise.then(ended, ended);
		};
		this.#options.consume(handed, { waitUntil }).then(
			() => settle({ ack: true }),
			() => settle({ ack: false, delaySeconds: undefined }),
		);
	}

	#settle(isolate: Isolate, batch: readonly Message[], verdicts: ReadonlyMap<Message, Verdict>, otherwise: Verdict) {
		this.#batches.delete(isolate);
		for (const message of batch) {
			const verdict = verdicts.get(message) ?? otherwise;
			if (!verdict.ack) this.#again(message, (verdict.delaySeconds ?? this.#settings.retryDelaySeconds) * 1_000);
		}
		if (!this.#background.get(isolate)) isolate.die();
		this.#pumpAt(this.#world.nowMs);
	}

	/** A consumer may finish work in the background after its batch. The limit of its time ends that, too. */
	#endBackground(isolate: Isolate): void {
		const left = (this.#background.get(isolate) ?? 1) - 1;
		this.#background.set(isolate, left);
		if (left === 0 && !this.#batches.has(isolate)) isolate.die();
	}

	/** Its consumer died. */
	#lost(isolate: Isolate): void {
		const batch = this.#batches.get(isolate);
		if (!batch) return;
		this.#batches.delete(isolate);
		this.#options.onLost(
			isolate,
			batch.flatMap(({ jobs }) => jobs),
		);
		for (const message of batch) {
			this.#again(message, this.#world.between(REDELIVERY_MS.min, REDELIVERY_MS.max, 'redelivery', message.jobs[0]));
		}
		this.#pumpAt(this.#world.nowMs);
	}

	#again(message: Message, delayMs: number): void {
		const { deadLetterQueue } = this.#settings;
		if (message.attempts <= this.#options.maxRetries) {
			message.visibleMs = this.#world.nowMs + delayMs;
			this.#put(message);
		} else if (deadLetterQueue !== undefined) {
			this.#options.tally('messages given up');
			this.#queues.named(deadLetterQueue).add(message.body, message.jobs, 0);
		}
	}
}

function kindOf(body: object): 'job' | 'delivery' {
	return 'epoch' in body || 'jobs' in body ? 'job' : 'delivery';
}
