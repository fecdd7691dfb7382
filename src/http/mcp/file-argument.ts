/** A file among the arguments of a call: its URL, or its bytes. */
import { Buffer } from 'node:buffer';
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { FILE_FETCH_MS, MAX_EMBEDDED_INPUT_BYTES } from '../../core/mcp/limits.ts';
import { once } from '../../core/once.ts';
import { guardedFetch } from '../../work/fetch.ts';
import { TaskError } from '../../work/task.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';

/** It becomes a header: visible ASCII and spaces. */
const mediaType = () => z.string().regex(/^[\x21-\x7e]+\/[\x20-\x7e]+$/, 'expected a media type such as image/png');

export const FileArgument = once(() =>
	z.union(
		[
			z.strictObject({ url: z.url(), mediaType: mediaType().optional() }),
			z.strictObject({ base64: z.base64(), mediaType: mediaType() }),
		],
		'expected { "url" }, or { "base64", "mediaType" }',
	),
);

export type File = z.output<ReturnType<typeof FileArgument>>;

export interface FileBody {
	readonly mediaType: string;
	readonly body: BodyInit;
	readonly contentLength?: string;
}

/** @throws {Problem} for a file that is too large, or that can't be fetched. */
export async function readFile(context: RequestContext, file: File, signal: AbortSignal): Promise<FileBody> {
	return 'url' in file ? fetchFile(context, file, signal) : decodeFile(file);
}

function decodeFile({ base64, mediaType }: Extract<File, { base64: string }>): FileBody {
	const bytes = Buffer.from(base64, 'base64');
	if (bytes.byteLength > MAX_EMBEDDED_INPUT_BYTES) {
		const detail = `Expected at most ${MAX_EMBEDDED_INPUT_BYTES} bytes of base64, got: ${bytes.byteLength}. Send a larger file by its URL`;
		const message = `expected at most ${MAX_EMBEDDED_INPUT_BYTES} bytes`;
		throw new Problem('PayloadTooLarge', detail, { errors: [{ pointer: '/file/base64', message }] });
	}
	return { mediaType, body: bytes, contentLength: String(bytes.byteLength) };
}

/** The bytes go from the file's server into the job's object, and are never whole in memory. */
async function fetchFile(
	{ config }: RequestContext,
	{ url, mediaType }: Extract<File, { url: string }>,
	signal: AbortSignal,
): Promise<FileBody> {
	const signals = AbortSignal.any([signal, AbortSignal.timeout(FILE_FETCH_MS)]);
	const fetchGuarded = guardedFetch({ signal: signals, allowPrivateTargets: config.allowPrivateTargets });
	const response = await fetchGuarded(url).catch((error: unknown) => {
		throw unreadableFile(url, error instanceof TaskError ? error.message : 'its server did not answer');
	});
	const { body, headers, ok, status } = response;
	if (!ok || !body) {
		await body?.cancel();
		throw unreadableFile(url, `its server answered ${status}`);
	}
	const served = headers.get('content-type') ?? 'application/octet-stream';
	const contentLength = headers.get('content-encoding') === null ? headers.get('content-length') : null;
	return defined({ mediaType: mediaType ?? served, body, contentLength: contentLength ?? undefined });
}

function unreadableFile(url: string, reason: string): Problem {
	return invalidRequest(`The file can't be fetched from ${new URL(url).origin}: ${reason}`, [
		{ pointer: '/file/url', message: 'expected the URL of a file that the service may fetch' },
	]);
}
