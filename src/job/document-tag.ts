/** The weak `ETag` of a status document. Pure. */
import type { JobFacts } from './document.ts';

/**
 * Changes whenever a member of the document does, also one that makes no event: a webhook's delivery, progress between two
 * events, a delay that is over. The birth is a member, so a later job of the same idempotency key never has an earlier tag.
 * Links are left out: they differ by reader.
 */
export function documentTag(facts: JobFacts): string {
	return `W/"${facts.seq}-${fingerprint(JSON.stringify(facts))}"`;
}

/** Two FNV-1a hashes of 32 bits. They tell versions of one document apart, and keep nothing secret. */
function fingerprint(text: string): string {
	let [low, high] = [0x811c9dc5, 0x9e3779b9];
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		low = Math.imul(low ^ code, 0x01000193);
		high = Math.imul(high ^ (code + index), 0x01000193);
	}
	return [low, high].map((hash) => (hash >>> 0).toString(36)).join('');
}
