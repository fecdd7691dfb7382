/** The end of a job as the result of the tool that made it. */
import { Buffer } from 'node:buffer';
import { essence } from '../../core/http/media-type.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import type { StoredBody, StoredReply } from '../../core/job/record.ts';
import { embeddedForm, errorResult, jsonResult, type ToolResult, textResult } from '../../core/mcp/content.ts';
import { MAX_EMBEDDED_RESULT_BYTES } from '../../core/mcp/limits.ts';
import { downloadAll } from '../../rpc/download.ts';
import { charsetOf, decoderFor } from '../../work/charset.ts';
import { statusDocumentFor } from '../job-response.ts';
import type { RequestContext } from '../request-context.ts';

const FIRST_ERROR_STATUS = 400;

/** @param job has ended, and was read with its outcome. */
export async function toolResult(context: RequestContext, job: FoundJob): Promise<ToolResult> {
	const { view, outcome } = job;
	const { status, error } = view.facts;
	if (outcome?.kind === 'reply') return replyResult(context, job, outcome.reply);
	if (status === 'canceled') return errorResult('JobCanceled: the job was canceled, so it has no result');
	const { code = 'Internal', message = 'the job has no result', details } = error ?? {};
	return errorResult(`${code}: ${message}`, details && { code, message, details });
}

async function replyResult(context: RequestContext, job: FoundJob, reply: StoredReply): Promise<ToolResult> {
	const { body } = reply;
	const result = body ? await bodyResult(context, job, body) : textResult('');
	return reply.status < FIRST_ERROR_STATUS ? result : { ...result, isError: true };
}

async function bodyResult(context: RequestContext, { view }: FoundJob, body: StoredBody): Promise<ToolResult> {
	const { mediaType, sizeBytes } = body;
	const form = sizeBytes > MAX_EMBEDDED_RESULT_BYTES ? 'link' : embeddedForm(essence(mediaType));
	if (form === 'link') {
		const { links } = statusDocumentFor(context, view);
		const name = `result of ${view.facts.task}`;
		return { content: [{ type: 'resource_link', uri: links.result, name, mimeType: mediaType, size: sizeBytes }] };
	}
	const bytes = await downloadAll(context.jobs, view.facts.id, body);
	if (form === 'image' || form === 'audio')
		return { content: [{ type: form, data: base64(bytes), mimeType: essence(mediaType) }] };
	const decoder = decoderFor(charsetOf(mediaType) ?? 'utf-8') ?? new TextDecoder();
	const text = decoder.decode(bytes);
	return form === 'json' ? jsonResult(text) : textResult(text);
}

function base64(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString('base64');
}
