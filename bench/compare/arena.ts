/** Runs contenders in turns: one round of each, then the next, so that anything that slows the machine slows them all. */
import { type Contender, type Running, Skipped } from './contender.ts';
import type { Figure } from './figures.ts';
import { hangUp } from './http.ts';

/** The figures of one contender in each round. */
export type Rounds = ReadonlyMap<string, readonly number[]>;

export interface Row extends Omit<Figure, 'value'> {
	readonly section: string;
	readonly rounds: Rounds;
}

export interface Scale {
	readonly rounds: number;
	/** The share of the full load. */
	readonly load: number;
}

export class Arena {
	readonly #rows = new Map<string, Row & { rounds: Map<string, number[]> }>();
	readonly #skipped = new Map<string, string>();
	readonly #failed: (readonly [name: string, why: string])[] = [];
	readonly scale: Scale;
	readonly #contenders: readonly Contender[];
	#section = '';

	constructor(contenders: readonly Contender[], scale: Scale) {
		this.#contenders = contenders;
		this.scale = scale;
	}

	get rows(): readonly Row[] {
		return [...this.#rows.values()];
	}

	/** The contenders that could not take part, with the reason. */
	get skipped(): ReadonlyMap<string, string> {
		return this.#skipped;
	}

	/** The contenders that did not finish a section, with the reason. */
	get failed(): readonly (readonly [name: string, why: string])[] {
		return this.#failed;
	}

	/** Starts each contender afresh, with an empty store, for one section. */
	async hold(section: string, run: (running: readonly Running[]) => Promise<unknown>): Promise<void> {
		this.#section = section;
		const running: Running[] = [];
		try {
			for (const contender of this.#contenders) {
				if (contender.sections?.includes(section) === false) continue;
				const started = await this.#start(contender);
				if (started) running.push(started);
			}
			await run(running);
		} finally {
			hangUp();
			for (const contender of running) await contender.stop();
		}
	}

	/**
	 * Runs a first round that is not counted, then the others. Every second round runs in reverse order.
	 *
	 * @returns the contenders that finished every round. One that fails is not called again, and its figures don't count.
	 */
	async interleave(
		running: readonly Running[],
		once: (contender: Running) => Promise<readonly Figure[]>,
	): Promise<readonly Running[]> {
		const out = new Set<Running>();
		const figures: (readonly [Running, readonly Figure[]])[] = [];
		for (let round = -1; round < this.scale.rounds; round++) {
			const order = round % 2 === 0 ? running : running.toReversed();
			for (const contender of order) {
				if (out.has(contender)) continue;
				const found = await this.tried(contender, once);
				if (!found) out.add(contender);
				else if (round >= 0) figures.push([contender, found]);
			}
		}
		for (const [contender, found] of figures) if (!out.has(contender)) this.record(contender, found);
		return running.filter((contender) => !out.has(contender));
	}

	/** Reports a failure of another contender without ending the run. */
	async tried<T>(contender: Running, once: (contender: Running) => Promise<T>): Promise<T | undefined> {
		try {
			return await once(contender);
		} catch (error) {
			if (contender.name === this.#contenders[0]?.name) throw error;
			const why = `gave up in "${this.#section}": ${(error as Error).message.split('\n')[0]}`;
			this.#failed.push([contender.name, why]);
			console.log(`${contender.name} ${why}`);
			return undefined;
		}
	}

	record({ name }: Running, figures: readonly Figure[]): void {
		for (const { value, ...what } of figures) {
			const key = `${this.#section}/${what.subject}`;
			const row = this.#rows.get(key) ?? { ...what, section: this.#section, rounds: new Map<string, number[]>() };
			row.rounds.set(name, [...(row.rounds.get(name) ?? []), value]);
			this.#rows.set(key, row);
		}
	}

	async #start(contender: Contender): Promise<Running | undefined> {
		if (this.#skipped.has(contender.name)) return undefined;
		try {
			return await contender.start();
		} catch (error) {
			if (!(error instanceof Skipped)) throw error;
			this.#skipped.set(contender.name, error.message);
			console.log(`${contender.name} is left out: ${error.message}`);
			return undefined;
		}
	}
}
