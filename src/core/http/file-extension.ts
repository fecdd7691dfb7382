/** The usual extensions of files, by media type. Pure. */
import { essence, isJson } from './media-type.ts';

const EXTENSIONS: Readonly<Record<string, string>> = {
	'application/gzip': 'gz',
	'application/octet-stream': 'bin',
	'application/pdf': 'pdf',
	'application/x-ndjson': 'ndjson',
	'application/xml': 'xml',
	'application/zip': 'zip',
	'audio/mpeg': 'mp3',
	'audio/ogg': 'ogg',
	'audio/wav': 'wav',
	'image/avif': 'avif',
	'image/gif': 'gif',
	'image/jpeg': 'jpg',
	'image/jpg': 'jpg',
	'image/png': 'png',
	'image/svg+xml': 'svg',
	'image/tiff': 'tiff',
	'image/webp': 'webp',
	'text/css': 'css',
	'text/csv': 'csv',
	'text/html': 'html',
	'text/markdown': 'md',
	'text/plain': 'txt',
	'text/xml': 'xml',
	'video/mp4': 'mp4',
	'video/webm': 'webm',
};

/** @returns `undefined` for a media type that has no usual extension. @param header the value of `Content-Type`. */
export function fileExtension(header: string): string | undefined {
	const mediaType = essence(header);
	return Object.hasOwn(EXTENSIONS, mediaType) ? EXTENSIONS[mediaType] : isJson(mediaType) ? 'json' : undefined;
}
