/** Prints or saves the result of a job that has succeeded. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArgsDef } from 'citty';
import type { Job } from '../../src/client/index.ts';
import { essence, isJson } from '../../src/core/http/media-type.ts';
import { UsageError } from '../failure.ts';
import { note, print, printJson } from '../terminal/output.ts';
import { save } from './save.ts';

export const RESULT_OPTIONS = {
	output: { type: 'string', alias: 'o', description: 'The file to save the result in. Default: stdout' },
} satisfies ArgsDef;

export interface ResultOptions {
	/** The file. Default: stdout. */
	readonly output: string | undefined;
	readonly json: boolean | undefined;
	readonly signal: AbortSignal;
}

/** @throws {JobFailedError} {@link JobCanceledError} */
export async function writeResult(job: Job, { output, json, signal }: ResultOptions): Promise<void> {
	const response = await job.response({ signal });
	const mediaType = essence(response.headers.get('content-type'));
	if (output !== undefined) {
		const sizeBytes = await save(response.body, output, signal);
		if (json) return printJson({ file: output, mediaType, sizeBytes });
		return note(`Saved ${sizeBytes} bytes (${mediaType || 'no media type'}) as ${output}`);
	}
	// Numbers keep their digits.
	if (isJson(mediaType)) return process.stdout.isTTY ? printJson(await response.json()) : print(await response.text());
	if (response.status === 204 || response.status === 205) return json ? printJson(null) : undefined;
	if (json || (process.stdout.isTTY && !mediaType.startsWith('text/'))) {
		await response.body?.cancel();
		throw new UsageError(`The result is ${mediaType || 'bytes'}: expected --output <file>`);
	}
	await writeToStdout(response, signal);
}

async function writeToStdout({ body }: Response, signal: AbortSignal): Promise<void> {
	if (body === null) return print();
	await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), process.stdout, {
		end: false,
		signal,
	});
}
