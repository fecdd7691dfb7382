/**
 * The log of one topic: events in the order of their numbers. An append is one row, whatever the number of its events.
 *
 * The log is a row of tables, its segments, and is deleted by dropping the oldest: that writes no row, while deleting rows would
 * cost as much as writing them. No other code uses these tables.
 */
import { Buffer } from 'node:buffer';
import { defined } from '../core/defined.ts';
import { type EventFilter, eventLine, eventText, gapText, lineFilter, type NewEvent } from '../core/topic/event.ts';
import { PAGE_BYTES, ROW_OVERHEAD_BYTES, SCAN_BYTES } from '../core/topic/limits.ts';
import {
	expiresAt,
	isSegmentFull,
	type Retention,
	type SegmentFacts,
	surplusSegments,
} from '../core/topic/retention.ts';
import type { EventPage } from '../core/topic/topic-api.ts';
import { TopicKeys } from './topic-keys.ts';

const PREFIX = 'log_';
/** The number of the last event, once all events are deleted. */
const LAST_KEY = 'lastSeq';
/** A call is repeated within seconds: no more events than this come in between. */
const RECENT_EVENTS = 5_000;
/**
 * Number of rows that are read at once. A read that a caller leaves unfinished would stay open until the garbage collector comes, and no
 * table can be dropped until then.
 */
const ROWS_AT_ONCE = 32;
/** Separates the lines of a row. JSON contains no line breaks. */
const LINE_BREAK = '\n';

/**
 * A persisted contract. Row 0 has the keys of a closed segment, for `TopicKeys`. `total`: the bytes of the segment up to this row.
 * `digest`: of a request with a key; otherwise the append's id. Both stand before the events, so that reading them does not read the
 * events.
 */
const COLUMNS = `
	first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at INTEGER NOT NULL, total INTEGER NOT NULL,
	key TEXT, digest TEXT, events TEXT NOT NULL, extra`;

type Row = Record<string, SqlStorageValue>;

export interface Append {
	readonly events: readonly NewEvent[];
	/** Text of the owner's, which readers do not see. An append with only that takes one number. */
	readonly extra?: string | undefined;
	/** Random, for {@link TopicLog.findPublication}. */
	readonly id?: string;
	/** Only for an append of one event. */
	readonly idempotency?: { readonly key: string; readonly digest: string } | undefined;
	readonly retention: Retention;
	readonly now: number;
}

export interface Appended {
	readonly first: number;
	readonly last: number;
	/** The lines of the events. */
	readonly lines: readonly string[];
	/** Whether a new segment of the log begins with them. */
	readonly opensSegment: boolean;
}

export interface ReadLimits {
	readonly events: number;
	readonly filter?: EventFilter;
	/** Default: {@link PAGE_BYTES}. */
	readonly bytes?: number;
}

export class TopicLog {
	readonly #storage: DurableObjectStorage;
	readonly #keys: TopicKeys;
	#segments: SegmentFacts[] = [];
	#last = 0;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		this.#keys = new TopicKeys(storage.sql);
		this.reload();
	}

	/** Reads again what memory knows of the rows, after an append was rolled back. */
	reload(): void {
		this.#segments = this.#load();
		this.#last = Math.max(this.#segments.at(-1)?.last ?? 0, this.#storage.kv.get<number>(LAST_KEY) ?? 0);
	}

	/** The number of the last event; 0 if there was none. */
	get last(): number {
		return this.#last;
	}

	/** The number of the first event that is kept, or of the next one. */
	get first(): number {
		return this.#segments[0]?.first ?? this.#last + 1;
	}

	/** What is kept. */
	get usage(): { readonly bytes: number; readonly events: number } {
		const bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
		return { bytes, events: this.#last - this.first + 1 };
	}

	/** Writes one row, and three more for each new segment: all of them or none, because half a segment would take no event ever again. */
	append(append: Append): Appended {
		try {
			return this.#storage.transactionSync(() => this.#append(append));
		} catch (error) {
			this.reload();
			throw error;
		}
	}

	#append(append: Append): Appended {
		const { events, extra = null, idempotency, retention, now } = append;
		const { key, digest } = idempotency ?? { key: null, digest: append.id ?? null };
		const lines = events.map((event) => eventLine(event, now));
		const first = this.#last + 1;
		const last = first + Math.max(1, events.length) - 1;
		const segment = this.#segmentFor(first, retention, now);
		const bytes = segment.bytes + rowBytes(lines, append);
		this.#storage.sql.exec(
			`INSERT INTO ${tableName(segment)} VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			...[first, last, now, bytes, key, digest, lines.join(LINE_BREAK), extra],
		);
		if (key !== null) this.#keys.add(key, first);
		this.#segments[this.#segments.length - 1] = { ...segment, last, bytes, lastAt: now };
		this.#last = last;
		return { first, last, lines, opensSegment: segment.first === first };
	}

	/** The bytes that an append will take. */
	sizeOf(append: Append): number {
		return rowBytes(
			append.events.map((event) => eventLine(event, append.now)),
			append,
		);
	}

	/** The number of the event with this key, and its digest, if the log has it. */
	find(key: string): { readonly seq: number; readonly digest: string } | undefined {
		for (const seq of this.#keys.candidates(key, this.#segments.map(tableName))) {
			const segment = this.#segments.findLast(({ first }) => first <= seq);
			if (!segment) continue;
			const [row] = this.#rows(`SELECT key, digest FROM ${tableName(segment)} WHERE first = ?`, seq);
			if (row?.key === key) return { seq, digest: String(row.digest) };
		}
		return undefined;
	}

	/** The number of a recent append without a key, by its id. */
	findPublication(id: string): number | undefined {
		const after = this.#last - RECENT_EVENTS;
		for (const segment of this.#segments.filter(({ last }) => last > after)) {
			const [row] = this.#rows(`SELECT first FROM ${tableName(segment)} WHERE first > ? AND digest = ?`, after, id);
			if (row) return Number(row.first);
		}
		return undefined;
	}

	/** The events after a number. The first one is `gap` if events after that number are gone. */
	after(after: number, { events: limit, filter = {}, bytes: maxBytes = PAGE_BYTES }: ReadLimits): EventPage {
		// Numbers beyond the last event are those of a topic that was forgotten: what came since is new to its reader.
		const cursor = after > this.#last ? 0 : after;
		const isGap = cursor !== after || cursor < this.first - 1;
		const events = isGap ? [gapText({ after, first: this.first }, Date.now())] : [];
		const matches = lineFilter(filter);
		let lastSeq = isGap ? this.first - 1 : cursor;
		let sizeBytes = 0;
		let scannedBytes = 0;
		for (const [seq, line] of this.#linesAfter(lastSeq)) {
			const isFullPage = events.length >= limit || (sizeBytes > 0 && sizeBytes + line.length > maxBytes);
			if (isFullPage || scannedBytes > SCAN_BYTES) return { events, lastSeq, hasMore: true };
			scannedBytes += line.length;
			lastSeq = seq;
			if (!matches(line)) continue;
			events.push(eventText(seq, line));
			sizeBytes += line.length;
		}
		return { events, lastSeq: this.#last, hasMore: false };
	}

	/** The owner's texts of the rows after a number, oldest first. */
	*extrasAfter(after: number): Iterable<{ readonly last: number; readonly extra: string }> {
		for (const { last, extra } of this.#rowsAfter(after, 'first, last, extra'))
			if (extra !== null) yield { last: Number(last), extra: String(extra) };
	}

	/** Deletes what is too old or too much. @param keepAfter events after this number are kept. @returns whether it deleted anything. */
	trim(now: number, retention: Retention, keepAfter?: number): boolean {
		const surplus = surplusSegments(this.#segments, defined({ retention, keepAfter }), now);
		if (surplus === 0) return false;
		for (const segment of this.#segments.splice(0, surplus)) this.#storage.sql.exec(`DROP TABLE ${tableName(segment)}`);
		this.#keys.forgetBefore(this.first);
		if (this.#segments.length === 0) this.#storage.kv.put(LAST_KEY, this.#last);
		return true;
	}

	/** When the first segment is too old; `undefined` without events. */
	nextExpiry(retention: Retention): number | undefined {
		const [oldest] = this.#segments;
		return oldest && expiresAt(oldest, retention);
	}

	#segmentFor(first: number, retention: Retention, now: number): SegmentFacts {
		const newest = this.#segments.at(-1);
		if (newest && !isSegmentFull(newest, retention, now)) return newest;
		if (newest) this.#keys.close(tableName(newest));
		const opened = { first, last: first - 1, bytes: 0, openedAt: now, lastAt: now };
		this.#storage.sql.exec(`CREATE TABLE ${tableName(opened)} (${COLUMNS})`);
		this.#segments.push(opened);
		return opened;
	}

	#load(): SegmentFacts[] {
		const tables = this.#rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB ?", `${PREFIX}[0-9]*`);
		return tables
			.map(({ name }) => Number(String(name).slice(PREFIX.length)))
			.sort((one, other) => one - other)
			.map((first) => this.#factsOf(first));
	}

	#factsOf(first: number): SegmentFacts {
		const table = tableName({ first });
		const [oldest] = this.#rows(`SELECT at FROM ${table} WHERE first > 0 ORDER BY first LIMIT 1`);
		const [newest] = this.#rows(`SELECT last, at, total FROM ${table} ORDER BY first DESC LIMIT 1`);
		return {
			first,
			last: Number(newest?.last ?? first - 1),
			bytes: Number(newest?.total ?? 0),
			openedAt: Number(oldest?.at ?? 0),
			lastAt: Number(newest?.at ?? 0),
		};
	}

	*#linesAfter(after: number): Iterable<readonly [seq: number, line: string]> {
		for (const { first, events } of this.#rowsAfter(after, 'first, events')) {
			if (events === '') continue;
			let seq = Number(first);
			for (const line of String(events).split(LINE_BREAK)) {
				if (seq > after) yield [seq, line];
				seq++;
			}
		}
	}

	/** The rows with numbers after `after`, as far as the caller wants them. @param columns `first` is one of them. */
	*#rowsAfter(after: number, columns: string): Iterable<Row> {
		for (const segment of this.#segments) {
			if (segment.last <= after) continue;
			const table = tableName(segment);
			const [start] = this.#rows(`SELECT first FROM ${table} WHERE first <= ? ORDER BY first DESC LIMIT 1`, after + 1);
			let from = Math.max(1, Number(start?.first ?? 1));
			const portion = `SELECT ${columns} FROM ${table} WHERE first >= ? ORDER BY first LIMIT ${ROWS_AT_ONCE}`;
			for (let last: Row | undefined; ; from = Number(last.first) + 1) {
				const rows = this.#rows(portion, from);
				yield* rows;
				last = rows.at(-1);
				if (!last || rows.length < ROWS_AT_ONCE) break;
			}
		}
	}

	#rows(statement: string, ...values: (string | number)[]): Row[] {
		return this.#storage.sql.exec<Row>(statement, ...values).toArray();
	}
}

function tableName({ first }: Pick<SegmentFacts, 'first'>): string {
	return `${PREFIX}${first}`;
}

function rowBytes(lines: readonly string[], { extra = '', idempotency }: Append): number {
	const texts = [...lines, extra, idempotency?.key ?? ''];
	return texts.reduce((sum, text) => sum + Buffer.byteLength(text), ROW_OVERHEAD_BYTES);
}
