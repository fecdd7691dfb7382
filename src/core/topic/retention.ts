/**
 * How long a topic keeps its events. It deletes them in whole segments, because that writes no row: events are kept for at
 * least the time that the settings say, and at most an eighth longer; and never more bytes than they say.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { MS_PER_SECOND } from '../job/limits.ts';
import { MIN_SEGMENT_MS, SEGMENT_BYTES, SEGMENT_SHARE } from './limits.ts';

/** Settings of the deployment. */
export interface Retention {
	readonly retainSeconds: number;
	readonly retainBytes: number;
}

/** A part of the log: the events from `first` to `last`. */
export interface SegmentFacts {
	readonly first: number;
	readonly last: number;
	readonly bytes: number;
	/** Times of the first and the last append, in milliseconds since the epoch. */
	readonly openedAt: number;
	readonly lastAt: number;
}

/** Whether the next event belongs to a new segment. */
export function isSegmentFull(
	{ bytes, openedAt }: SegmentFacts,
	{ retainSeconds, retainBytes }: Retention,
	now: number,
) {
	const maxBytes = Math.min(SEGMENT_BYTES.max, Math.max(SEGMENT_BYTES.min, retainBytes * SEGMENT_SHARE.bytes));
	const maxMs = Math.max(MIN_SEGMENT_MS, retainSeconds * MS_PER_SECOND * SEGMENT_SHARE.seconds);
	return bytes >= maxBytes || now - openedAt >= maxMs;
}

/** When all events of a segment are too old. */
export function expiresAt({ lastAt }: Pick<SegmentFacts, 'lastAt'>, { retainSeconds }: Retention): number {
	return lastAt + retainSeconds * MS_PER_SECOND;
}

/**
 * The number of segments to delete, oldest first. The last one is deleted only when it is too old.
 *
 * @param keepAfter events after this number are kept, whatever the settings say.
 */
export function surplusSegments(
	segments: readonly SegmentFacts[],
	{ retention, keepAfter = Number.POSITIVE_INFINITY }: { readonly retention: Retention; readonly keepAfter?: number },
	now: number,
): number {
	let keptBytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
	let surplus = 0;
	for (const segment of segments) {
		const isTooMuch = keptBytes > retention.retainBytes && surplus < segments.length - 1;
		if (segment.last > keepAfter || !(isTooMuch || expiresAt(segment, retention) <= now)) break;
		keptBytes -= segment.bytes;
		surplus++;
	}
	return surplus;
}
