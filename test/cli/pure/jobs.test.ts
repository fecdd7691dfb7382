import { describe, expect, it } from 'vitest';
import { jobUrl, readConnection } from '../../../cli/connection.ts';
import { EXIT } from '../../../cli/exit.ts';
import { explain, Interrupted, renderFailure, UsageError } from '../../../cli/failure.ts';
import { topicLine } from '../../../cli/job/describe.ts';
import { actionFilter, describeFilter, jobsFilter } from '../../../cli/job/filter.ts';
import { inputSource, readInput, readParameters, submitOptions } from '../../../cli/job/submission.ts';
import { renderBar, renderProgress } from '../../../cli/terminal/bar.ts';
import { isLive, PLAIN } from '../../../cli/terminal/style.ts';
import { renderTable } from '../../../cli/terminal/table.ts';
import { AnswerTimeoutError, ProblemError, ProtocolError, TransportError } from '../../../src/client/index.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const ID = 'ab'.repeat(32);

describe('a filter', () => {
	it('has the members that were given, with ages as times', () => {
		const values = { status: 'failed', 'error-code': 'Nope', 'created-after': '2h', 'created-before': '2026-11-29' };
		expect(jobsFilter(values, ['a', 'b'], NOW)).toEqual({
			status: 'failed',
			errorCode: 'Nope',
			tag: ['a', 'b'],
			createdAfter: '2026-11-29T10:00:00.000Z',
			createdBefore: '2026-11-29T00:00:00Z',
		});
		expect(jobsFilter({}, [], NOW)).toEqual({});
	});

	it.each(['noon', '2026-13-40', '2h ago', '2026-11-29T12:00'])('refuses the time %s', (time) => {
		expect(() => jobsFilter({ 'created-after': time }, [], NOW)).toThrow(UsageError);
	});

	it('of an action is for dead letters unless a state was chosen, and never for every job', () => {
		expect(actionFilter({}, 'retry')).toEqual({ phase: 'dead-lettered' });
		expect(actionFilter({ task: 'sleep' }, 'retry')).toEqual({ task: 'sleep', phase: 'dead-lettered' });
		expect(actionFilter({ status: 'failed' }, 'retry')).toEqual({ status: 'failed' });
		expect(actionFilter({ task: 'sleep' }, 'purge')).toEqual({ task: 'sleep' });
		for (const action of ['cancel', 'purge']) expect(() => actionFilter({}, action)).toThrow(UsageError);
		expect(describeFilter({ task: 'sleep', tag: ['a', 'b'] })).toBe('task=sleep, tag=a+b');
	});
});

describe('an input', () => {
	it.each([
		[{ input: '{"a":1}' }, { type: 'text', json: '{"a":1}' }],
		[{ input: '-' }, { type: 'stdin', mediaType: 'application/json' }],
		[
			{ input: '-', type: 'text/csv' },
			{ type: 'stdin', mediaType: 'text/csv' },
		],
		[{ input: '@a.json' }, { type: 'file', path: 'a.json', mediaType: 'application/json' }],
		[{ file: 'photo.JPG' }, { type: 'file', path: 'photo.JPG', mediaType: 'image/jpeg' }],
		[{ file: 'a.bin' }, { type: 'file', path: 'a.bin', mediaType: 'application/octet-stream' }],
		[{}, { type: 'none' }],
	])('of %j is %j', (values, source) => {
		expect(inputSource(values)).toEqual(source);
	});

	it('is JSON or bytes by its media type', () => {
		const bytes = new TextEncoder().encode('{"a":1}');
		expect(readInput(bytes, 'application/vnd.api+json; charset=utf-8')).toEqual({ a: 1 });
		expect(readInput(bytes, 'text/plain')).toMatchObject({ size: 7, type: 'text/plain' });
	});

	it('refuses JSON in another encoding, instead of changing it', () => {
		const latin1 = Uint8Array.from([0x22, 0xe9, 0x22]);
		expect(() => readInput(latin1, 'application/json')).toThrow('expected JSON in UTF-8');
	});

	it('that is not JSON is refused without being shown', () => {
		const refused = () => readInput(new TextEncoder().encode('{"password": secret}'), 'application/json');
		expect(refused).toThrow('--input: expected JSON (wrong at line 1, column 14)');
		expect(refused).not.toThrow(/secret/);
		expect(() => inputSource({ input: '1', file: 'a.json' })).toThrow('not both');
		expect(() => inputSource({ input: '1', type: 'text/csv' })).toThrow('--type');
	});

	it('has parameters and options in the form of the client', () => {
		expect(readParameters(['width=320', 'q=a=b'])).toEqual({ width: '320', q: 'a=b' });
		expect(() => readParameters(['=1'])).toThrow('--param');
		const values = { 'delay-seconds': '60', 'webhook-url': 'https://a.example', 'webhook-events': 'failed,succeeded' };
		expect(submitOptions(values, ['a'])).toEqual({
			delaySeconds: 60,
			tags: ['a'],
			webhook: { url: 'https://a.example', events: ['failed', 'succeeded'] },
		});
	});
});

describe('a job on the command line', () => {
	it('is an id of the deployment, or a URL', () => {
		const connection = readConnection('https://jobs.example/base/', {});
		expect(jobUrl(ID, connection)).toBe(`https://jobs.example/base/v1/jobs/${ID}`);
		const url = `https://other.example/v1/operations/${ID}?token=x`;
		expect(jobUrl(url, connection)).toBe(url);
		for (const wrong of ['', 'abc', ID.slice(1), 'https://jobs.example/v1/tasks'])
			expect(() => jobUrl(wrong, connection)).toThrow(UsageError);
	});

	it('belongs to a deployment of an option or a variable', () => {
		expect(readConnection(undefined, {})).toEqual({ baseUrl: 'http://localhost:8787' });
		const variables = { COATCHECK_URL: 'https://jobs.example', COATCHECK_API_KEY: 'ck_1' };
		expect(readConnection(undefined, variables)).toEqual({ baseUrl: 'https://jobs.example', apiKey: 'ck_1' });
		expect(readConnection('http://localhost:1', variables).baseUrl).toBe('http://localhost:1');
		expect(() => readConnection(undefined, { COATCHECK_URL: 'jobs.example' })).toThrow('COATCHECK_URL');
	});
});

describe('a failure', () => {
	const facts = { status: 400, code: 'InvalidInput', correlationId: undefined, retryAfterSeconds: undefined };
	const problem = new ProblemError('POST https://a.example/v1/jobs: 400 InvalidInput, The input is wrong', {
		...facts,
		errors: [{ pointer: '/input/a', message: 'expected number' }],
	});

	it('is a sentence with its code and the places that are wrong', () => {
		expect(renderFailure(explain(problem))).toBe(
			'coatcheck: InvalidInput: The input is wrong\n  /input/a: expected number',
		);
	});

	it.each([
		[problem, EXIT.failed],
		[new UsageError('x'), EXIT.usage],
		[Object.assign(new Error('no such file'), { code: 'ENOENT' }), EXIT.usage],
		[new TransportError('x'), EXIT.unreachable],
		[new AnswerTimeoutError('x'), EXIT.unreachable],
		[new ProtocolError('x'), EXIT.unreachable],
		[new Interrupted('x'), EXIT.interrupted],
		[new TypeError('Expected tags of visible ASCII'), EXIT.usage],
		[new TypeError('x is not a function'), EXIT.internal],
	])('%s ends with %i', (error, exitCode) => {
		expect(explain(error).exitCode).toBe(exitCode);
	});
});

describe('on a terminal', () => {
	it('colours and bars are for terminals without NO_COLOR', () => {
		const terminal = { isTTY: true };
		expect(isLive(terminal, {})).toBe(true);
		for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) expect(isLive(terminal, environment)).toBe(false);
		expect(isLive({}, {})).toBe(false);
	});

	it('a bar fits its line, whatever the message is', () => {
		const message = `\u001b[2Jlong ${'x'.repeat(200)}\n`;
		const bar = renderBar({ type: 'progress', percent: 50, message }, PLAIN, 80);
		expect(bar).toContain(`${'█'.repeat(15)}${'░'.repeat(15)}  50 %  progress`);
		expect(bar.length).toBeLessThan(80);
		expect(bar).not.toMatch(/\p{Cc}/u);
		expect(renderProgress({ type: 'succeeded', percent: 100 })).toBe('100 %  succeeded');
	});

	it('the columns of a table stand below each other', () => {
		expect(
			renderTable([
				['A', 'B'],
				['long', 'x'],
				['', 'y'],
			]),
		).toEqual(['A     B', 'long  x', '      y']);
		expect(renderTable([])).toEqual([]);
	});

	it("an event of a topic is one line without a publisher's control characters", () => {
		const event = {
			seq: 7,
			type: 'a\u001b]0;title\u0007',
			at: '2026-11-29T12:00:00.000Z',
			correlationId: 'c',
			data: [1],
		};
		const line = topicLine(event);
		expect(line).toBe('7  2026-11-29T12:00:00.000Z  a ]0;title   c  [1]');
	});
});
