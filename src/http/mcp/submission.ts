/** Submits the arguments of a tool as a job of its task. */
import { Buffer } from 'node:buffer';
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import type { StatusDocument } from '../../core/job/document.ts';
import { FILE_FETCH_MS, MAX_EMBEDDED_INPUT_BYTES } from '../../core/mcp/limits.ts';
import { once } from '../../core/once.ts';
import { guardedFetch } from '../../work/fetch.ts';
import type { RegisteredTask } from '../../work/registry.ts';
import { TaskError } from '../../work/task.ts';
import { inBody, zodFaults } from '../faults.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';
import { submitBody, submitEnvelope } from '../submit/submit.ts';
import { ownRequest } from './own-request.ts';
import { takesPlainInput } from './tools.ts';

export interface ToolSubmission {
	readonly task: RegisteredTask;
	readonly arguments: Readonly<Record<string, unknown>>;
	/** The same key and arguments are the same job. */
	readonly idempotencyKey: string | undefined;
	/** Aborts the download of an input. */
	readonly signal: AbortSignal;
}

/** It becomes a header: visible ASCII and spaces. */
const mediaType = () => z.string().regex(/^[\x21-\x7e]+\/[\x20-\x7e]+$/, 'expected a media type such as image/png');

const FileArgument = once(() =>
	z.union(
		[
			z.strictObject({ url: z.url(), mediaType: mediaType().optional() }),
			z.strictObject({ base64: z.base64(), mediaType: mediaType() }),
		],
		'expected { "url" }, or { "base64", "mediaType" }',
	),
);

const WrappedArguments = once(() =>
	z.strictObject({
		input: z.unknown().optional(),
		file: FileArgument().optional(),
		parameters: z.record(z.string(), z.unknown()).default({}),
	}),
);

type File = z.output<ReturnType<typeof FileArgument>>;
type Parameters = Readonly<Record<string, unknown>>;

/** @throws {Problem} for arguments that are no submission of the task. */
export async function submitTool(context: RequestContext, submission: ToolSubmission): Promise<StatusDocument> {
	const { task, arguments: given } = submission;
	if (takesPlainInput(task)) return submitJson(context, submission, { input: given });
	const parsed = WrappedArguments().safeParse(given);
	if (!parsed.success)
		throw invalidRequest('The arguments of the tool are not valid', zodFaults(parsed.error, inBody()));
	const { input, file, parameters } = parsed.data;
	if (file && input === undefined && task.binary) return submitFile(context, submission, { file, parameters });
	if (!file && input !== undefined && task.json) return submitJson(context, submission, { input, parameters });
	const wanted = [task.json && '"input"', task.binary && '"file"'].filter(Boolean).join(' or ');
	throw invalidRequest(`The arguments of the tool are not valid: expected ${wanted}`, []);
}

async function submitJson(
	context: RequestContext,
	{ task, idempotencyKey }: ToolSubmission,
	envelope: { readonly input: unknown; readonly parameters?: Parameters },
): Promise<StatusDocument> {
	const headers = { 'content-type': 'application/json', ...keyHeader(idempotencyKey) };
	const body = JSON.stringify({ task: task.name, ...envelope });
	const own = ownRequest(context, { method: 'POST', path: '/v1/jobs', scope: 'submit', headers, body });
	return (await submitEnvelope(own)).json<StatusDocument>();
}

async function submitFile(
	context: RequestContext,
	{ task, idempotencyKey, signal }: ToolSubmission,
	{ file, parameters }: { readonly file: File; readonly parameters: Parameters },
): Promise<StatusDocument> {
	const { mediaType, body, contentLength } = 'url' in file ? await fetchFile(context, file, signal) : decodeFile(file);
	const headers = defined({ 'content-type': mediaType, 'content-length': contentLength, ...keyHeader(idempotencyKey) });
	const query = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
	const path = `/v1/tasks/${task.name}/jobs?${query}`;
	const params = { task: task.name };
	const own = ownRequest(context, { method: 'POST', path, params, scope: 'submit', headers, body });
	return (await submitBody(own)).json<StatusDocument>();
}

interface FileBody {
	readonly mediaType: string;
	readonly body: BodyInit;
	readonly contentLength?: string;
}

function decodeFile({ base64, mediaType }: Extract<File, { base64: string }>): FileBody {
	const bytes = Buffer.from(base64, 'base64');
	if (bytes.byteLength > MAX_EMBEDDED_INPUT_BYTES) {
		const detail = `Expected at most ${MAX_EMBEDDED_INPUT_BYTES} bytes of base64, got: ${bytes.byteLength}. Send a larger file by its URL`;
		throw new Problem('PayloadTooLarge', detail);
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

/** @throws {Problem} for a key that no header can carry. */
function keyHeader(key: string | undefined): Record<string, string> {
	if (key === undefined) return {};
	if (/^[\x20-\x7e]+$/.test(key)) return { 'idempotency-key': JSON.stringify(key) };
	throw invalidRequest('The key of the call in _meta is not valid: expected printable ASCII characters', []);
}
