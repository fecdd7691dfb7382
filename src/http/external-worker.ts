/**
 * Reports of an external worker about its attempt: progress, result or failure. Its token identifies the attempt. Reports from
 * a superseded attempt are rejected with `StaleAttempt` and change nothing.
 */

import * as z from 'zod';
import { defined } from '../core/defined.ts';
import { isJson } from '../core/http/media-type.ts';
import {
	ERROR_CODE_CHARS,
	ERROR_DETAILS_BYTES,
	ERROR_MESSAGE_CHARS,
	MAX_REPORT_BYTES,
	PROGRESS_DATA_BYTES,
	PROGRESS_MESSAGE_CHARS,
} from '../core/job/limits.ts';
import type { Report } from '../core/job/object-api.ts';
import type { Fence, StoredReply } from '../core/job/record.ts';
import type { Refusal } from '../core/job/transition.ts';
import { once } from '../core/once.ts';
import { logError } from '../log.ts';
import { discardUpload, TooLarge, UploadRefused, upload } from '../rpc/upload.ts';
import {
	drain,
	REST_OF_KNOWN,
	readBytes,
	readPieces,
	refuseEncoded,
	refuseTooLarge,
	requestMediaType,
	tooLarge,
} from './body.ts';
import { inBody, zodFaults } from './faults.ts';
import { parseJson } from './json-text.ts';
import { Problem, shown } from './problem.ts';
import { missing, type RequestContext, readJobId } from './request-context.ts';
import { invalidRequest } from './submit/options.ts';

const jsonWithin = (maxBytes: number) =>
	z
		.unknown()
		.refine(
			(value) => new TextEncoder().encode(JSON.stringify(value)).byteLength <= maxBytes,
			`expected at most ${maxBytes} bytes of JSON`,
		);

export const ProgressReport = once(() =>
	z.strictObject({
		percentComplete: z.number().min(0).max(100).optional(),
		message: z.string().max(PROGRESS_MESSAGE_CHARS).optional(),
		data: jsonWithin(PROGRESS_DATA_BYTES).optional(),
	}),
);

export const FailureReport = once(() =>
	z.strictObject({
		code: z
			.string()
			.max(ERROR_CODE_CHARS)
			.regex(/^[A-Za-z][A-Za-z0-9._-]*$/, 'expected a letter, then letters, digits and . _ -'),
		message: z.string().max(ERROR_MESSAGE_CHARS),
		retryable: z.boolean().default(true),
		status: z.int().min(400).max(599).default(500),
		details: z
			.array(z.unknown())
			.refine(
				(details) => jsonWithin(ERROR_DETAILS_BYTES).safeParse(details).success,
				`expected at most ${ERROR_DETAILS_BYTES} bytes of JSON`,
			)
			.optional(),
	}),
);

/** `POST /v1/jobs/{id}/progress`: 204. */
export async function reportProgress(context: RequestContext): Promise<Response> {
	const fence = tokenFence(context);
	const progress = defined(await reportIn(context, ProgressReport()));
	const id = readJobId(context);
	const report = await context.jobs.call(id, (job) => job.reportProgress({ fence, progress, isExternal: true }));
	if (report.tellInMs !== undefined) context.waitUntil(tellAfter(context, id, report.tellInMs));
	return reportResponse(context, report);
}

/** Publishes throttled progress later in the Worker, where a timer costs nothing. The next report makes up for a lost one. */
async function tellAfter({ jobs }: RequestContext, id: string, waitMs: number): Promise<void> {
	await scheduler.wait(waitMs);
	await jobs
		.call(id, (job) => job.tell())
		.catch((error: unknown) => logError('progress not reported', { job: id, error }));
}

/** `POST /v1/jobs/{id}/complete`: the body is the result. 204. */
export async function completeJob(context: RequestContext): Promise<Response> {
	const fence = tokenFence(context);
	const { jobs } = context;
	const id = readJobId(context);
	const reply = await replyIn(context, fence);
	if ('refusal' in reply) return reportResponse(context, reply);
	const report = await jobs.call(id, (job) => job.completeAttempt({ fence, reply }));
	// The job may have finished during the upload: then nothing refers to the bytes.
	if (report.refusal !== undefined) await discardUpload(jobs, id, reply.body);
	return reportResponse(context, report);
}

/** `POST /v1/jobs/{id}/fail`: 204. The job's retry policy decides whether it is tried again. */
export async function failJob(context: RequestContext): Promise<Response> {
	const fence = tokenFence(context);
	const { code, message, retryable, status, details } = await reportIn(context, FailureReport());
	const failure = { error: defined({ code, message, retryable, details }), status };
	const report = await context.jobs.call(readJobId(context), (job) =>
		job.failAttempt({ fence, failure, isExternal: true }),
	);
	return reportResponse(context, report);
}

/** @throws {Problem} for a token without an attempt. Issued tokens always have one. */
function tokenFence({ principal }: RequestContext): Fence {
	const fence = principal.token?.fence;
	if (fence) return fence;
	throw new Problem('Forbidden', 'The token belongs to no attempt: use the link that was sent to the external worker');
}

async function reportIn<Form extends z.ZodType>({ request }: RequestContext, form: Form): Promise<z.output<Form>> {
	refuseEncoded(request);
	if (!isJson(requestMediaType(request))) {
		const message = `expected application/json, got: ${shown(request.headers.get('content-type') ?? 'none')}`;
		throw new Problem('UnsupportedMediaType', `Content-Type: ${message}`, {
			errors: [{ header: 'Content-Type', message }],
		});
	}
	const parsed = form.safeParse(parseJson(await readBytes(request, MAX_REPORT_BYTES)));
	if (!parsed.success) throw invalidRequest('The report is not valid', zodFaults(parsed.error, inBody()));
	return parsed.data;
}

/** Stores the result, unless the job's object rejects its bytes. */
async function replyIn(context: RequestContext, fence: Fence): Promise<StoredReply | UploadRefused> {
	const { request, jobs, config } = context;
	const maxBytes = config.maxResultBytes;
	refuseEncoded(request);
	refuseTooLarge(request, maxBytes);
	const mediaType = request.headers.get('content-type') ?? 'application/octet-stream';
	try {
		const body = await upload(readPieces(request), { jobs, id: readJobId(context), mediaType, maxBytes, fence });
		return body.sizeBytes === 0 ? { status: 204, headers: [] } : { status: 200, headers: [], body };
	} catch (error) {
		if (error instanceof UploadRefused) {
			await drain(request, REST_OF_KNOWN);
			return error;
		}
		throw error instanceof TooLarge ? tooLarge(maxBytes) : error;
	}
}

/** The response to a report. @throws {Problem} when the report was rejected. */
function reportResponse({ principal }: RequestContext, { refusal }: Report): Response {
	if (refusal === undefined || refusal === 'settled')
		return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } });
	if (refusal === 'gone') throw missing({ found: 'nothing' }, principal);
	throw refusal === 'canceled' ? new Problem('JobCanceled', 'The job was canceled: stop the work') : stale(refusal);
}

function stale(refusal: Refusal): Problem {
	return new Problem(
		'StaleAttempt',
		refusal === 'finished'
			? 'The job is already finished: stop the work'
			: 'A newer attempt runs the job: stop the work',
	);
}
