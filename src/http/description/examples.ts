/** Examples of documents: what the service answered, with another host. A test holds each to its schema. */

const JOB = 'fb8b34190e23e8fae9986d1d075925910f0fdc7fa855cc25ac4798430890930f';
const URL_OF_JOB = `https://jobs.example/v1/jobs/${JOB}`;
const TOKEN = '?token=QA4F9rrzEPuKkhj8XZxHhKo6Uagg-lPtFQ';

const RUNNING = {
	id: JOB,
	task: 'sleep',
	status: 'running',
	phase: 'running',
	percentComplete: 50,
	progress: { message: 'step 2 of 4' },
	attempt: 1,
	maxAttempts: 4,
	seq: 4,
	createdAt: '2026-11-29T02:26:37.939Z',
	startedAt: '2026-11-29T02:26:38.115Z',
	lastUpdatedAt: '2026-11-29T02:26:42.154Z',
	correlationId: 'order-42',
	tags: ['order'],
	links: {
		self: `${URL_OF_JOB}${TOKEN}`,
		operation: `https://jobs.example/v1/operations/${JOB}${TOKEN}`,
		result: `${URL_OF_JOB}/result${TOKEN}`,
		events: `${URL_OF_JOB}/events${TOKEN}`,
		socket: `wss://jobs.example/v1/jobs/${JOB}/socket${TOKEN}`,
		cancel: `${URL_OF_JOB}/cancel?token=UA4F9rrzEPuKfiLhz_WA0qU5N0tpeKXSrA`,
	},
};

const MISMATCH = "The input does not match the task's schema: see errors, and GET /v1/tasks for the schema";

const REFUSED = {
	type: 'urn:coatcheck:problem:InvalidInput',
	title: 'Invalid task input',
	status: 400,
	detail: MISMATCH,
	instance: '/v1/jobs',
	code: 'InvalidInput',
	correlationId: 'fec7a4c3-8a7d-4712-941b-f24d7df5b22f',
	errors: [{ pointer: '/input/seconds', message: 'Invalid input: expected number, received string' }],
	error: { code: 'InvalidInput', message: MISMATCH },
};

const FAILED = {
	type: 'urn:coatcheck:problem:PrinterOnFire',
	title: 'The job failed',
	status: 503,
	detail: 'The printer is on fire',
	instance: '/v1/tasks/sleep/jobs',
	code: 'PrinterOnFire',
	correlationId: 'order-43',
	error: { code: 'PrinterOnFire', message: 'The printer is on fire', retryable: false },
};

const COUNTS = {
	total: 2,
	byStatus: { running: 1, failed: 1 },
	byTask: { sleep: 2 },
	byErrorCode: { PrinterOnFire: 1 },
};

const UPLOADED = {
	seq: 1,
	type: 'uploaded',
	correlationId: 'order-42',
	at: '2026-11-29T02:26:43.964Z',
	data: { url: 'https://pictures.example/1.jpg' },
};

/** By the name of the schema's component. */
export const EXAMPLES = {
	StatusDocument: RUNNING,
	JobEvent: { seq: 4, type: 'progress', at: RUNNING.lastUpdatedAt, job: RUNNING },
	Problem: REFUSED,
	JobFailure: FAILED,
	JobCounts: COUNTS,
	TopicEvent: UPLOADED,
	TopicEventPage: { events: [UPLOADED], lastSeq: 1 },
	ActionRequest: { action: 'retry', filter: { phase: 'dead-lettered' } },
	ProgressReport: { percentComplete: 70, message: 'frame 168 of 240' },
	FailureReport: { code: 'OutOfMemory', message: 'The scene needs 96 GB', retryable: true },
	DeliveryRequest: { seq: 5 },
	TaskSubscription: { task: 'thumbnail', replyTopic: 'thumbnails', types: ['uploaded'] },
	WebhookSubscription: { webhook: { url: 'https://receiver.example/hook' }, from: 'start' },
	CloudEvent: { specversion: '1.0', type: 'uploaded', source: '/camera/1', id: '7', data: { picture: 1 } },
} as const;
