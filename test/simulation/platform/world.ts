/**
 * Time, chance and order. Everything that happens in a simulation is an event of one queue; between two events all code
 * that can run has run, so whoever is in memory is waiting for the platform. Chance depends on the seed and on what it is
 * for, never on what else happens: leave a fault out, and the rest of the run stays the same as far as it can.
 */

/** Where code runs: what is in its memory dies with it, and the platform no longer hears of it. */
export class Isolate {
	readonly kind: 'client' | 'door' | 'consumer' | 'object';
	/** Which job it is there for, where it is one. */
	readonly job: number | undefined;
	isDead = false;
	/** What follows from the turn that has just ended: an object's writes and answers leave then. */
	onTurnEnd: (() => void) | undefined;
	/** What it sends leaves by this way: an object's waits for what was written before. */
	output: ((send: () => void) => void) | undefined;
	readonly #farewells: (() => void)[] = [];

	constructor(kind: Isolate['kind'], job?: number) {
		this.kind = kind;
		this.job = job;
	}

	/** Called once, when it has died: sockets break, messages come back. */
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
	/** What kind of thing happens: `call start`, `commit`, `alarm` … */
	readonly label: string;
	readonly job?: number | undefined;
	/** Who it happens to. An event for one that has died doesn't happen. */
	readonly isolate?: Isolate | undefined;
	/** No code of the Worker runs in it. */
	readonly isQuiet?: boolean;
	readonly run: () => void;
}

export interface Scheduled {
	readonly time: number;
	readonly order: number;
	readonly event: Event;
	isCanceled: boolean;
}

/** When every simulation begins. */
export const BEGIN_AT = Date.UTC(2026, 0, 1);

export class World {
	readonly #seed: number;
	readonly #queue: Scheduled[] = [];
	readonly #counts = new Map<string, number>();
	readonly #labels = new Map<string, number>();
	#order = 0;
	#nowMs = 0;
	#skewMs = 0;
	/** Whose code runs. */
	current: Isolate | undefined;
	/** How many events have happened. */
	events = 0;
	/** The clock's extremes, and whether it ever went back. */
	earliestAt = BEGIN_AT;
	latestAt = BEGIN_AT;
	wentBack = false;
	/** Lines of what happened, when somebody wants to read them. */
	readonly trace: string[] | undefined;
	onBefore: (event: Event) => void = () => {};
	onAfter: (event: Event) => void = () => {};
	readonly onClockJump: (() => void)[] = [];

	constructor(seed: number, isTraced = false) {
		this.#seed = seed | 0;
		this.trace = isTraced ? [] : undefined;
	}

	/** Milliseconds that have really passed. */
	get nowMs(): number {
		return this.#nowMs;
	}

	/** What clocks show. */
	get clock(): number {
		return BEGIN_AT + Math.floor(this.#nowMs) + this.#skewMs;
	}

	jumpClock(ms: number): void {
		this.#skewMs += ms;
		if (ms < 0) this.wentBack = true;
		this.#noteClock();
		for (const tell of this.onClockJump) tell();
	}

	schedule(delayMs: number, event: Event): Scheduled {
		const scheduled = { time: this.#nowMs + Math.max(0, delayMs), order: this.#order++, event, isCanceled: false };
		this.#push(scheduled);
		return scheduled;
	}

	/** The next event. @returns whether there was one. */
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

	/** How often this was asked before. */
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
