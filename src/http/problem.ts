/**
 * Everything that can go wrong for a client, and how it is told: RFC 9457 problem details. The one place where a reason
 * becomes a status.
 */

/** The public codes and the status each has. A contract: codes are only added. */
export const PROBLEMS = {
	InvalidRequest: [400, 'The request is not well formed'],
	InvalidInput: [400, "The input does not fit the task's schema"],
	Unauthorized: [401, 'Who is asking is not known'],
	Forbidden: [403, 'This may not be done with these credentials'],
	HttpsRequired: [403, 'HTTPS is required'],
	UnknownTask: [404, 'There is no such task'],
	JobNotFound: [404, 'There is no such job'],
	BatchNotFound: [404, 'There is no such batch'],
	ResultNotReady: [404, 'The job is not finished'],
	NotFound: [404, 'There is nothing here'],
	MethodNotAllowed: [405, 'The resource does not take this method'],
	NotAcceptable: [406, 'No acceptable media type'],
	RequestTimeout: [408, 'The body arrived too slowly'],
	JobCanceled: [409, 'The job was canceled'],
	StaleAttempt: [409, 'The attempt no longer has the job'],
	NotRetryable: [409, 'The job cannot be run again'],
	NotFinished: [409, 'The job is not finished'],
	JobExpired: [410, "The job's retention is over"],
	JobPurged: [410, "The job's data was deleted on request"],
	PreconditionFailed: [412, 'Precondition failed'],
	PayloadTooLarge: [413, 'The body is too large'],
	UriTooLong: [414, 'The URL is too long'],
	UnsupportedMediaType: [415, 'The body has a media type that is not taken here'],
	MisdirectedRequest: [421, 'The host is not served here'],
	IdempotencyKeyReused: [422, 'The idempotency key stands for another request'],
	UpgradeRequired: [426, 'This resource speaks WebSocket'],
	RateLimited: [429, 'Too many requests'],
	QuotaExceeded: [429, 'A quota of the tenant is used up'],
	HeadersTooLarge: [431, 'The headers are too many or too large'],
	Internal: [500, 'Something went wrong here'],
	NotConfigured: [503, 'The deployment is not configured'],
	Overloaded: [503, 'Too much to do at the moment'],
	IdentityProviderUnavailable: [503, 'Who is asking cannot be found out at the moment'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Where in the request a fault is: a JSON Pointer into the body (RFC 6901), a header, or a query parameter. */
export type Fault =
	| { readonly pointer: string; readonly message: string }
	| { readonly header: string; readonly message: string }
	| { readonly parameter: string; readonly message: string };

export interface ProblemOptions {
	readonly errors?: readonly Fault[];
	readonly headers?: Readonly<Record<string, string>>;
}

/** As many faults are told at once. */
export const MAX_FAULTS = 20;
/** So much is shown of what a client sent. */
const MAX_SHOWN_CHARS = 100;
/** So long may a pointer into its body be, or a message: of these, most is ours. */
const MAX_FAULT_CHARS = 300;

/** What a client sent, as it is shown to it: not at any length. */
export function shown(text: string): string {
	return cut(text, MAX_SHOWN_CHARS);
}

function cutFault(fault: Fault): Fault {
	const message = cut(fault.message, MAX_FAULT_CHARS);
	if ('header' in fault) return { header: shown(fault.header), message };
	if ('parameter' in fault) return { parameter: shown(fault.parameter), message };
	return { pointer: cut(fault.pointer, MAX_FAULT_CHARS), message };
}

function cut(text: string, maxChars: number): string {
	return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}

/** Thrown anywhere behind the door; the door turns it into the answer. The message is public: it becomes `detail`. */
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

/** The job's object can't be reached at the moment: a deploy, a crash, too many calls. */
export function passing(): Problem {
	return new Problem('Overloaded', 'The service is overloaded or restarting: nothing was changed, try again');
}

/** What an answer needs to know of the request it answers. */
export interface Asked {
	/** The path, without the query: tokens stay out of bodies and logs. */
	readonly path: string;
	readonly correlationId: string;
}

/** How long a client that was turned away should wait at least, in seconds. */
export const RETRY_AFTER_SECONDS = 5;

export function problemResponse(problem: Problem, asked: Asked): Response {
	const { code, status, message, errors, headers } = problem;
	const body = {
		type: problemType(code),
		title: PROBLEMS[code][1],
		...(hidesStatus(asked) ? {} : { status }),
		detail: message,
		instance: asked.path,
		code,
		correlationId: asked.correlationId,
		...(errors && { errors }),
		error: { code, message },
	};
	return Response.json(body, {
		status,
		headers: {
			'content-type': 'application/problem+json',
			'cache-control': 'no-store',
			...(status === 503 && { 'retry-after': String(RETRY_AFTER_SECONDS) }),
			'x-correlation-id': asked.correlationId,
			...headers,
		},
	});
}

/** A failed job's own error, as its result resource tells it. */
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
			...((status === 429 || status === 503) && { 'retry-after': String(RETRY_AFTER_SECONDS) }),
			'x-correlation-id': asked.correlationId,
		},
	});
}

function problemType(code: string): string {
	return `urn:coatcheck:problem:${encodeURIComponent(code)}`;
}

/** Azure's poller takes any `status` in an operation's body for the operation's own: a number there breaks it. */
function hidesStatus({ path }: Asked): boolean {
	return path.startsWith('/v1/operations/');
}
