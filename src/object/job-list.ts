/**
 * The list of a tenant's jobs: a view of the log of the topic `jobs`. News change the leaves in memory. Later, the changed leaves
 * are written, many news with one row. A start reads the directory, and applies the news of the log that the rows don't have.
 *
 * All methods but `counts` and `counted` are synchronous, so that no other call runs in between. If a method throws, the object must be
 * reset: the leaves in memory may be ahead of the log.
 */
import { isNewer, type NewsEvent } from '../core/job/news.ts';
import { decodeNews, type Entry, encodeNews, entryFrom, isGone, type ListNews } from '../core/list/entry.ts';
import { erasureNews, isDoubtful } from '../core/list/late-news.ts';
import type { Leaf } from '../core/list/leaf.ts';
import {
	CHECKPOINT,
	LEAVES_CHECKED_AT_ONCE,
	LEAVES_SWEPT_AT_ONCE,
	LEAVES_WRITTEN_AT_ONCE,
	UNHEARD_AT_ONCE,
} from '../core/list/limits.ts';
import type { Position } from '../core/list/position.ts';
import { Leaves, sweepAt } from './leaves.ts';
import { ListRows } from './list-rows.ts';

/** A row of the log with news for the list. */
export interface LogRow {
	/** The number of its last event; they increase. */
	readonly last: number;
	/** What `apply` returned as `extra`. */
	readonly extra: string;
}

export interface ListLog {
	/** The rows with events after the one with this number, oldest first. */
	after(position: number): Iterable<LogRow>;
}

/** An event that the topic doesn't have yet, and the job's news that it came with. */
export interface NewEvent {
	readonly news: ListNews;
	readonly event: NewsEvent;
}

export interface Applied {
	/** Each job's events in order. */
	readonly events: readonly NewEvent[];
	/** The news that changed the list, for a row of the log; `undefined` when none did. */
	readonly extra?: string;
	/** Jobs of which the list has no entry, and news that is too old to be believed. */
	readonly doubtful: readonly Position[];
}

/** The jobs to ask, and when to look for more; `undefined` while no job is unfinished. Milliseconds since the epoch. */
export interface Unheard {
	readonly jobs: readonly Position[];
	readonly nextAt: number | undefined;
}

export class JobList {
	readonly #rows: ListRows;
	readonly #leaves: Leaves;
	/** The last row of the log that the leaves in memory have. */
	#applied: number;
	/** The last row of the log that the leaves' rows have. */
	#stored: number;
	/** What was applied since the last checkpoint began. */
	#since = { news: 0, chars: 0 };
	/** The leaves that the checkpoint still has to write, and the row of the log that the rows have then. */
	#checkpoint: { readonly leaves: Leaf[]; readonly position: number } | undefined;
	/** Jobs that must be asked, and were not yet. */
	#unheard: Position[] = [];
	/** Whether jobs were taken since the last time that all were. */
	#isAnyTaken = false;

	constructor(sql: SqlStorage, log: ListLog, now: number) {
		this.#rows = new ListRows(sql);
		this.#leaves = new Leaves(this.#rows);
		this.#stored = this.#rows.position;
		this.#applied = this.#stored;
		const replayed = new Map<string, Position>();
		for (const row of log.after(this.#stored)) {
			const news = decodeNews(row.extra);
			for (const one of news) this.#replay(one, replayed, now);
			this.#advance(row, news.length);
		}
	}

	/** The last row of the log that the list no longer needs. */
	get stored(): number {
		return this.#stored;
	}

	/** Changes the leaves in memory. If `extra` is there, the caller writes it to the log in the same turn, and calls `logged`. */
	apply(news: readonly ListNews[], now: number): Applied {
		const events: NewEvent[] = [];
		const changes: ListNews[] = [];
		const doubtful: Position[] = [];
		const mayAdd = (one: ListNews) => {
			if (isDoubtful(one, now)) doubtful.push({ createdAt: one.createdAt, id: one.id });
			return !isDoubtful(one, now) && this.#replaceEarlierJob(one);
		};
		for (const one of news) {
			const fresh = this.#applyOne(one, now, mayAdd);
			if (!fresh) continue;
			changes.push(one);
			events.push(...fresh.map((event) => ({ news: one, event })));
		}
		if (changes.length === 0) return { events, doubtful };
		this.#since.news += changes.length;
		return { events, doubtful, extra: encodeNews(changes) };
	}

	/** The log has what `apply` returned. Now and then, this writes leaves. */
	logged(row: LogRow): void {
		this.#advance(row, 0);
		if (this.#since.news >= CHECKPOINT.news || this.#since.chars >= CHECKPOINT.chars) this.#beginCheckpoint();
		this.#continueCheckpoint();
	}

	/** Writes all changed leaves now, so that the log is no longer needed. */
	checkpoint(): void {
		while (this.#checkpoint) this.#continueCheckpoint();
		if (this.#applied === this.#stored) return;
		this.#beginCheckpoint();
		while (this.#checkpoint) this.#continueCheckpoint();
	}

	get isEmpty(): boolean {
		return this.#leaves.all.length === 0;
	}

	#beginCheckpoint(): void {
		if (this.#checkpoint) return;
		this.#checkpoint = { leaves: this.#leaves.all.filter((leaf) => leaf.isChanged), position: this.#applied };
		this.#since = { news: 0, chars: 0 };
	}

	/** For `list-reader.ts`. */
	get leaves(): Leaves {
		return this.#leaves;
	}

	/**
	 * Takes the unfinished jobs that must be asked, because their news may be lost. Writes one row when it has taken some and all that are
	 * due: an object that sleeps between its alarms would ask every unfinished job at each of them.
	 */
	unheard(now: number): Unheard {
		const due = this.#leaves.all.filter(({ unfinished, checkAt }) => unfinished > 0 && checkAt <= now);
		for (const leaf of due.slice(0, LEAVES_CHECKED_AT_ONCE)) {
			if (this.#unheard.length >= UNHEARD_AT_ONCE) break;
			this.#unheard.push(...leaf.takeUnheard(now));
		}
		const jobs = this.#unheard.splice(0, UNHEARD_AT_ONCE);
		if (this.#unheard.length > 0) return { jobs, nextAt: now };
		const nextAt = this.#earliest(({ unfinished, checkAt }) => (unfinished > 0 ? Math.max(now, checkAt) : undefined));
		this.#isAnyTaken ||= jobs.length > 0;
		if (!this.#isAnyTaken || (nextAt ?? Number.POSITIVE_INFINITY) <= now) return { jobs, nextAt };
		this.#rows.setCheckedAt(now);
		this.#isAnyTaken = false;
		return { jobs, nextAt };
	}

	/** The news of a job that does not exist any more; `undefined` if the list knows that, or does not know the job. */
	erasure(position: Position, now: number): ListNews | undefined {
		const entry = this.#leaves.find(position);
		return entry?.job && erasureNews(entry, now);
	}

	/** Removes gone jobs from storage, some leaves a call. @returns when to call again; `undefined` while nothing will be gone. */
	sweep(now: number): number | undefined {
		const due = this.#leaves.all.filter((leaf) => sweepAt(leaf) <= now);
		for (const leaf of due.slice(0, LEAVES_SWEPT_AT_ONCE)) this.#leaves.sweep(leaf, now);
		return this.#earliest((leaf) => Math.max(now, sweepAt(leaf)));
	}

	/** @returns the events that the topic doesn't have; `undefined` when nothing changed. */
	#applyOne(news: ListNews, now: number, mayAdd: (news: ListNews) => boolean): NewsEvent[] | undefined {
		const known = this.#leaves.find(news);
		if (!known && (isGone(news, now) || !mayAdd(news))) return undefined;
		const toldSeq = known?.toldSeq ?? 0;
		const events = news.events.filter(({ seq }) => seq > toldSeq);
		const isNews = isNewer(news, known);
		if (!isNews && events.length === 0) return undefined;
		const toldNow = Math.max(toldSeq, ...events.map(({ seq }) => seq));
		const entry: Entry = isNews || !known ? entryFrom(news, toldNow) : { ...known, toldSeq: toldNow };
		if (!isGone(entry, now)) this.#leaves.put(entry, known);
		else if (known) this.#leaves.remove(known);
		return events;
	}

	/**
	 * Applies news of the log, which only has what was news. An earlier job with the same id is in the log, too, or was removed
	 * from its row: a start needn't search all leaves for it. A later one may be in the row already, because a leaf may be written before
	 * the log is: a leaf has one job of an id.
	 */
	#replay(news: ListNews, replayed: Map<string, Position>, now: number): void {
		const earlier = replayed.get(news.id);
		const replaced = earlier && earlier.createdAt < news.createdAt ? this.#leaves.find(earlier) : undefined;
		if (replaced) this.#leaves.remove(replaced);
		replayed.set(news.id, { createdAt: news.createdAt, id: news.id });
		this.#applyOne(news, now, () => !this.#leaves.hasLater(news));
	}

	/**
	 * An idempotency key can be used again after its job was erased: the new job has the same id, and takes its place in the
	 * list. The news of the erasure may be lost.
	 *
	 * @returns `false` when the list has a later job with this id.
	 */
	#replaceEarlierJob({ id, createdAt, isUnique }: ListNews): boolean {
		if (isUnique) return true;
		const known = this.#leaves.findById(id);
		if (!known) return true;
		if (known.entry.createdAt > createdAt) return false;
		known.leaf.remove(known.entry);
		this.#leaves.write(known.leaf);
		return true;
	}

	#advance({ last, extra }: LogRow, news: number): void {
		this.#applied = last;
		this.#since = { news: this.#since.news + news, chars: this.#since.chars + extra.length };
	}

	#continueCheckpoint(): void {
		if (!this.#checkpoint) return;
		const { leaves, position } = this.#checkpoint;
		for (const leaf of leaves.splice(0, LEAVES_WRITTEN_AT_ONCE)) if (leaf.isChanged) this.#leaves.write(leaf);
		if (leaves.length > 0) return;
		this.#rows.setPosition(position);
		this.#stored = position;
		this.#checkpoint = undefined;
	}

	#earliest(timeFor: (leaf: Leaf) => number | undefined): number | undefined {
		let earliest = Number.POSITIVE_INFINITY;
		for (const leaf of this.#leaves.all) earliest = Math.min(earliest, timeFor(leaf) ?? earliest);
		return Number.isFinite(earliest) ? earliest : undefined;
	}
}
