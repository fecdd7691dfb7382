/**
 * Time, randomness and order. Everything that happens in a simulation is an event of one queue. Between two events all code
 * that can run has run, so all remaining code waits for the platform. Randomness depends on the seed and on its
 * purpose, never on other events. Without one fault, the rest of the run therefore stays the same as far as possible.
 */

/** Where code runs. Its memory is lost when it dies, and its results no longer reach the platform. */
export class Isolate {
	readonly kind: 'client' | 'door' | 'consumer' | 'object';
	/** The job that it runs for, if there is one. */
	readonly job: number | undefined;
	isDead = false;
	/** Runs at the end of a turn: an object's writes and responses are sent then. */
	onTurnEnd: (() => void) | undefined;
	/** Sends its output: an object's output waits until earlier writes are durable. */
	output: ((send: () => void) => void) | undefined;
	readonly #farewells: (() => void)[] = [];

	constructor(kind: Isolate['kind'], job?: number) {
		this.kind = kind;
		this.job = job;
	}

	/** Runs `farewell` once, at its death: sockets break, messages are redelivered. */
	atDeath(farewell: () => void): void {
		if (this.isDead) farewell();
		else this.#farewells.push(farewell);
	}

	die(): void {
		if (this.isDead) return;
		this.isDead = true;
		for (const farewell of this.#farewells.splice(0)) farewell();
	}
}

export interface Event {
	/** The kind of event: `call start`, `commit`, `alarm` … */
	readonly label: string;
	readonly job?: number | undefined;
	/** The isolate that it affects. An event for a dead isolate is dropped. */
	readonly isolate?: Isolate | undefined;
	/** The event runs no code of the Worker. */
	readonly isQuiet?: boolean;
	readonly run: () => void;
}

export interface Scheduled {
	readonly time: number;
	readonly order: number;
	readonly event: Event;
	isCanceled: boolean;
}

/** Start time of every simulation. */
export const BEGIN_AT = Date.UTC(2026, 0, 1);

export class World {
	readonly #seed: number;
	readonly #queue: Scheduled[] = [];
	readonly #counts = new Map<string, number>();
	readonly #labels = new Map<string, number>();
	#order = 0;
	#nowMs = 0;
	#skewMs = 0;
	/** The isolate whose code runs. */
	current: Isolate | undefined;
	/** Number of events so far. */
	events = 0;
	/** The clock's extremes, and whether it ever moved back. */
	earliestAt = BEGIN_AT;
	latestAt = BEGIN_AT;
	wentBack = false;
	/** How far the clock was set back, in all. */
	wentBackMs = 0;
	/** Lines that describe the run, if a trace is wanted. */
	readonly trace: string[] | undefined;
	onBefore: (event: Event) => void = () => {};
	onAfter: (event: Event) => void = () => {};
	readonly onClockJump: (() => void)[] = [];

	constructor(seed: number, isTraced = false) {
		this.#seed = seed | 0;
		this.trace = isTraced ? [] : undefined;
	}

	/** Elapsed real time, in milliseconds. */
	get nowMs(): number {
		return this.#nowMs;
	}

	/** The time that clocks show. */
	get clock(): number {
		return BEGIN_AT + Math.floor(this.#nowMs) + this.#skewMs;
	}

	jumpClock(ms: number): void {
		this.#skewMs += ms;
		if (ms < 0) {
			this.wentBack = true;
			this.wentBackMs -= ms;
		}
		this.#noteClock();
		for (const tell of this.onClockJump) tell();
	}

	schedule(delayMs: number, event: Event): Scheduled {
		const scheduled = { time: this.#nowMs + Math.max(0, delayMs), order: this.#order++, event, isCanceled: false };
		this.#push(scheduled);
		return scheduled;
	}

	/** Runs the next event. @returns whether there was one. */
	async step(): Promise<boolean> {
		const next = this.#pop();
		if (next === undefined) return false;
		const { event } = next;
		if (next.isCanceled || event.isolate?.isDead) return true;
		this.#nowMs = Math.max(this.#nowMs, next.time);
		this.#noteClock();
		this.onBefore(event);
		if (next.isCanceled || event.isolate?.isDead) return true;
		this.events++;
		this.say(() => event.label, event.job);
		this.current = event.isolate;
		event.run();
		if (!event.isQuiet) {
			await new Promise(setImmediate);
			(this.current as Isolate | undefined)?.onTurnEnd?.();
		}
		this.current = undefined;
		this.onAfter(event);
		return true;
	}

	say(line: () => string, job?: number): void {
		if (this.trace === undefined) return;
		const at = (this.clock - BEGIN_AT).toLocaleString('en-US').padStart(15);
		this.trace.push(`${at} ms  ${job === undefined ? '     ' : `job ${job}`}  ${line()}`);
	}

	/** Number of earlier calls with the same arguments. */
	count(what: string, job?: number): number {
		const key = job === undefined ? what : `${what} ${job}`;
		const count = this.#counts.get(key) ?? 0;
		this.#counts.set(key, count + 1);
		return count;
	}

	/** A number in [0, 1) that is the same in every run with this seed. */
	dice(what: string, job = -1): number {
		let hash = this.#labelHash(what) ^ Math.imul(this.#seed, 0x9e3779b1);
		hash = Math.imul(hash ^ (job + 0x51ed27), 0x85ebca6b);
		hash = Math.imul(hash ^ (hash >>> 13) ^ this.count(what, job), 0xc2b2ae35);
		hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
		return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
	}

	/** A whole number from `min` to `max`. */
	between(min: number, max: number, what: string, job?: number): number {
		return min + Math.floor(this.dice(what, job) * (max - min + 1));
	}

	#labelHash(what: string): number {
		let hash = this.#labels.get(what);
		if (hash === undefined) {
			hash = 0x811c9dc5;
			for (let index = 0; index < what.length; index++) hash = Math.imul(hash ^ what.charCodeAt(index), 0x01000193);
			this.#labels.set(what, hash);
		}
		return hash;
	}

	#noteClock(): void {
		const { clock } = this;
		if (clock < this.earliestAt) this.earliestAt = clock;
		if (clock > this.latestAt) this.latestAt = clock;
	}

	#push(scheduled: Scheduled): void {
		const queue = this.#queue;
		let at = queue.length;
		queue.push(scheduled);
		while (at > 0) {
			const parent = (at - 1) >> 1;
			const above = queue[parent] as Scheduled;
			if (isBefore(above, scheduled)) break;
			queue[at] = above;
			at = parent;
		}
		queue[at] = scheduled;
	}

	#pop(): Scheduled | undefined {
		const queue = this.#queue;
		const first = queue[0];
		const last = queue.pop();
		if (first === undefined || last === undefined || queue.length === 0) return first;
		let at = 0;
		for (;;) {
			let child = 2 * at + 1;
			if (child >= queue.length) break;
			if (child + 1 < queue.length && isBefore(queue[child + 1] as Scheduled, queue[child] as Scheduled)) child++;
			if (isBefore(last, queue[child] as Scheduled)) break;
			queue[at] = queue[child] as Scheduled;
			at = child;
		}
		queue[at] = last;
		return first;
	}
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
	return a.time < b.time || (a.time === b.time && a.order < b.order);
}
