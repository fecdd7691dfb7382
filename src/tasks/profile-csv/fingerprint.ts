/**
 * 64-bit fingerprints of texts. Pure: no I/O, no state.
 *
 * Two MurmurHash3 lanes of 32 bits with different constants, mixed at the end. The hash doesn't resist deliberate collisions:
 * those would only falsify the distinct count of the attacker's own file.
 */

/**
 * Writes the fingerprint of `text` into `out[0]` and `out[1]`. The caller provides the array, because allocating a pair for
 * every cell would cost more than the hashing.
 *
 * A fingerprint is never (0, 0), so a table may use that for an empty slot.
 */
export function fingerprint(text: string, out: Uint32Array): void {
	const length = text.length;
	let high = 0x9747b28c;
	let low = 0x3c6ef372;
	for (let i = 0; i < length; i += 2) {
		const block = text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0);
		high ^= Math.imul(rotateLeft(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
		high = (Math.imul(rotateLeft(high, 13), 5) + 0xe6546b64) | 0;
		low ^= Math.imul(rotateLeft(Math.imul(block, 0x239b961b), 16), 0xab0e9789);
		low = (Math.imul(rotateLeft(low, 19), 5) + 0x561ccd1b) | 0;
	}
	// The length distinguishes 'a' from 'a\0', which fill the same block.
	high = avalanche((high ^ length) + low);
	low = avalanche((low ^ length) + high);
	out[0] = high;
	out[1] = high === 0 && low === 0 ? 1 : low;
}

function rotateLeft(word: number, bits: number): number {
	return (word << bits) | (word >>> (32 - bits));
}

function avalanche(word: number): number {
	let mixed = word ^ (word >>> 16);
	mixed = Math.imul(mixed, 0x85ebca6b);
	mixed ^= mixed >>> 13;
	mixed = Math.imul(mixed, 0xc2b2ae35);
	return mixed ^ (mixed >>> 16);
}
