import { describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../src/core/job/record.ts';
import { call, post, until } from '../flow/client.ts';

interface ProblemBody {
	readonly type: string;
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	readonly instance: string;
	readonly code: string;
	readonly correlationId?: string;
	readonly errors?: { pointer?: string; header?: string; parameter?: string; message: string }[];
	readonly error: { code: string; message: string };
}

async function refusal(response: Response): Promise<ProblemBody> {
	expect(response.headers.get('content-type')).toBe('application/problem+json');
	const body = await response.json<ProblemBody>();
	expect(body.status).toBe(response.status);
	expect(body.error).toEqual({ code: body.code, message: body.detail });
	expect(JSON.stringify(body)).not.toMatch(/ at \w+ \(|\.ts:\d/);
	return body;
}

const envelope = (body: unknown, headers: Record<string, string> = {}) => post('/v1/jobs', body, headers);
const raw = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
	call('/v1/jobs', { method: 'POST', headers, body });

const csvOf = (type: string) => ({ method: 'POST', headers: { 'content-type': type }, body: 'a\n1\n' });

describe('a submission is refused', () => {
	it.each([
		['that is not JSON', '{"task":', 'The body is not JSON'],
		['that is empty', '', 'Expected a JSON body, got none'],
		[
			'that is nested too deeply',
			`{"task":"sleep","input":${'['.repeat(101)}${']'.repeat(101)}}`,
			'at most 100 levels',
		],
		['that is no object', '[]', 'The envelope is not valid'],
	])('%s', async (_, body, detail) => {
		const problem = await refusal(await raw(body));
		expect(problem).toMatchObject({ code: 'InvalidRequest', status: 400, instance: '/v1/jobs' });
		expect(problem.detail).toContain(detail);
	});

	it('that is not UTF-8', async () => {
		const body = new Uint8Array([0x7b, 0xff, 0x7d]);
		const response = await call('/v1/jobs', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
		expect(await refusal(response)).toMatchObject({
			code: 'InvalidRequest',
			detail: 'Expected a body in UTF-8, got other bytes',
		});
	});

	it('for a task that is not there, with those that are', async () => {
		const problem = await refusal(await envelope({ task: 'dance', input: {} }));
		expect(problem).toMatchObject({ code: 'UnknownTask', status: 404, errors: [{ pointer: '/task' }] });
		expect(problem.detail).toContain('sleep');
		expect(await refusal(await post('/v1/tasks/dance/jobs', {}))).toMatchObject({ code: 'UnknownTask' });
	});

	it("when its input doesn't fit, with every fault at its place", async () => {
		const problem = await refusal(await envelope({ task: 'sleep', input: { seconds: -1, steps: 1.5, colour: 'red' } }));
		expect(problem).toMatchObject({ code: 'InvalidInput', status: 400 });
		expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual([
			'/input/colour',
			'/input/seconds',
			'/input/steps',
		]);
		const direct = await refusal(await post('/v1/tasks/sleep/jobs', { seconds: 'two' }));
		expect(direct.errors).toMatchObject([{ pointer: '/seconds' }]);
	});

	it('when its options are wrong, naming the header or the place in the body', async () => {
		const headers = {
			'coatcheck-delay-seconds': 'soon',
			'coatcheck-timeout-seconds': '841',
			'coatcheck-retain-seconds': '59',
			'coatcheck-tags': Array.from({ length: 11 }, (_, tag) => tag).join(),
			'coatcheck-on-complete': 'explode',
			'x-correlation-id': 'with space',
		};
		const problem = await refusal(
			await envelope({ task: 'sleep', input: { seconds: 0 }, options: { maxAttempts: 51 } }, headers),
		);
		expect(problem.code).toBe('InvalidRequest');
		const places = problem.errors?.map(({ header, pointer }) => header ?? pointer).sort();
		expect(places).toEqual([
			'/options/maxAttempts',
			'Coatcheck-Delay-Seconds',
			'Coatcheck-On-Complete',
			'Coatcheck-Retain-Seconds',
			'Coatcheck-Tags',
			'Coatcheck-Timeout-Seconds',
			'X-Correlation-ID',
		]);
		const delay = problem.errors?.find(({ header }) => header === 'Coatcheck-Delay-Seconds');
		expect(delay?.message).toBe('expected a whole number of seconds from 0 to 2592000, got: "soon"');
	});

	it.each([
		['an unknown option', { options: { speed: 'fast' } }, {}, { pointer: '/options/speed' }],
		['options that are no object', { options: 7 }, {}, { pointer: '/options' }],
		['an unknown header of ours', {}, { 'coatcheck-speed': 'fast' }, { header: 'coatcheck-speed' }],
		['an unknown field', { priority: 1 }, {}, { pointer: '/priority' }],
		['an empty idempotency key', {}, { 'idempotency-key': '""' }, { header: 'Idempotency-Key' }],
		[
			'an idempotency key that is too long',
			{ options: { idempotencyKey: 'k'.repeat(256) } },
			{},
			{ pointer: '/options/idempotencyKey' },
		],
		['a malformed idempotency key', {}, { 'idempotency-key': '"open' }, { header: 'Idempotency-Key' }],
		[
			'a start deadline before its delay is over',
			{ options: { delaySeconds: 10, startWithinSeconds: 9 } },
			{},
			{ pointer: '/options/startWithinSeconds' },
		],
		[
			'a header that contradicts the body',
			{ options: { maxAttempts: 2 } },
			{ 'coatcheck-max-attempts': '3' },
			{ header: 'Coatcheck-Max-Attempts' },
		],
	])('for %s', async (_, more, headers, fault) => {
		const problem = await refusal(
			await envelope({ task: 'sleep', input: { seconds: 0 }, ...more }, headers as Record<string, string>),
		);
		expect(problem).toMatchObject({ code: 'InvalidRequest', status: 400 });
		expect(problem.errors).toMatchObject([fault]);
	});

	it.each([
		['no content type', {}],
		['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
	])('with %s, saying what would be taken', async (_, headers) => {
		const response = await raw('{"task":"sleep","input":{"seconds":0}}', headers as Record<string, string>);
		const problem = await refusal(response);
		expect(problem).toMatchObject({ code: 'UnsupportedMediaType', status: 415 });
		expect(response.headers.get('accept-post')).toBe('application/json');
	});

	it('of more values than can be held, although its bytes are few', async () => {
		const many = `{"task":"sleep","input":[${'1,'.repeat(500_000)}1]}`;
		const problem = await refusal(await raw(many));
		expect(problem).toMatchObject({ code: 'InvalidRequest', detail: expect.stringContaining('500000 values') });
	});

	it('with no more faults than anybody reads', async () => {
		const unknown = Object.fromEntries(Array.from({ length: 5_000 }, (_, key) => [`key-${'x'.repeat(400)}-${key}`, 1]));
		const problem = await refusal(await envelope({ task: 'sleep', input: unknown }));
		expect(problem.errors).toHaveLength(20);
		expect(JSON.stringify(problem).length).toBeLessThan(16_000);
	});

	it.each([
		['a number beyond any', '{"task":"context","input":[1e999]}'],
		['half a character', '{"task":"context","input":{"a":"\\ud800"}}'],
		['half a character for a tag', '{"task":"context","input":1,"options":{"tags":["\\ud800"],"idempotencyKey":"k"}}'],
	])('with %s, which could not be kept', async (_, body) => {
		expect(await refusal(await raw(body))).toMatchObject({ code: 'InvalidRequest', status: 400 });
	});

	it('when its parameters are larger than a record can hold', async () => {
		const parameters = { times: `${' '.repeat(20_000)}1` };
		const problem = await refusal(await envelope({ task: 'either', input: { name: 'a' }, parameters }));
		expect(problem).toMatchObject({ code: 'InvalidRequest', errors: [{ pointer: '/parameters' }] });
	});

	it('when its options are larger than options can be, whatever is in them', async () => {
		const options = { tags: Array.from({ length: 10_000 }, () => 1) };
		const problem = await refusal(await envelope({ task: 'sleep', input: { seconds: 0 }, options }));
		expect(problem).toMatchObject({ code: 'InvalidRequest', errors: [{ pointer: '/options' }] });
		expect(problem.detail).toBe('The options are too large');
	});

	it('when it names more events than there are', async () => {
		const events = [...EVENT_TYPES, 'failed'];
		const options = { webhook: { url: 'https://receiver.example/', events } };
		const problem = await refusal(await envelope({ task: 'sleep', input: { seconds: 0 }, options }));
		expect(problem.errors).toEqual([{ pointer: '/options/webhook/events', message: 'expected at most 7 events' }]);
	});

	it.each([
		'{"__proto__":{"tags":["a"]}}',
		'{"constructor":{"tags":["a"]}}',
		'{"webhook":{"__proto__":{"url":"https://receiver.example/"}}}',
	])('when its options are %s', async (options) => {
		const problem = await refusal(await raw(`{"task":"sleep","input":{"seconds":0},"options":${options}}`));
		expect(problem).toMatchObject({ code: 'InvalidRequest', status: 400 });
		expect(problem.errors?.map(({ message }) => message)).toContain('unknown field');
	});

	it('with more parameters than are looked at', async () => {
		const query = Array.from({ length: 101 }, (_, index) => `p${index}=1`).join('&');
		const problem = await refusal(await post(`/v1/tasks/either/jobs?${query}`, { name: 'a' }));
		expect(problem.detail).toBe('Expected at most 100 query parameters, got: 101');
	});

	it('and shows little of what it was sent, whatever that was', async () => {
		const long = 'l'.repeat(3_000);
		const json = { 'content-type': 'application/json' };
		const responses = await Promise.all([
			envelope({ task: long, input: {} }),
			post(`/v1/tasks/${long}/jobs`, {}),
			raw('{}', { 'content-type': `text/${long}` }),
			raw('{}', { ...json, 'content-encoding': long }),
			raw('{}', { ...json, [`coatcheck-${long}`]: '1' }),
			envelope({ task: 'sleep', input: { seconds: 0 } }, { 'coatcheck-on-failed': long }),
			post(`/v1/tasks/either/jobs?${long}=1&${long}=2`, { name: 'a' }),
			call(`/v1/jobs/${'f'.repeat(64)}/events?after=${long}`),
		]);
		for (const response of responses) {
			const { instance: _, ...problem } = await response.json<ProblemBody>();
			expect(response.status).toBeOneOf([400, 404, 415]);
			expect(JSON.stringify(problem)).not.toContain('l'.repeat(101));
		}
	});

	it('when its body is compressed', async () => {
		const response = await raw('{}', { 'content-type': 'application/json', 'content-encoding': 'gzip' });
		expect(await refusal(response)).toMatchObject({
			code: 'UnsupportedMediaType',
			errors: [{ header: 'Content-Encoding' }],
		});
	});

	it('when its text is in an encoding that is not known, naming it', async () => {
		const send = (type: string) => call('/v1/tasks/profile-csv/jobs', csvOf(type));
		const problem = await refusal(await send('text/csv; charset=klingon'));
		expect(problem).toMatchObject({
			code: 'UnsupportedMediaType',
			status: 415,
			errors: [{ header: 'Content-Type', message: expect.stringContaining('got: klingon') }],
		});
		expect((await send('text/csv; charset="iso-8859-1"')).status).toBe(202);
		expect((await send('text/csv; title="a; charset=klingon"')).status).toBe(202);
	});

	it('but not for names that programs have for a type of their own', async () => {
		expect((await call('/v1/tasks/profile-csv/jobs', csvOf('application/vnd.ms-excel'))).status).toBe(202);
		const image = { method: 'POST', headers: { 'content-type': 'image/jpg' }, body: 'no picture' };
		expect((await call('/v1/tasks/thumbnail/jobs?width=16', image)).status).toBe(202);
	});

	it('when bytes are wanted and the envelope is used, saying where to post them', async () => {
		const problem = await refusal(await envelope({ task: 'echo', input: 'x' }));
		expect(problem).toMatchObject({ code: 'UnsupportedMediaType' });
		expect(problem.detail).toContain('/v1/tasks/echo/jobs');
	});

	it.each([
		['wrong', '?times=9', 'times'],
		['unknown', '?colour=red', 'colour'],
		['given twice', '?times=1&times=2', 'times'],
	])('when a parameter is %s', async (_, query, parameter) => {
		const problem = await refusal(await post(`/v1/tasks/either/jobs${query}`, { name: 'a' }));
		expect(problem).toMatchObject({ code: 'InvalidRequest', errors: [{ parameter }] });
	});

	it('with the correlation id that it came with', async () => {
		const response = await envelope({}, { 'x-correlation-id': 'order-42' });
		expect(response.headers.get('x-correlation-id')).toBe('order-42');
		expect(await refusal(response)).toMatchObject({ correlationId: 'order-42' });
	});
});

describe('a submission', () => {
	it('takes its options from headers as from the envelope', async () => {
		const headers = {
			'coatcheck-delay-seconds': '3600',
			'coatcheck-max-attempts': '7',
			'coatcheck-tags': 'a, b',
			'coatcheck-on-complete': 'inline',
			'x-correlation-id': 'c-1',
		};
		const byHeader = await (await envelope({ task: 'sleep', input: { seconds: 0 } }, headers)).json<
			Record<string, unknown>
		>();
		const options = {
			delaySeconds: 3_600,
			maxAttempts: 7,
			tags: ['a', 'b'],
			onComplete: 'inline',
			correlationId: 'c-1',
		};
		const byBody = await (await envelope({ task: 'sleep', input: { seconds: 0 }, options })).json<
			Record<string, unknown>
		>();
		const facts = ({ phase, maxAttempts, tags, correlationId }: Record<string, unknown>) => ({
			phase,
			maxAttempts,
			tags,
			correlationId,
		});
		expect(facts(byHeader)).toEqual({ phase: 'delayed', maxAttempts: 7, tags: ['a', 'b'], correlationId: 'c-1' });
		expect(facts(byBody)).toEqual(facts(byHeader));
	});

	it('takes JSON under any +json name', async () => {
		const response = await call('/v1/tasks/sleep/jobs', {
			method: 'POST',
			headers: { 'content-type': 'application/vnd.acme+json; charset=utf-8' },
			body: '{"seconds":0}',
		});
		expect(response.status).toBe(202);
		expect(await until(await response.json(), 'succeeded')).toMatchObject({ task: 'sleep' });
	});
});
