/** Answers of the A2A server: JSON of the protocol, and its errors as `google.rpc.Status` (A2A 1.0 §11.6). */

import { faultPlace, type Problem, RETRY_AFTER_SECONDS } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { toProblem } from '../to-problem.ts';
import { STATUS_NAMES } from './status-names.ts';

const MEDIA_TYPE = 'application/a2a+json';
const HEADERS = { 'content-type': MEDIA_TYPE, 'cache-control': 'private, no-store' };
const TYPE = 'type.googleapis.com/google.rpc.';
const BAD_REQUEST = 400;
const NOT_FOUND = 404;

/** An error that the protocol names. */
export class A2aError extends Error {
	readonly reason: 'VERSION_NOT_SUPPORTED' | 'UNSUPPORTED_OPERATION' | 'TASK_NOT_CANCELABLE';

	constructor(reason: A2aError['reason'], message: string) {
		super(message);
		this.reason = reason;
	}
}

export function a2aJson(value: object): Response {
	return Response.json(value, { headers: HEADERS });
}

/** The handler's answer, or its error in the protocol's form. */
export async function answerA2a(context: RequestContext, handle: () => Promise<Response>): Promise<Response> {
	try {
		requireVersion(context);
		return await handle();
	} catch (error) {
		if (error instanceof A2aError) {
			const { message, reason } = error;
			return errorAnswer({ message, code: BAD_REQUEST, status: 'FAILED_PRECONDITION', info: errorInfo(reason) });
		}
		return problemAnswer(toProblem(error, context.request, context.principal));
	}
}

/** The header, or the query. Without it, a client speaks 0.3 (A2A 1.0 §3.6). @throws {A2aError} */
function requireVersion({ request, url }: RequestContext): void {
	const version = request.headers.get('a2a-version') || url.searchParams.get('A2A-Version') || '0.3';
	if (/^1\.\d+$/.test(version)) return;
	throw new A2aError('VERSION_NOT_SUPPORTED', 'Expected the header A2A-Version: 1.0');
}

/** A problem in the protocol's form. Every 429 and 503 says when to come back. */
export function problemAnswer(problem: Problem): Response {
	const { status, headers } = problem;
	const wait = status === 429 || status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {};
	return errorAnswer(problemFacts(problem), { ...wait, ...headers });
}

/** The same as the last event of a stream. Clients read it as they read the answer. */
export function problemEvent(problem: Problem): string {
	return `event: error\ndata: ${JSON.stringify(errorBody(problemFacts(problem)))}\n\n`;
}

function problemFacts({ code, status, message, errors = [] }: Problem): ErrorFacts {
	const isGone = code === 'JobNotFound' || code === 'JobExpired' || code === 'JobPurged';
	if (isGone) return { message: 'Task not found', code: NOT_FOUND, info: errorInfo('TASK_NOT_FOUND') };
	const faults = errors.map((fault) => ({ field: faultPlace(fault), description: fault.message }));
	if (code === 'UnsupportedMediaType')
		return { message, code: BAD_REQUEST, info: errorInfo('CONTENT_TYPE_NOT_SUPPORTED'), faults };
	const isInvalid = ['InvalidRequest', 'InvalidInput', 'IdempotencyKeyReused'].includes(code);
	const info = isInvalid ? errorInfo('INVALID_PARAMS') : errorInfo(code, 'coatcheck');
	return { message, code: isInvalid ? BAD_REQUEST : status, info, faults };
}

function errorInfo(reason: string, domain = 'a2a-protocol.org'): object {
	return { '@type': `${TYPE}ErrorInfo`, reason, domain };
}

interface ErrorFacts {
	readonly message: string;
	/** Status of HTTP. */
	readonly code: number;
	/** Of `google.rpc.Code`. Default: that of the code. */
	readonly status?: string;
	readonly info: object;
	readonly faults?: readonly object[];
}

function errorAnswer(facts: ErrorFacts, headers: Readonly<Record<string, string>> = {}): Response {
	return Response.json(errorBody(facts), { status: facts.code, headers: { ...headers, ...HEADERS } });
}

function errorBody({ message, code, status = STATUS_NAMES[code] ?? 'UNKNOWN', info, faults = [] }: ErrorFacts): object {
	const violations = faults.length > 0 ? [{ '@type': `${TYPE}BadRequest`, fieldViolations: faults }] : [];
	return { error: { code, status, message, details: [info, ...violations] } };
}
