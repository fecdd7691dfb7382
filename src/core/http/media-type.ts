/** Whether a media type is JSON (RFC 8259) or built on it (`+json`, RFC 6839 §3.1). @param mediaType in lower case, without parameters. */
export function isJson(mediaType: string): boolean {
	return mediaType === 'application/json' || mediaType.endsWith('+json');
}
