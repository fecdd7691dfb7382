/** What readers of one job are told, on whatever way: each number once, in order, and nothing left out. */
import { Broken, type Ledger } from './ledger.ts';

export interface Told {
	readonly seq: number;
	readonly type: string;
	readonly at: string;
	readonly job: { readonly attempt: number };
}

/** What all readers of an object were told, by number. */
export class Stories {
	readonly #stories = new Map<string, string>();

	/** The same number is the same event, whoever is told of it, and however often. */
	tell(life: number, { seq, type, at, job }: Told): void {
		if (type === 'snapshot') return;
		const story = `${type} at ${at} in attempt ${job.attempt}`;
		const key = `${life}/${seq}`;
		const before = this.#stories.get(key);
		if (before === undefined) this.#stories.set(key, story);
		else if (before !== story) throw new Broken(`event ${seq} was told as "${before}" and as "${story}"`);
	}
}

/** One reader, who goes on where it was. */
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

	/** The last number it has. */
	get cursor(): number | undefined {
		return this.#cursor;
	}

	hear(event: Told): void {
		if (this.#ledger.life !== this.#life) this.#startOver();
		this.#stories.tell(this.#life, event);
		const { seq } = event;
		if (this.#cursor !== undefined && seq <= this.#cursor) {
			throw new Broken(`a reader who had ${this.#cursor} was told ${seq} (${event.type})`);
		}
		this.#begin ??= event.type === 'snapshot' ? seq : 0;
		this.#cursor = seq;
		this.#seen.add(seq);
	}

	/** Nothing that became durable between its first event and its last was kept from it. */
	missedNothing(): void {
		if (this.#cursor === undefined || this.#ledger.life !== this.#life) return;
		for (const { seq, type } of this.#ledger.entries) {
			const isDue = seq > Math.max(this.#begin ?? 0, this.#ledger.buriedSeq) && seq <= this.#cursor;
			if (isDue && !this.#seen.has(seq)) throw new Broken(`a reader was never told event ${seq} (${type})`);
		}
	}

	#startOver(): void {
		this.#life = this.#ledger.life;
		this.#cursor = undefined;
		this.#begin = undefined;
		this.#seen.clear();
	}
}
