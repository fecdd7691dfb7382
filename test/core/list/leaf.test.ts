import { describe, expect, it } from 'vitest';
import { addToBloom, createBloom, hashItem, mayContain } from '../../../src/core/list/bloom.ts';
import { BloomSlices } from '../../../src/core/list/bloom-slices.ts';
import { nextCheckAt } from '../../../src/core/list/check-times.ts';
import { decodeEntry, encodeEntry, entryFrom } from '../../../src/core/list/entry.ts';
import { matchesFilter } from '../../../src/core/list/filter.ts';
import { Leaf } from '../../../src/core/list/leaf.ts';
import { entriesInText, leafText } from '../../../src/core/list/leaf-text.ts';
import { LEAF_CHARS, LEAF_JOBS, MAX_COMBINATIONS, UNHEARD_MS } from '../../../src/core/list/limits.ts';
import { packEntries } from '../../../src/core/list/packing.ts';
import { Combinations } from '../../../src/core/list/tally.ts';
import { idFor, type MadeJob, newsFor, T0 } from './news.ts';

const entry = (made: MadeJob) => entryFrom(newsFor(made), 1);
const entries = (count: number, more: (nth: number) => Partial<MadeJob> = () => ({})) =>
	Array.from({ length: count }, (_, nth) => entry({ nth, ...more(nth) }));

describe('an entry', () => {
	it('is the same after it was a line', () => {
		const made = entry({ nth: 1, phase: 'failed', errorCode: 'A', tags: ['"\n}', 'ü'], goneAt: T0 + 9 });
		const line = encodeEntry(made);
		expect(line).not.toContain('\n');
		expect(decodeEntry(line)).toEqual(made);
		expect(Object.keys(decodeEntry(line).job ?? {})[0]).toBe('id');
	});
});

describe('the text of a leaf', () => {
	it('gives only the lines that contain each text', () => {
		const all = entries(9, (nth) => ({ task: nth % 2 ? 'sleep' : 'echo', tags: [`t${nth % 3}`] }));
		const text = leafText(all);
		expect(entriesInText(text)).toEqual(all);
		const found = entriesInText(text, ['"t1"', '"task":"sleep"']);
		expect(found.map(({ id }) => id)).toEqual([idFor(1), idFor(7)]);
		expect(entriesInText('')).toEqual([]);
	});
});

describe('a Bloom filter', () => {
	it('has all its items, and almost no other', () => {
		const bloom = createBloom(512);
		for (let nth = 0; nth < 512; nth++) addToBloom(bloom, hashItem('id', idFor(nth)));
		const count = (from: number, to: number) => {
			let found = 0;
			for (let nth = from; nth < to; nth++) if (mayContain(bloom, hashItem('id', idFor(nth)))) found++;
			return found;
		};
		expect(count(0, 512)).toBe(512);
		expect(count(1_000, 101_000)).toBeLessThan(150);
		expect(mayContain(bloom, hashItem('tag', idFor(1)))).toBe(false);
	});
});

describe('the slices of many Bloom filters', () => {
	it('find the same filters as a look at each of them, also when some were added to or removed', () => {
		const filters = Array.from({ length: 300 }, (_, owner) => {
			const bloom = createBloom(1);
			for (let nth = 0; nth < 40; nth++) addToBloom(bloom, hashItem('id', idFor(owner * 40 + nth)));
			return bloom;
		});
		const slices = new BloomSlices<number>(filters[0]?.length ?? 0);
		for (const [owner, bloom] of filters.entries()) expect(slices.add(owner, bloom)).toBe(owner);
		const late = hashItem('id', 'late');
		slices.addItem(299, late);
		for (let nth = 0; nth < 300 * 40; nth += 7) {
			const item = hashItem('id', idFor(nth));
			const expected = filters.flatMap((bloom, owner) => (mayContain(bloom, item) ? [owner] : []));
			expect(slices.candidates(item).filter((owner) => owner !== 299)).toEqual(
				expected.filter((owner) => owner !== 299),
			);
			expect(expected).toContain(Math.floor(nth / 40));
		}
		expect(slices.candidates(late)).toContain(299);
		slices.remove(299);
		expect(slices.candidates(late)).not.toContain(299);
	});
});

describe('packed leaves', () => {
	it('have a bounded number of jobs and characters', () => {
		const sizes = packEntries(entries(LEAF_JOBS.max + 1)).map(({ size }) => size);
		expect(sizes).toEqual([256, 257]);
		const long = entries(90, () => ({ tags: ['x'.repeat(10_000)] }));
		const packed = packEntries(long);
		expect(packed.length).toBeGreaterThan(2);
		for (const { text } of packed) expect(text.length).toBeLessThanOrEqual(LEAF_CHARS);
		expect(packed.flatMap(({ text }) => entriesInText(text))).toEqual(long);
	});

	it('are read where their jobs are too varied to count', () => {
		const all = entries(MAX_COMBINATIONS + 1, (nth) => ({ phase: 'failed', errorCode: `E${nth}`, goneAt: T0 + 99 }));
		const [packed] = packEntries(all);
		expect(packed?.counts).toBeUndefined();
		expect(packEntries(all.slice(1))[0]?.counts).toBeDefined();
		if (!packed) return;
		const leaf = new Leaf(1, packed, {
			combinations: new Combinations(),
			rows: { text: () => packed.text, facets: () => packed.facets, bloom: () => packed.bloom },
		});
		expect(leaf.tally()).toBeUndefined();
	});
});

describe('a job matches', () => {
	const { job } = newsFor({
		nth: 5,
		phase: 'failed',
		errorCode: 'E',
		tags: ['a', 'b'],
		goneAt: T0 + 99,
		updatedAt: T0 + 9,
	});
	it.each([
		[true, {}],
		[
			true,
			{ status: 'failed', phase: 'failed', task: 'sleep', errorCode: 'E', tags: ['b', 'a'], correlationId: 'c-5' },
		],
		[true, { createdAfter: T0 + 5, createdBefore: T0 + 6 }],
		[false, { createdAfter: T0 + 6 }],
		[false, { createdBefore: T0 + 5 }],
		[false, { tags: ['a', 'c'] }],
		[false, { status: 'succeeded' }],
		[false, { errorCode: 'F' }],
		[false, { unchangedSince: T0 + 8 }],
		[true, { unchangedSince: T0 + 9 }],
	] as const)('%s: %j', (expected, filter) => {
		if (!job) throw new Error('Expected a job');
		expect(matchesFilter(job, filter)).toBe(expected);
	});
});

describe('the times at which a job without news is asked', () => {
	it('double up to six hours', () => {
		const times: number[] = [];
		for (let at = T0; times.length < 14; times.push(at)) at = nextCheckAt(T0, at);
		const intervals = times.map((at, nth) => at - (times[nth - 1] ?? T0));
		expect(intervals.slice(0, 4)).toEqual([1, 2, 4, 8].map((factor) => factor * UNHEARD_MS.first));
		expect(intervals.slice(-3)).toEqual([UNHEARD_MS.max, UNHEARD_MS.max, UNHEARD_MS.max]);
		expect(nextCheckAt(T0, Number.NEGATIVE_INFINITY)).toBe(T0 + UNHEARD_MS.first);
	});
});
