/** A media type without its parameters, in lower case; empty when there is none. @param header the value of `Content-Type`. */
export function essence(header: string | null): string {
	return header?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Whether a media type is JSON (RFC 8259) or built on it (`+json`, RFC 6839 §3.1). @param mediaType in lower case, without parameters. */
export function isJson(mediaType: string): boolean {
	return mediaType === 'application/json' || mediaType.endsWith('+json');
}
