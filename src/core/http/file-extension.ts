/** The usual extensions of files, by media type. Pure. */
import { essence, isJson } from './media-type.ts';

/** Where the extension is not the format's own name. */
const EXTENSIONS: ReadonlyMap<string, string> = new Map([
	['application/gzip', 'gz'],
	['application/octet-stream', 'bin'],
	['application/x-ndjson', 'ndjson'],
	['audio/mpeg', 'mp3'],
	['image/jpeg', 'jpg'],
	['image/svg+xml', 'svg'],
	['text/markdown', 'md'],
	['text/plain', 'txt'],
]);
const OWN_NAME = /^(?:application\/(?=pdf$|xml$|zip$)|(?:audio|image|text|video)\/)([a-z\d]{2,5})$/;

/** @returns `undefined` for a media type that has no usual extension. @param header the value of `Content-Type`. */
export function fileExtension(header: string): string | undefined {
	const mediaType = essence(header);
	return EXTENSIONS.get(mediaType) ?? OWN_NAME.exec(mediaType)?.[1] ?? (isJson(mediaType) ? 'json' : undefined);
}
