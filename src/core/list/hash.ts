/** FNV-1a, 32 bits. Fast and well known; not for secrets. */

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

export function fnv1a(text: string, seed = OFFSET): number {
	let hash = seed;
	for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
	return hash >>> 0;
}
