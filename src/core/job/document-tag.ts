/** The weak `ETag` of a status document. Pure. */
import type { JobFacts } from './document.ts';

/**
 * Changes whenever a member of the document does, including changes without an event: a webhook delivery, progress
 * between two events, the end of a delay. The creation time is a member, so a later job of the same idempotency key never
 * repeats a tag. Links are left out, because they differ by reader.
 */
export function documentTag(facts: JobFacts): string {
	return `W/"${facts.seq}-${hashText(JSON.stringify(facts))}"`;
}

/** Two FNV-1a hashes of 32 bits. They distinguish versions of one document; they are not a security measure. */
function hashText(text: string): string {
	let [low, high] = [0x811c9dc5, 0x9e3779b9];
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		low = Math.imul(low ^ code, 0x01000193);
		high = Math.imul(high ^ (code + index), 0x01000193);
	}
	return [low, high].map((hash) => (hash >>> 0).toString(36)).join('');
}
