/**
 * One object's storage. The writes of one turn are committed together when the gate allows it. Until then only the
 * object itself sees them, and a reset discards them. Alarms are part of it.
 */
import { copied } from './copied.ts';

export type Write =
	| { readonly type: 'put'; readonly key: string; readonly value: unknown }
	| { readonly type: 'delete'; readonly key: string }
	| { readonly type: 'alarm'; readonly at: number }
	| { readonly type: 'deleteAll' };

export class SimulatedStorage {
	/** The durable rows. */
	readonly rows = new Map<string, unknown>();
	/** The rows as the object sees them. */
	#view = new Map<string, unknown>();
	#writes: Write[] = [];
	/** Every operation throws, as storage does at times. */
	isFailing = false;

	readonly kv = {
		get: <T>(key: string): T | undefined => {
			this.#mayFail();
			return copied(this.#view.get(key)) as T | undefined;
		},
		put: (key: string, value: unknown): void => {
			this.#mayFail();
			this.#write({ type: 'put', key, value: copied(value) });
		},
		delete: (key: string): boolean => {
			const isThere = this.#view.has(key);
			this.#write({ type: 'delete', key });
			return isThere;
		},
		list: ({ prefix = '' }: { prefix?: string } = {}): [string, unknown][] =>
			[...this.#view].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key, copied(value)]),
	};

	async setAlarm(at: number | Date): Promise<void> {
		this.#write({ type: 'alarm', at: Number(at) });
	}

	async deleteAll(): Promise<void> {
		this.#write({ type: 'deleteAll' });
	}

	/** The object's view of a key, for checks. */
	peek(key: string): unknown {
		return this.#view.get(key);
	}

	takeWrites(): Write[] {
		const writes = this.#writes;
		if (writes.length > 0) this.#writes = [];
		return writes;
	}

	commit(writes: readonly Write[]): void {
		for (const write of writes) apply(this.rows, write);
	}

	/** Discards everything that is not durable. */
	forget(): void {
		this.#writes = [];
		this.#view = new Map(this.rows);
		this.isFailing = false;
	}

	#write(write: Write): void {
		apply(this.#view, write);
		this.#writes.push(write);
	}

	#mayFail(): void {
		if (this.isFailing) throw new Error('Storage operation failed');
	}
}

function apply(rows: Map<string, unknown>, write: Write): void {
	if (write.type === 'put') rows.set(write.key, write.value);
	else if (write.type === 'delete') rows.delete(write.key);
	else if (write.type === 'deleteAll') rows.clear();
}
