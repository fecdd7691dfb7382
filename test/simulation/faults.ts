/** Injects the faults of a schedule at their moments during a run. */
import type { Event } from './platform/world.ts';
import type { Deed, Schedule, Step } from './schedule.ts';
import type { Tally } from './tally.ts';

interface Watched {
	count: number;
	readonly steps: Step[];
}

/** The steps that wait for their moment. */
export class Agenda {
	readonly #watched = new Map<number, Map<string, Watched>>();
	readonly #isDone = new Set<Step>();
	readonly #apply: (job: number, deed: Deed) => void;

	constructor({ jobs, steps }: Schedule, apply: (job: number, deed: Deed) => void) {
		this.#apply = apply;
		for (const step of steps) {
			if ('atMs' in step.at) continue;
			const job = step.job % jobs.length;
			const labels = this.#watched.get(job) ?? new Map<string, Watched>();
			const watched = labels.get(step.at.label) ?? { count: 0, steps: [] };
			watched.steps.push(step);
			labels.set(step.at.label, watched);
			this.#watched.set(job, labels);
		}
	}

	before(event: Event): void {
		const watched = this.#of(event);
		if (!watched) return;
		watched.count++;
		this.#meet(watched, 'before', event.job ?? 0);
	}

	after(event: Event): void {
		const watched = this.#of(event);
		if (watched) this.#meet(watched, 'after', event.job ?? 0);
	}

	#of({ label, job }: Event): Watched | undefined {
		return job === undefined ? undefined : this.#watched.get(job)?.get(label);
	}

	#meet({ count, steps }: Watched, when: 'before' | 'after', job: number): void {
		for (const step of steps) {
			if ('atMs' in step.at || step.at.when !== when || step.at.nth !== count || this.#isDone.has(step)) continue;
			this.#isDone.add(step);
			this.#apply(job, step.deed);
		}
	}
}

/** Faults that wait for an operation to affect. */
export class Armed {
	readonly #armed = new Map<string, { times: number; ms: number }[]>();
	readonly #tally: Tally;
	readonly #onTaken: (what: string, job: number, ms: number) => void;

	constructor(tally: Tally, onTaken: (what: string, job: number, ms: number) => void) {
		this.#tally = tally;
		this.#onTaken = onTaken;
	}

	arm(what: string, job: number, times: number, ms: number): void {
		const key = `${what} ${job}`;
		this.#armed.set(key, [...(this.#armed.get(key) ?? []), { times, ms }]);
	}

	/** The fault for this operation: its duration in milliseconds for kinds that have one. `undefined` if there is none. */
	take(what: string, job: number): number | undefined {
		if (this.#armed.size === 0) return undefined;
		const waiting = this.#armed.get(`${what} ${job}`);
		const first = waiting?.[0];
		if (!waiting || !first) return undefined;
		if (--first.times <= 0) waiting.shift();
		this.#tally.add(what);
		this.#onTaken(what, job, first.ms);
		return first.ms;
	}
}
