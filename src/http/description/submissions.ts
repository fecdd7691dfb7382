/** Operations that submit jobs. The submission to a task is described for each task (`tasks.ts`). */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import { AcceptedBatch, Batch, StatusDocument } from './documents.ts';
import type { HeaderName } from './headers.ts';
import { JOB_LINKS } from './links.ts';
import { OPTION_NAMES } from './parameters.ts';
import { BatchBody } from './requests.ts';
import type { Answer, Content, Operation, Operations } from './vocabulary.ts';

/** Any bytes, such as those of a result. */
export const ANY_CONTENT: Content = { '*/*': {} };

const ACCEPTED_HEADERS: readonly HeaderName[] = [
	'Location',
	'Operation-Location',
	'Link',
	'Retry-After',
	'ETag',
	'Idempotent-Replayed',
];

/** 202 of a submission, and of a retry. */
export const ACCEPTED: Answer = {
	description: 'The job is durable. `Location` is its status',
	headers: ACCEPTED_HEADERS,
	content: { [JSON_TYPE]: StatusDocument },
	links: JOB_LINKS,
};

/** The result of a job that ended within `Prefer: wait`. */
export const WAITED: Answer = {
	description: 'With `Prefer: wait`, the job ended in time: its result',
	headers: [
		'Content-Location',
		'Preference-Applied',
		'ETag',
		'Last-Modified',
		'Content-Disposition',
		'Idempotent-Replayed',
	],
	content: ANY_CONTENT,
};

const PARAMETERS = [...OPTION_NAMES, 'Prefer', 'traceparent'] as const;

/** What all submissions of a job have in common. */
export const SUBMISSION = {
	tag: 'Submit',
	parameters: [...PARAMETERS, 'Content-Encoding'],
	answers: {
		202: ACCEPTED,
		200: WAITED,
		204: { ...WAITED, content: {}, description: 'As 200, for a result without a body' },
	},
	problems: [
		'InvalidInput',
		'RequestTimeout',
		'JobCanceled',
		'PayloadTooLarge',
		'UnsupportedMediaType',
		'IdempotencyKeyReused',
		'QuotaExceeded',
	],
	hasOutcome: true,
} as const satisfies Partial<Operation>;

export const SUBMISSIONS: Operations = {
	'POST /v1/jobs': {
		...SUBMISSION,
		id: 'submitJob',
		summary: 'Submit a job',
		description:
			'202 for `{ "task", "input", "parameters"?, "options"? }`; [options](options.md) in headers or in the body',
		body: {
			description: 'The task and its input',
			content: { [JSON_TYPE]: { $ref: '#/components/schemas/Submission' } },
		},
		problems: [...SUBMISSION.problems, 'UnknownTask'],
		webhookIn: 'WebhookInBody',
	},
	'POST /v1/tasks/:task/jobs': {
		...SUBMISSION,
		id: 'submitToTask',
		summary: 'Submit a job to a task',
		description: '202; the body is the input, the query its parameters, headers its [options](options.md)',
		webhookIn: 'WebhookInHeader',
	},
	'ALL /v1/upstreams/:upstream/*': {
		...SUBMISSION,
		id: 'forward',
		parameters: ['anyQuery', ...PARAMETERS],
		summary: 'Forward a request to an upstream',
		description:
			'202; the request, with any method, is [forwarded](upstreams.md) with its query, its body and its safe headers',
		body: { description: 'Forwarded as it is', content: ANY_CONTENT, isOptional: true },
		problems: [
			'NotFound',
			'MethodNotAllowed',
			'JobCanceled',
			'PayloadTooLarge',
			'IdempotencyKeyReused',
			'QuotaExceeded',
		],
		webhookIn: 'WebhookInHeader',
	},
	'POST /v1/batches': {
		id: 'submitBatch',
		tag: 'Submit',
		summary: 'Submit many jobs',
		description: '202; [many jobs in one request](batches.md). Options in headers apply to every job',
		parameters: [...OPTION_NAMES, 'traceparent', 'Content-Encoding'],
		body: { description: 'Each job as for `POST /v1/jobs`', content: { [JSON_TYPE]: BatchBody } },
		answers: {
			202: {
				description: 'The jobs are durable; `error` in place of those without capacity',
				headers: ['Location', 'Retry-After', 'Idempotent-Replayed'],
				content: { [JSON_TYPE]: AcceptedBatch },
				links: ['BatchStatus'],
			},
		},
		problems: [
			'InvalidInput',
			'UnknownTask',
			'RequestTimeout',
			'PayloadTooLarge',
			'UnsupportedMediaType',
			'IdempotencyKeyReused',
			'QuotaExceeded',
		],
	},
	'GET /v1/batches/:id': {
		id: 'getBatch',
		tag: 'Submit',
		summary: 'Count the jobs of a batch',
		description: 'The number of its jobs in each status',
		answers: { 200: { description: 'The counts', headers: ['Retry-After'], content: { [JSON_TYPE]: Batch } } },
		problems: ['BatchNotFound'],
	},
};
