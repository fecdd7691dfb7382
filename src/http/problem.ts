/**
 * All errors that a client can receive, as RFC 9457 problem details. Only this file maps an error code to a status.
 */

import { defined } from '../core/defined.ts';

/** The public error codes with their statuses and titles. A contract: codes are only added. */
export const PROBLEMS = {
	InvalidRequest: [400, 'Invalid request'],
	InvalidInput: [400, 'Invalid task input'],
	Unauthorized: [401, 'Authentication required'],
	Forbidden: [403, 'Insufficient permissions'],
	HttpsRequired: [403, 'HTTPS required'],
	UnknownTask: [404, 'Unknown task'],
	JobNotFound: [404, 'Job not found'],
	BatchNotFound: [404, 'Batch not found'],
	ActionNotFound: [404, 'Action not found'],
	ResultNotReady: [404, 'Result not ready'],
	NotFound: [404, 'Not found'],
	MethodNotAllowed: [405, 'Method not allowed'],
	NotAcceptable: [406, 'No acceptable media type'],
	RequestTimeout: [408, 'Request timeout'],
	JobCanceled: [409, 'Job canceled'],
	StaleAttempt: [409, 'Attempt superseded'],
	NotRetryable: [409, 'Job not retryable'],
	NotFinished: [409, 'Job not finished'],
	JobExpired: [410, 'Job expired'],
	JobPurged: [410, 'Job data deleted on request'],
	PreconditionFailed: [412, 'Precondition failed'],
	PayloadTooLarge: [413, 'Request body too large'],
	UriTooLong: [414, 'URL too long'],
	UnsupportedMediaType: [415, 'Unsupported media type'],
	MisdirectedRequest: [421, 'Unknown host'],
	IdempotencyKeyReused: [422, 'Idempotency key reused for a different request'],
	UpgradeRequired: [426, 'WebSocket upgrade required'],
	RateLimited: [429, 'Rate limit exceeded'],
	QuotaExceeded: [429, 'Tenant quota exceeded'],
	HeadersTooLarge: [431, 'Request headers too large'],
	Internal: [500, 'Internal error'],
	NotConfigured: [503, 'Service not configured'],
	Overloaded: [503, 'Service overloaded'],
	IdentityProviderUnavailable: [503, 'Identity provider unavailable'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One fault and its position in the request: a JSON Pointer into the body (RFC 6901), a header, or a query parameter. */
export type Fault =
	| { readonly pointer: string; readonly message: string }
	| { readonly header: string; readonly message: string }
	| { readonly parameter: string; readonly message: string };

/** The pointer, or the name of the parameter or the header. */
export function faultPlace(fault: Fault): string {
	if ('pointer' in fault) return fault.pointer;
	return 'parameter' in fault ? fault.parameter : fault.header;
}

export interface ProblemOptions {
	readonly errors?: readonly Fault[];
	readonly headers?: Readonly<Record<string, string>>;
}

/** Maximum number of faults in one response. */
export const MAX_FAULTS = 20;
/** Maximum length of a client's value in an error text. */
const MAX_SHOWN_CHARS = 100;
/** Maximum length of a fault's pointer or message. Larger than above, because most of that text is our own. */
const MAX_FAULT_CHARS = 300;

/** A client's value, shortened for an error text. */
export function shown(text: string): string {
	return truncate(text, MAX_SHOWN_CHARS);
}

function cutFault(fault: Fault): Fault {
	const message = truncate(fault.message, MAX_FAULT_CHARS);
	if ('header' in fault) return { header: shown(fault.header), message };
	if ('parameter' in fault) return { parameter: shown(fault.parameter), message };
	return { pointer: truncate(fault.pointer, MAX_FAULT_CHARS), message };
}

function truncate(text: string, maxChars: number): string {
	return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}

/** An error for the client. `door.ts` turns it into a response. The message is public: it becomes `detail`. */
export class Problem extends Error {
	override readonly name = 'Problem';
	readonly code: ProblemCode;
	readonly status: number;
	readonly errors: readonly Fault[] | undefined;
	readonly headers: Readonly<Record<string, string>>;

	constructor(code: ProblemCode, detail: string, { errors, headers = {} }: ProblemOptions = {}) {
		super(detail);
		this.code = code;
		this.status = PROBLEMS[code][0];
		this.errors = errors?.slice(0, MAX_FAULTS).map(cutFault);
		this.headers = headers;
	}
}

/** The job's object is temporarily unreachable: a deploy, a crash, too many calls. */
export function passing(): Problem {
	return new Problem('Overloaded', 'The service is overloaded or restarting: nothing was changed, try again');
}

/** The facts of the request that a response repeats. */
export interface Asked {
	/** The path, without the query: tokens stay out of bodies and logs. */
	readonly path: string;
	readonly correlationId: string;
}

/** Minimum wait of a rejected client before it retries, in seconds. */
export const RETRY_AFTER_SECONDS = 5;
const RETRY_AFTER = { 'retry-after': String(RETRY_AFTER_SECONDS) };

export function problemResponse(problem: Problem, asked: Asked): Response {
	const { code, status, message, errors, headers } = problem;
	const body = defined({
		type: problemType(code),
		title: PROBLEMS[code][1],
		status: hidesStatus(asked) ? undefined : status,
		detail: message,
		instance: asked.path,
		code,
		correlationId: asked.correlationId,
		errors,
		error: { code, message },
	});
	return Response.json(body, {
		status,
		headers: {
			'content-type': 'application/problem+json',
			'cache-control': 'no-store',
			...(status === 503 ? RETRY_AFTER : {}),
			'x-correlation-id': asked.correlationId,
			...headers,
		},
	});
}

/** A failed job's own error, as the response of its result resource. */
export function failureResponse(
	status: number,
	error: { readonly code: string; readonly message: string; readonly details?: readonly unknown[] },
	asked: Asked,
): Response {
	const body = {
		type: problemType(error.code),
		title: 'The job failed',
		status,
		detail: error.message,
		instance: asked.path,
		code: error.code,
		correlationId: asked.correlationId,
		error,
	};
	return Response.json(body, {
		status,
		headers: {
			'content-type': 'application/problem+json',
			'cache-control': 'no-store',
			...(status === 429 || status === 503 ? RETRY_AFTER : {}),
			'x-correlation-id': asked.correlationId,
		},
	});
}

function problemType(code: string): string {
	return `urn:coatcheck:problem:${encodeURIComponent(code)}`;
}

/** Azure's poller reads any `status` in an operation's body as the operation's status: a number there breaks it. */
function hidesStatus({ path }: Asked): boolean {
	return path.startsWith('/v1/operations/');
}
