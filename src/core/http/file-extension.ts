/** The usual extensions of files, by media type. Pure. */
import { essence, isJson } from './media-type.ts';

/** Those that are not the subtype itself, as `png` and `pdf` are. */
const EXTENSIONS: ReadonlyMap<string, string> = new Map([
	['application/octet-stream', 'bin'],
	['audio/mpeg', 'mp3'],
	['image/jpeg', 'jpg'],
	['image/svg+xml', 'svg'],
	['text/plain', 'txt'],
]);

/** @returns `undefined` for a media type that has no usual extension. @param header the value of `Content-Type`. */
export function fileExtension(header: string): string | undefined {
	const mediaType = essence(header);
	if (isJson(mediaType)) return 'json';
	return EXTENSIONS.get(mediaType) ?? /\/([a-z0-9]{2,4})$/.exec(mediaType)?.[1];
}
