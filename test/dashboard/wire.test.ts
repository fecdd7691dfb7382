import { describe, expect, it } from 'vitest';
import { answered, deliveriesOf, questionsAbout, submissionOf } from '../../dashboard/src/pure/wire.ts';
import type { JobEvent, StatusDocument } from '../../src/client/index.ts';

const ID = 'b'.repeat(64);
const ORIGIN = 'https://jobs.example';
const PLACE = { origin: ORIGIN, needsKey: true };
const link = (end: string) => `${ORIGIN}/v1/jobs/${ID}${end}?token=SECRET`;

const JOB = {
	id: ID,
	task: 'sleep',
	status: 'failed',
	seq: 3,
	createdAt: '2026-01-01T00:00:00.000Z',
	correlationId: 'order-42',
	tags: ['a', 'b'],
	links: { self: link(''), operation: link(''), result: link('/result'), events: link('/events') },
	webhook: {
		url: 'https://hooks.example/x',
		deliveries: [{ seq: 3, attempt: 2, status: 'delivered', code: 204, at: '2026-01-01T00:00:09.750Z' }],
	},
} as unknown as StatusDocument;
const EVENT = { seq: 3, type: 'failed', at: '2026-01-01T00:00:08.000Z', job: JOB } as JobEvent;

describe('the wire view', () => {
	it('reconstructs the submission, with a line that submits it again', () => {
		const input = { mediaType: 'application/json', text: '{"seconds":1}' };
		const { evidence, request, response, curl } = submissionOf({ job: JOB, accepted: EVENT, input }, PLACE);
		expect(evidence).toBe('reconstructed');
		expect(request.split('\n').slice(0, 3)).toEqual([
			'POST /v1/tasks/sleep/jobs',
			'Host: jobs.example',
			'Authorization: Bearer $COATCHECK_API_KEY',
		]);
		expect(response).toMatch(/^HTTP 202 Accepted\n/);
		expect(curl).toContain(`--data-binary '{"seconds":1}' 'https://jobs.example/v1/tasks/sleep/jobs'`);
	});

	it('says that a forwarded request is not known, and has no line for it', () => {
		const job = { ...JOB, task: 'upstreams/report' };
		const exchange = submissionOf({ job, accepted: undefined }, PLACE);
		expect(exchange.note).toMatch(/not part of the record/);
		expect(exchange).not.toHaveProperty('curl');
	});

	it('shows a token nowhere', () => {
		const [question] = questionsAbout(JOB, undefined);
		if (!question) throw new Error('Expected a question');
		const answer = { status: 200, headers: [], body: '{}', redirectedTo: link('/result') };
		const exchanges = [
			submissionOf({ job: JOB, accepted: EVENT }, PLACE),
			answered(question, answer, PLACE),
			...deliveriesOf(JOB, [EVENT], PLACE),
		];
		expect(JSON.stringify(exchanges)).not.toContain('SECRET');
	});

	it('asks for the result of a job only when it has ended, and for an unchanged document only with its tag', () => {
		const titles = (job: StatusDocument, etag?: string) => questionsAbout(job, etag).map(({ title }) => title);
		expect(titles(JOB, 'W/"1"')).toEqual([
			'Poll',
			'Poll the operation',
			'Poll again, unchanged',
			'Read the events',
			'Read the result',
		]);
		expect(titles({ ...JOB, status: 'running' })).toEqual(['Poll', 'Poll the operation', 'Read the events']);
	});

	it('shows where a redirect led, and that the browser hid it', () => {
		const question = { title: 'Poll', method: 'GET', path: '/v1/jobs/1', headers: [] } as const;
		const answer = { status: 200, headers: [], body: 'result', redirectedTo: `${ORIGIN}/v1/jobs/1/result` };
		const { response, note } = answered(question, answer, PLACE);
		expect(response).toBe(`HTTP 303 See Other\nLocation: ${ORIGIN}/v1/jobs/1/result`);
		expect(note).toMatch(/without showing it/);
	});

	it('does not invent the signature of a webhook', () => {
		const [{ request, response, curl } = { request: '' }] = deliveriesOf(JOB, [EVENT], PLACE);
		expect(request).toContain(`Webhook-Id: ${ID}:1767225600000:3\nWebhook-Timestamp: 1767225609\n`);
		expect(request).toMatch(/Webhook-Signature: v1,\(.* never shows\)/);
		expect(request).toContain('"type": "job.failed"');
		expect(response).toBe('HTTP 204 No Content');
		expect(curl).toContain(`--data-binary '{"seq":3}'`);
	});
});
