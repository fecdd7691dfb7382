/** The log of a tenant's finished actions: one row each, the newest kept. */
import { MAX_LOGGED_ACTIONS } from '../core/quota/limits.ts';
import type { ActionLogQuery, LoggedAction, LogPosition } from '../core/quota/tenant-api.ts';

/** A persisted contract. Keys sort by the time of creation. */
const LOG_PREFIX = 'action:';
const TIME_DIGITS = 9;

export class ActionLog {
	readonly #kv: SyncKvStorage;
	/** Number of rows; `undefined` before the first action of this instance. */
	#rows: number | undefined;

	constructor(kv: SyncKvStorage) {
		this.#kv = kv;
	}

	/** An action that is in the log already keeps its row. */
	add(action: LoggedAction): void {
		const key = logKey(action);
		if (this.#kv.get(key) !== undefined) return;
		this.#rows ??= [...this.#kv.list({ prefix: LOG_PREFIX })].length;
		this.#kv.put(key, action);
		this.#rows++;
		if (this.#rows > MAX_LOGGED_ACTIONS) this.#dropOldest();
	}

	/** Newest first. */
	newest({ limit, before }: ActionLogQuery): LoggedAction[] {
		const range = before ? { start: LOG_PREFIX, end: logKey(before) } : { prefix: LOG_PREFIX };
		return Array.from(this.#kv.list<LoggedAction>({ ...range, limit, reverse: true }), ([, action]) => action);
	}

	#dropOldest(): void {
		for (const [oldest] of this.#kv.list({ prefix: LOG_PREFIX, limit: 1 })) this.#kv.delete(oldest);
		this.#rows = MAX_LOGGED_ACTIONS;
	}
}

function logKey({ createdAt, id }: LogPosition): string {
	return `${LOG_PREFIX}${createdAt.toString(36).padStart(TIME_DIGITS, '0')}:${id}`;
}
