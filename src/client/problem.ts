/** Converts a refusal to the caller's error. */
import { isObject } from '../core/http/json.ts';
import { isJson } from '../core/http/media-type.ts';
import { parseRetryAfter } from '../core/operation/retry-after.ts';
import { discardBody, type ReadOptions, readText, responseMediaType } from './body.ts';
import { type Fault, JobGoneError, ProblemError } from './errors.ts';
import { MAX_PROBLEM_BYTES } from './limits.ts';

/**
 * @param action the request, without a token: `POST https://host/v1/jobs`.
 * @param response a response with a status of 400 or more. Its body is read.
 */
export async function readProblem(action: string, response: Response, options: ReadOptions): Promise<ProblemError> {
	const { status, headers } = response;
	const body = await problemBody(response, options);
	const code = textIn(body, 'code');
	const detail = textIn(body, 'detail') ?? textIn(body, 'title') ?? response.statusText;
	const facts = {
		status,
		code,
		errors: Array.isArray(body.errors) ? body.errors.filter(isFault) : [],
		correlationId: textIn(body, 'correlationId') ?? headers.get('x-correlation-id') ?? undefined,
		retryAfterSeconds: parseRetryAfter(headers.get('retry-after'), Date.now()),
	};
	const message = `${action}: ${[status, code].filter(Boolean).join(' ')}${detail === '' ? '' : `, ${detail}`}`;
	return status === 410 ? new JobGoneError(message, facts) : new ProblemError(message, facts);
}

/** The status is enough: a body that is not JSON, or never arrives, counts as empty. */
async function problemBody(response: Response, options: ReadOptions): Promise<Readonly<Record<string, unknown>>> {
	if (!isJson(responseMediaType(response))) {
		discardBody(response);
		return {};
	}
	try {
		const body: unknown = JSON.parse(await readText(response, { ...options, maxBytes: MAX_PROBLEM_BYTES }));
		return isObject(body) ? body : {};
	} catch {
		options.signal.throwIfAborted();
		return {};
	}
}

function textIn(body: Readonly<Record<string, unknown>>, field: string): string | undefined {
	const value = body[field];
	return typeof value === 'string' ? value : undefined;
}

function isFault(value: unknown): value is Fault {
	return isObject(value) && typeof value.message === 'string';
}
