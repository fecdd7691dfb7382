/** What the list knows about one job, as a line of its leaf's text. */
import { defined } from '../defined.ts';
import type { JobNews, ListedJob } from '../job/news.ts';
import { hashItem, type ItemHash } from './bloom.ts';
import { NEWS_IN_ROW, NEWS_ROW_CHARS } from './limits.ts';
import type { ListedEntry } from './list-api.ts';

/** News of a job of the list's tenant. */
export type ListNews = Omit<JobNews, 'tenant'>;

/** Without `job`, the job is erased: its entry only keeps late news from bringing it back. */
export interface Entry extends Omit<ListNews, 'events' | 'isUnique'> {
	/** The number of the last of the job's events that the topic has. */
	readonly toldSeq: number;
}

/** An entry that readers may see. */
export type VisibleEntry = Entry & { readonly job: ListedJob };

/** A line. A persisted contract: fields are only added. It starts with the id. */
interface Line extends Omit<Entry, 'job'> {
	/** Without the fields that the line has, too. */
	readonly job?: Omit<ListedJob, 'id' | 'seq' | 'createdAt'>;
}

export function entryFrom(news: ListNews, toldSeq: number): Entry {
	const { id, createdAt, epoch, seq, goneAt, readableUntil, flags, job } = news;
	// Only a finished job's news may need it, to be put in order.
	const readAt = job && goneAt !== undefined ? news.readAt : undefined;
	return defined({ id, createdAt, epoch, seq, toldSeq, goneAt, readableUntil, flags, job, readAt });
}

export function encodeEntry({ job, ...entry }: Entry): string {
	const { id, ...rest } = entry;
	const line: Line = job ? { id, ...rest, job: withoutRepeated(job) } : { id, ...rest };
	return JSON.stringify(line);
}

export function decodeEntry(text: string): Entry {
	const { job, ...entry } = JSON.parse(text) as Line;
	if (!job) return entry;
	const { task, status, phase, ...more } = job;
	const { id, seq, createdAt } = entry;
	const listed = { id, task, status, phase, createdAt: new Date(createdAt).toISOString(), seq, ...more };
	return { ...entry, job: listed };
}

/** The beginning of a job's line. */
export function lineStart(id: string): string {
	return `{"id":${JSON.stringify(id)},`;
}

function withoutRepeated({ id: _id, seq: _seq, createdAt: _createdAt, ...job }: ListedJob): NonNullable<Line['job']> {
	return job;
}

/** Whether readers may see the entry. */
export function isVisible(entry: Entry, now: number): entry is VisibleEntry {
	return entry.job !== undefined && !isGone(entry, now);
}

export function isGone({ goneAt }: Pick<Entry, 'goneAt'>, now: number): boolean {
	return goneAt !== undefined && goneAt <= now;
}

export function isUnfinished({ job, goneAt }: Entry): boolean {
	return job !== undefined && goneAt === undefined;
}

export function listedEntry({ job, epoch, goneAt, readableUntil, createdAt, flags }: VisibleEntry): ListedEntry {
	return defined({ job, epoch, readableUntil: goneAt ?? readableUntil ?? createdAt, flags });
}

/** What a leaf's Bloom filter has of an entry. */
export function entryItems({ id, job }: Entry): ItemHash[] {
	const hashed = hashItem('id', id);
	if (!job) return [hashed];
	return [hashed, hashItem('correlationId', job.correlationId), ...job.tags.map((tag) => hashItem('tag', tag))];
}

/** The news that a row of the log has for the list. A persisted contract. */
export function encodeNews(news: readonly ListNews[]): string {
	return JSON.stringify(news.map(({ isUnique: _, ...kept }) => kept));
}

/** An event without tags, roughly. */
const EVENT_CHARS = 600;

/** The news of each row of the log. */
export function newsInRows(news: readonly ListNews[]): ListNews[][] {
	const rows: ListNews[][] = [];
	let leftChars = 0;
	for (const one of news) {
		// Each of its events repeats a part of it.
		const eventChars = EVENT_CHARS + JSON.stringify(one.job?.tags ?? []).length;
		const chars = JSON.stringify(one).length + one.events.length * eventChars;
		const row = rows.at(-1);
		const hasRoom = row !== undefined && row.length < NEWS_IN_ROW && chars <= leftChars;
		if (hasRoom) row.push(one);
		else rows.push([one]);
		leftChars = (hasRoom ? leftChars : NEWS_ROW_CHARS) - chars;
	}
	return rows;
}

export function decodeNews(text: string): ListNews[] {
	return JSON.parse(text) as ListNews[];
}
