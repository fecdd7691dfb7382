/**
 * A Bloom filter over a leaf's ids, correlation ids and tags: says for certain that a leaf does not have an item, so that the
 * leaf needn't be read.
 */
import { fnv1a } from './hash.ts';
import { BLOOM } from './limits.ts';

export type ItemKind = 'id' | 'correlationId' | 'tag';

/** Two hashes of an item, made once for all leaves. */
export interface ItemHash {
	readonly start: number;
	readonly step: number;
}

export function hashItem(kind: ItemKind, value: string): ItemHash {
	const start = mixed(fnv1a(`${kind} ${value}`));
	return { start, step: mixed(start ^ 0x9e3779b9) | 1 };
}

/** An empty filter for a number of items. */
export function createBloom(items: number): Uint8Array {
	let bytes: number = BLOOM.minBytes;
	while (bytes < items * BLOOM.bytesAnItem && bytes < BLOOM.maxBytes) bytes *= 2;
	return new Uint8Array(bytes);
}

export function addToBloom(bloom: Uint8Array, { start, step }: ItemHash): void {
	const mask = bloom.length * 8 - 1;
	for (let probe = 0, bit = start; probe < BLOOM.probes; probe++, bit += step) {
		const at = (bit & mask) >>> 3;
		bloom[at] = (bloom[at] ?? 0) | (1 << (bit & 7));
	}
}

/** Whether the item may have been added. `false` is certain. */
export function mayContain(bloom: Uint8Array, { start, step }: ItemHash): boolean {
	const mask = bloom.length * 8 - 1;
	for (let probe = 0, bit = start; probe < BLOOM.probes; probe++, bit += step)
		if (((bloom[(bit & mask) >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
	return true;
}

/** Spreads the bits of a hash (the finalizer of MurmurHash3). */
function mixed(hash: number): number {
	let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
	return (bits ^ (bits >>> 16)) >>> 0;
}
