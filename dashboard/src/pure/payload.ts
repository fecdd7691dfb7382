/** The bytes of an input or a result. */
export interface Payload {
	readonly mediaType: string;
	readonly blob: Blob;
	/** Left out for bytes. */
	readonly text?: string;
}

/** Beyond this, a browser lays out a text slowly. */
export const MAX_SHOWN_CHARS = 200_000;

export function isText(mediaType: string): boolean {
	return /^text\/|^application\/(?:[\w.-]+\+)?(?:json|xml|yaml|x-ndjson|javascript)\b/i.test(mediaType);
}

/** Images that a browser decodes and that can't run a script. */
export function isImage(mediaType: string): boolean {
	return /^image\/(?:png|jpeg|webp|gif|avif)\b/i.test(mediaType);
}
