/** Problems (RFC 9457) as schemas: for each status, the codes that it may have. */
import { PROBLEMS, type ProblemCode } from '../problem.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** Problems of every operation. */
const OF_EVERY: readonly ProblemCode[] = [
	'InvalidRequest',
	'HttpsRequired',
	'UriTooLong',
	'MisdirectedRequest',
	'RateLimited',
	'HeadersTooLarge',
	'Internal',
	'NotConfigured',
	'Overloaded',
];

/** Problems of every operation that needs credentials. */
const OF_PROTECTED: readonly ProblemCode[] = [...OF_EVERY, 'Unauthorized', 'Forbidden', 'IdentityProviderUnavailable'];

/** What a code means, where its title does not say it. */
export const PROBLEM_NOTES: Readonly<Partial<Record<string, string>>> = {
	InvalidRequest: 'a header, a parameter or the body is not valid: see `errors`',
	InvalidInput: "the input does not match the task's schema: see `errors`",
	Forbidden: 'the key or the link lacks the scope',
	HttpsRequired: 'the request used `http:`, and the deployment has keys',
	RequestTimeout: 'a JSON body must arrive within 60 s, plus one second for each 64 KiB of it',
	MisdirectedRequest: "the deployment has no keys, and the host is neither the machine's nor a configured public one",
	ResultNotReady: 'the job is not finished: try again after `Retry-After`',
	NotRetryable: 'only failed and canceled jobs can be retried',
	StaleAttempt: 'a newer attempt runs the job, or it has ended',
	PreconditionFailed: 'an `If-Match` that does not hold',
	NotConfigured: 'the deployment lacks settings, or they contradict each other',
};

const CODES = Object.keys(PROBLEMS) as ProblemCode[];

/** What may be wrong with a request of an operation: codes by status. */
export function codesByStatus(own: readonly ProblemCode[], isPublic: boolean): Map<number, ProblemCode[]> {
	const all = new Set([...own, ...(isPublic ? OF_EVERY : OF_PROTECTED)]);
	return Map.groupBy(
		CODES.filter((code) => all.has(code)),
		(code) => PROBLEMS[code][0],
	);
}

const FAULT: JsonSchema = {
	type: 'object',
	description: 'One fault, and its place: a JSON Pointer into the body, a header, or a query parameter',
	properties: {
		pointer: { type: 'string' },
		header: { type: 'string' },
		parameter: { type: 'string' },
		message: { type: 'string', description: 'What is wrong, and what was expected' },
	},
	required: ['message'],
};

/** The members of every problem, and others. */
function problemSchema(code: JsonSchema, others: Readonly<Record<string, JsonSchema>>): JsonSchema {
	const properties = {
		type: { type: 'string', description: '`urn:coatcheck:problem:` and the code' },
		title: { type: 'string' },
		status: { type: 'integer', minimum: 400, maximum: 599, description: 'Left out on `/v1/operations/`' },
		detail: { type: 'string', description: 'What is wrong with this request, what was expected, and what to do' },
		instance: { type: 'string', description: 'The path, without the query' },
		code,
		correlationId: { type: 'string', description: 'As in `X-Correlation-ID` and in the log' },
		...others,
	};
	return { type: 'object', properties, required: ['type', 'title', 'instance', 'code', 'correlationId', 'error'] };
}

/** A problem with one of these codes. */
function refusalSchema(codes: readonly ProblemCode[], status: number | undefined): JsonSchema {
	const narrowed = { code: { type: 'string', enum: codes } };
	const properties = status === undefined ? narrowed : { ...narrowed, status: { type: 'integer', const: status } };
	const required = status === undefined ? [] : ['status'];
	return { allOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'object', properties, required }] };
}

export const PROBLEM_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
	Fault: FAULT,
	Problem: {
		...problemSchema(
			{ type: 'string', enum: CODES, description: 'For programs. Codes are only added' },
			{
				errors: { type: 'array', items: { $ref: '#/components/schemas/Fault' } },
				error: {
					type: 'object',
					description: 'The same, for clients that look for an error here',
					properties: { code: { type: 'string' }, message: { type: 'string' } },
					required: ['code', 'message'],
				},
			},
		),
		description: 'A refused request (RFC 9457)',
	},
	JobFailure: {
		...problemSchema(
			{ type: 'string', description: "The code of the job's error" },
			{ error: { $ref: '#/components/schemas/JobError' } },
		),
		description: 'The failure of a job, as the answer to its request. Its task chose the status and the code',
	},
};

const PROBLEM_TYPE = 'application/problem+json';

const HEADERS_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
	401: ['WWW-Authenticate'],
	403: ['WWW-Authenticate'],
	405: ['Allow'],
	415: ['Accept-Post'],
	426: ['Upgrade'],
	429: ['Retry-After', 'RateLimit'],
	503: ['Retry-After'],
};

export interface ProblemResponseOptions {
	readonly hidesStatus: boolean;
	/** A finished job may answer with this status, too. */
	readonly hasOutcome: boolean;
}

/** A problem response that operations share, with the name of its component. */
export function problemResponseComponent(
	status: number,
	codes: readonly ProblemCode[],
	{ hidesStatus, hasOutcome }: ProblemResponseOptions,
) {
	const refusal = refusalSchema(codes, hidesStatus ? undefined : status);
	const schema = hasOutcome ? { anyOf: [refusal, { $ref: '#/components/schemas/JobFailure' }] } : refusal;
	const name = `${hidesStatus ? 'Operation' : ''}${codes.join('Or')}${hasOutcome ? 'OrJobFailure' : ''}`;
	// `ResultNotReady` tells when to ask again.
	const headers = [...(HEADERS_BY_STATUS[status] ?? []), ...(codes.includes('ResultNotReady') ? ['Retry-After'] : [])];
	const titles = codes.map((code) => PROBLEMS[code][1]).join('; ');
	const description = hasOutcome ? `${titles}; or the failure of the job` : titles;
	return { name, description, headers, content: { [PROBLEM_TYPE]: { schema } } };
}

/** The failure of a job with any other status. */
export const FAILURE_CONTENT = { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/JobFailure' } } };
