export const JSON_TYPE = 'application/json';

/** A media type without its parameters, in lower case; empty when there is none. @param header the value of `Content-Type`. */
export function essence(header: string | null): string {
	return header?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Whether a media type is JSON (RFC 8259) or built on it (`+json`, RFC 6839 §3.1). @param mediaType in lower case, without parameters. */
export function isJson(mediaType: string): boolean {
	return mediaType === JSON_TYPE || mediaType.endsWith('+json');
}

/** Unregistered names of media types that many programs send. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([['image/jpg', 'image/jpeg']]);

/** Whether a list of media types and ranges, such as `image/*`, has the media type of a `Content-Type`. */
export function matchesMediaType(accepted: readonly string[], contentType: string): boolean {
	const sent = essence(contentType);
	const mediaType = OTHER_NAMES.get(sent) ?? sent;
	const [type] = mediaType.split('/');
	return accepted.includes(mediaType) || accepted.includes(`${type}/*`) || accepted.includes('*/*');
}
