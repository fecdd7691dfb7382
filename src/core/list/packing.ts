/** Turns entries into leaves as they are stored. */
import { addToBloom, createBloom, type ItemHash } from './bloom.ts';
import { type Entry, entryItems } from './entry.ts';
import { encodeFacets } from './facets.ts';
import { countedAs } from './filter.ts';
import { leafText } from './leaf-text.ts';
import { LEAF_CHARS, LEAF_JOBS } from './limits.ts';
import type { Position } from './position.ts';
import { Combinations, Tally } from './tally.ts';

/** A leaf as it is stored. The members are those of `Leaf`. */
export interface PackedLeaf {
	readonly first: Position;
	readonly last: Position;
	readonly size: number;
	readonly unfinished: number;
	readonly firstGoneAt: number;
	readonly lastGoneAt: number;
	/** The counts as JSON; `undefined` where they are too varied. */
	readonly counts: string | undefined;
	readonly bloom: Uint8Array;
	readonly facets: string;
	readonly text: string;
}

/** @param entries sorted. @returns one leaf, or several where one would be too large; none without entries. */
export function packEntries(entries: readonly Entry[]): PackedLeaf[] {
	const [first] = entries;
	const last = entries.at(-1);
	if (!first || !last) return [];
	const text = entries.length > LEAF_JOBS.max ? undefined : leafText(entries);
	if (text === undefined || (text.length > LEAF_CHARS && entries.length > 1)) {
		const middle = entries.length >> 1;
		return [...packEntries(entries.slice(0, middle)), ...packEntries(entries.slice(middle))];
	}
	const goneAts = entries.flatMap(({ goneAt }) => (goneAt === undefined ? [] : [goneAt]));
	return [
		{
			first: { createdAt: first.createdAt, id: first.id },
			last: { createdAt: last.createdAt, id: last.id },
			size: entries.length,
			unfinished: entries.length - goneAts.length,
			firstGoneAt: Math.min(Number.POSITIVE_INFINITY, ...goneAts),
			lastGoneAt: Math.max(Number.NEGATIVE_INFINITY, ...goneAts),
			counts: encodedCounts(entries),
			bloom: filledBloom(entries.flatMap(entryItems)),
			facets: encodeFacets(entries),
			text,
		},
	];
}

function encodedCounts(entries: readonly Entry[]): string | undefined {
	const tally = new Tally(new Combinations());
	const areFew = entries.every(({ job }) => !job || tally.add(countedAs(job), 1));
	return areFew ? tally.encode() : undefined;
}

function filledBloom(items: readonly ItemHash[]): Uint8Array {
	const bloom = createBloom(new Set(items.map(({ start }) => start)).size);
	for (const item of items) addToBloom(bloom, item);
	return bloom;
}
