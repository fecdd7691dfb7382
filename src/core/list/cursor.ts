/** The cursor between two pages: the position of the last job, and a mark of the filter that it belongs to. */
import { isObject } from '../http/json.ts';
import { OBJECT_ID } from '../job/id.ts';
import { fnv1a } from './hash.ts';
import type { JobFilter } from './list-api.ts';
import type { Position } from './position.ts';

/** The content of a cursor. Clients keep cursors: fields are only added. */
interface Content {
	/** Creation time of the last job, in milliseconds since the epoch. */
	readonly t: number;
	/** Its id. */
	readonly i: string;
	/** The mark of the filter. */
	readonly f: number;
}

/** Stays valid while jobs come in, end and expire, because it names a position and no job. */
export function formatListCursor({ createdAt, id }: Position, filter: JobFilter): string {
	const content: Content = { t: createdAt, i: id, f: filterMark(filter) };
	return btoa(JSON.stringify(content)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** `malformed`: not one of our cursors. `other filter`: a cursor of a request with another filter. */
export type CursorRefusal = 'malformed' | 'other filter';

export function parseListCursor(cursor: string, filter: JobFilter): Position | CursorRefusal {
	const content = cursorContent(cursor);
	if (!content) return 'malformed';
	return content.f === filterMark(filter) ? { createdAt: content.t, id: content.i } : 'other filter';
}

function cursorContent(cursor: string): Content | undefined {
	try {
		const content: unknown = JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
		return isContent(content) ? content : undefined;
	} catch {
		return undefined;
	}
}

function isContent(value: unknown): value is Content {
	if (!isObject(value)) return false;
	const { t, i, f } = value;
	return Number.isSafeInteger(t) && typeof i === 'string' && OBJECT_ID.test(i) && Number.isSafeInteger(f);
}

/** Equal for equal filters, whatever the order of members and tags. */
function filterMark({ tags = [], ...members }: JobFilter): number {
	const present = Object.entries(members).filter(([, value]) => value !== undefined);
	return fnv1a(JSON.stringify([present.sort(([a], [b]) => (a < b ? -1 : 1)), [...tags].sort()]));
}
