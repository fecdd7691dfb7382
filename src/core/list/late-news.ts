/**
 * Whether late news may be believed.
 *
 * The job may have ended or been purged since, and its entry may have left the list: then the news would bring it back. But an entry
 * stays for at least `TOMBSTONE_MS` after the end or the purge. So there never was an entry if news is younger than that and finds
 * none.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { TOMBSTONE_MS } from '../job/limits.ts';
import type { Entry, ListNews } from './entry.ts';
import { BELIEVED_MS } from './limits.ts';

/** Whether news of a job that the list doesn't know is too old to be believed. */
export function isDoubtful({ readAt }: Pick<ListNews, 'readAt'>, now: number): boolean {
	return readAt !== undefined && now - readAt > BELIEVED_MS;
}

/** What the list is told of a job that does not exist any more: its entry stays for late news, unseen. */
export function erasureNews({ id, createdAt, epoch, seq }: Entry, now: number): ListNews {
	return { id, createdAt, epoch, seq, goneAt: now + TOMBSTONE_MS, events: [], readAt: now };
}
