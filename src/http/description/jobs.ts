/** Operations on one job, and those of its external worker. */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import { JobEventPage, StatusDocument } from './documents.ts';
import type { HeaderName } from './headers.ts';
import { JOB_LINKS } from './links.ts';
import { FLAG_NAMES } from './parameters.ts';
import { DeliveryBody, FailureBody, ProgressBody } from './requests.ts';
import { ACCEPTED, ANY_CONTENT } from './submissions.ts';
import type { Answer, Operation, Operations } from './vocabulary.ts';

const POLL_HEADERS: readonly HeaderName[] = ['ETag', 'Retry-After', 'Preference-Applied'];
const RESULT_HEADERS: readonly HeaderName[] = ['ETag', 'Last-Modified', 'Content-Disposition'];

const document = (description: string, headers: readonly HeaderName[] = POLL_HEADERS): Answer => ({
	description,
	headers,
	content: { [JSON_TYPE]: StatusDocument },
});

const UNCHANGED: Answer = {
	description: 'It did not change',
	headers: [...POLL_HEADERS, 'Last-Modified', 'Content-Disposition'],
};
const DONE: Answer = { description: 'Done' };

const GONE = ['JobNotFound', 'JobExpired', 'JobPurged'] as const;

const CANCEL = {
	tag: 'Jobs',
	summary: 'Cancel a job',
	description: '202 while the attempt stops, 200 when the job has ended. The first of cancel and completion wins',
	parameters: ['If-Match'],
	answers: {
		200: document('The job has ended', ['ETag']),
		202: document('The attempt is being stopped', ['ETag', 'Retry-After', 'Location']),
	},
	problems: [...GONE, 'PreconditionFailed'],
} as const satisfies Partial<Operation>;

const REPORT = { tag: 'Workers', answers: { 204: DONE } } as const;
const REPORT_PROBLEMS = [...GONE, 'JobCanceled', 'StaleAttempt', 'PayloadTooLarge', 'UnsupportedMediaType'] as const;

export const JOBS: Operations = {
	'GET /v1/jobs/:id': {
		id: 'getJob',
		tag: 'Jobs',
		summary: 'Read the status, or follow it to the result',
		description:
			'The `Location`: 200 while it is unfinished, and when it failed or was canceled; 303 to the result when it succeeded. Flags select [other conventions](options.md)',
		parameters: [...FLAG_NAMES, 'Prefer', 'If-None-Match', 'If-Match', 'If-Modified-Since', 'If-Unmodified-Since'],
		answers: {
			200: {
				description: 'The status; with `onComplete=inline`, the result of a job that succeeded',
				headers: [...POLL_HEADERS, 'Last-Modified', 'Content-Disposition'],
				content: {
					[JSON_TYPE]: {
						anyOf: [
							{ $ref: '#/components/schemas/StatusDocument' },
							{ description: 'With `onComplete=inline`: a result that is JSON' },
						],
					},
					...ANY_CONTENT,
				},
			},
			202: document('With `onPending=accepted`: the job is unfinished', [...POLL_HEADERS, 'Location']),
			204: { description: 'With `onComplete=inline`: a result without a body', headers: RESULT_HEADERS },
			303: document('The job succeeded: `Location` is its result', [...POLL_HEADERS, 'Location']),
			304: UNCHANGED,
		},
		problems: [...GONE, 'JobCanceled', 'PreconditionFailed'],
		hasOutcome: true,
	},
	'GET /v1/operations/:id': {
		id: 'getOperation',
		tag: 'Jobs',
		summary: 'Read the status',
		description: 'The `Operation-Location`: always 200 and the status document',
		parameters: ['Prefer', 'If-None-Match'],
		answers: { 200: { ...document('The status'), links: JOB_LINKS }, 304: UNCHANGED },
		problems: GONE,
		hidesStatus: true,
	},
	'GET /v1/jobs/:id/result': {
		id: 'getJobResult',
		tag: 'Jobs',
		summary: 'Get the result',
		description:
			'The result, with a file name in `Content-Disposition`, or the stored failure; 404 `ResultNotReady` while there is neither; 409 `JobCanceled`. For a [forwarded request](upstreams.md), the response of the upstream',
		parameters: ['If-None-Match', 'If-Match', 'If-Modified-Since', 'If-Unmodified-Since'],
		answers: {
			200: { description: 'The result, with its own media type', headers: RESULT_HEADERS, content: ANY_CONTENT },
			204: { description: 'A result without a body', headers: RESULT_HEADERS },
			304: UNCHANGED,
		},
		problems: [...GONE, 'ResultNotReady', 'JobCanceled', 'PreconditionFailed'],
		hasOutcome: true,
	},
	'GET /v1/jobs/:id/input': {
		id: 'getJobInput',
		tag: 'Jobs',
		summary: 'Get the input',
		description:
			"The input's bytes with their content type, as an attachment; of a forwarded request, its body. A key only, no link. 404 `NotFound` when the job has none, or has succeeded: then its input is deleted",
		answers: { 200: { description: 'The input', headers: ['Content-Disposition'], content: ANY_CONTENT } },
		problems: [...GONE, 'NotFound'],
	},
	'GET /v1/jobs/:id/events': {
		id: 'getJobEvents',
		tag: 'Jobs',
		summary: 'Read the events, or watch them',
		description:
			'`{ "events", "lastSeq" }`, or a stream for an `Accept` that prefers `text/event-stream`; `?after=` is a cursor. 204 for a stream with no more events',
		parameters: ['after', 'Last-Event-ID'],
		answers: {
			200: {
				description: 'A page, or a stream whose messages have a `JobEvent` as data (`/asyncapi.json`)',
				headers: ['Vary'],
				content: { [JSON_TYPE]: JobEventPage, 'text/event-stream': { type: 'string' } },
			},
			204: { description: 'A stream: the reader has the last event', headers: ['Vary'] },
		},
		problems: [...GONE, 'NotAcceptable'],
	},
	'GET /v1/jobs/:id/socket': {
		id: 'openJobSocket',
		tag: 'Jobs',
		summary: 'Watch the events by WebSocket',
		description:
			'A WebSocket, subprotocol `coatcheck.v1`; the server answers `ping` with `pong`, and closes with 1008 after any other message',
		parameters: ['after', 'Upgrade', 'Sec-WebSocket-Protocol'],
		answers: { 101: { description: 'The socket (`/asyncapi.json`)', headers: ['Sec-WebSocket-Protocol', 'Upgrade'] } },
		problems: [...GONE, 'UpgradeRequired'],
	},
	'DELETE /v1/jobs/:id': { ...CANCEL, id: 'deleteJob' },
	'POST /v1/jobs/:id/cancel': { ...CANCEL, id: 'cancelJob' },
	'POST /v1/jobs/:id/retry': {
		id: 'retryJob',
		tag: 'Jobs',
		summary: 'Run a job again',
		description: '202; runs a failed or canceled job again, with the same id and input',
		parameters: ['If-Match'],
		answers: { 202: ACCEPTED },
		problems: [...GONE, 'NotRetryable', 'PreconditionFailed', 'QuotaExceeded'],
	},
	'POST /v1/jobs/:id/purge': {
		id: 'purgeJob',
		tag: 'Jobs',
		summary: 'Delete the data of a job',
		description: '204; deletes the data of a finished job',
		parameters: ['If-Match'],
		answers: { 204: DONE },
		problems: [...GONE, 'NotFinished', 'PreconditionFailed'],
	},
	'POST /v1/jobs/:id/webhook/deliveries': {
		id: 'sendEventAgain',
		tag: 'Jobs',
		summary: 'Send an event to the webhook again',
		description:
			'202 and the status document: the event `{ "seq" }` is [sent to the webhook again](options.md), signed, with the same `webhook-id`. Allowed until the job\'s retention ends',
		parameters: ['Content-Encoding'],
		body: { description: 'The number of the event', content: { [JSON_TYPE]: DeliveryBody } },
		answers: { 202: document('The delivery is due', ['ETag', 'Retry-After', 'Location']) },
		problems: [...GONE, 'NotFound', 'RequestTimeout', 'PayloadTooLarge', 'UnsupportedMediaType'],
	},
	'POST /v1/jobs/:id/progress': {
		...REPORT,
		id: 'reportProgress',
		summary: 'Report progress',
		description: '204, for [external workers](tasks.md#work-that-happens-elsewhere)',
		parameters: ['Content-Encoding'],
		body: { description: 'The progress', content: { [JSON_TYPE]: ProgressBody } },
		problems: REPORT_PROBLEMS,
	},
	'POST /v1/jobs/:id/complete': {
		...REPORT,
		id: 'completeJob',
		summary: 'Report the result',
		description:
			'204, for [external workers](tasks.md#work-that-happens-elsewhere): the body is the result, with its content type',
		parameters: ['Content-Encoding'],
		body: { description: 'The result', content: ANY_CONTENT, isOptional: true },
		problems: REPORT_PROBLEMS,
	},
	'POST /v1/jobs/:id/fail': {
		...REPORT,
		id: 'failJob',
		summary: 'Report a failure',
		description: '204, for [external workers](tasks.md#work-that-happens-elsewhere)',
		parameters: ['Content-Encoding'],
		body: { description: 'The failure', content: { [JSON_TYPE]: FailureBody } },
		problems: REPORT_PROBLEMS,
	},
};
