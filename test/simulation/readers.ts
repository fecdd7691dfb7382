/** Checks the events that readers of one job receive, on every transport: each number once, in order, without omissions. */
import { Broken, type Ledger } from './ledger.ts';

export interface Told {
	readonly seq: number;
	readonly type: string;
	readonly at: string;
	readonly job: { readonly attempt: number };
}

/** The events that all readers of an object received, by number. */
export class Stories {
	readonly #stories = new Map<string, string>();

	/** The same number is the same event, for every reader and at any time. */
	tell(life: number, { seq, type, at, job }: Told): void {
		if (type === 'snapshot') return;
		const story = `${type} at ${at} in attempt ${job.attempt}`;
		const key = `${life}/${seq}`;
		const before = this.#stories.get(key);
		if (before === undefined) this.#stories.set(key, story);
		else if (before !== story) throw new Broken(`event ${seq} was received as "${before}" and as "${story}"`);
	}
}

/** One reader, which resumes from its cursor. */
export class Reader {
	readonly #ledger: Ledger;
	readonly #stories: Stories;
	#life: number;
	#begin: number | undefined;
	#cursor: number | undefined;
	readonly #seen = new Set<number>();

	constructor(ledger: Ledger, stories: Stories) {
		this.#ledger = ledger;
		this.#stories = stories;
		this.#life = ledger.life;
	}

	/** The last number that it received. */
	get cursor(): number | undefined {
		return this.#cursor;
	}

	hear(event: Told): void {
		if (this.#ledger.life !== this.#life) this.#startOver();
		this.#stories.tell(this.#life, event);
		const { seq } = event;
		if (this.#cursor !== undefined && seq <= this.#cursor) {
			throw new Broken(`a reader at ${this.#cursor} received ${seq} (${event.type})`);
		}
		this.#begin ??= event.type === 'snapshot' ? seq : 0;
		this.#cursor = seq;
		this.#seen.add(seq);
	}

	/** Checks that it received every event that became durable between its first and its last. */
	missedNothing(): void {
		if (this.#cursor === undefined || this.#ledger.life !== this.#life) return;
		for (const { seq, type } of this.#ledger.entries) {
			const isDue = seq > Math.max(this.#begin ?? 0, this.#ledger.buriedSeq) && seq <= this.#cursor;
			if (isDue && !this.#seen.has(seq)) throw new Broken(`a reader never received event ${seq} (${type})`);
		}
	}

	#startOver(): void {
		this.#life = this.#ledger.life;
		this.#cursor = undefined;
		this.#begin = undefined;
		this.#seen.clear();
	}
}
