/** `POST /mcp`: tools, calls and tasks, by messages as they are on the wire. */
import { describe, expect, it } from 'vitest';
import { call, completeOutside, UNTIL_COMPLETED } from '../flow/client.ts';
import { ask as askDeployed } from '../http/deployment.ts';
import { ask, type CallResult, callTool, TASKS } from './client.ts';

/** Calls wait long enough for a job that ends soon, however busy the machine is. */
const PATIENT = { send: (path: string, init: RequestInit) => askDeployed({ MCP_WAIT_SECONDS: '45' }, path, init) };
const TEXT = { base64: 'aGk=', mediaType: 'text/plain' };

/** Where the faults of a refused call are. */
function placesIn(result: CallResult | undefined): string[] {
	const [content] = result?.content ?? [];
	const [, ...lines] = content?.type === 'text' ? content.text.split('\n') : [];
	return lines.map((line) => line.split(':', 1)[0] ?? '');
}

describe('the MCP server', () => {
	it('says what it can, and what it serves', async () => {
		const { status, result } = await ask('server/discover');
		expect(status).toBe(200);
		expect(result).toMatchObject({
			supportedVersions: ['2026-07-28'],
			capabilities: { tools: {}, extensions: { [TASKS]: {} } },
			cacheScope: 'public',
		});
	});

	it('lists a tool for each task, with its schema, and the tools about jobs', async () => {
		const { result } = await ask<{ tools: { name: string; inputSchema: { type: string; properties: object } }[] }>(
			'tools/list',
		);
		const tools = new Map(result?.tools.map((tool) => [tool.name, tool]));
		expect([...tools.keys()]).toEqual(
			expect.arrayContaining([
				'sleep',
				'thumbnail',
				'profile_csv',
				'wait_for_job',
				'list_jobs',
				'get_job',
				'retry_job',
				'cancel_job',
			]),
		);
		expect(tools.get('sleep')?.inputSchema).toMatchObject({ type: 'object', properties: { seconds: {} } });
		expect(Object.keys(tools.get('thumbnail')?.inputSchema.properties ?? {})).toEqual(['file', 'parameters']);
	});
});

describe('a call', () => {
	it('that ends soon has its result', async () => {
		const { result } = await callTool('sleep', { seconds: 0 }, PATIENT);
		expect(result).toMatchObject({
			resultType: 'complete',
			content: [{ type: 'text' }],
			structuredContent: { sleptSeconds: 0, attempt: 1 },
		});
		expect(result).not.toHaveProperty('isError');
	});

	it('that takes longer becomes a task, which is fetched later', async () => {
		const { result } = await callTool('sleep', UNTIL_COMPLETED);
		expect(result).toMatchObject({ resultType: 'task', status: 'working', pollIntervalMs: expect.any(Number) });
		const { taskId = '' } = result ?? {};
		expect((await ask('tasks/get', { taskId })).result).toMatchObject({ status: 'working' });
		await completeOutside(taskId, { slept: 'long' });
		expect((await ask('tasks/get', { taskId })).result).toMatchObject({
			status: 'completed',
			result: { resultType: 'complete', structuredContent: { slept: 'long' } },
		});
	});

	it('of a client without tasks is held, and told its progress, which rises', async () => {
		const { result, notifications, headers } = await callTool(
			'sleep',
			{ seconds: 3, steps: 3 },
			{ takesTasks: false, meta: { progressToken: 'p' } },
		);
		expect(headers.get('content-type')).toContain('text/event-stream');
		const progress = notifications.map(({ params }) => Number(params.progress));
		expect(progress.length).toBeGreaterThan(1);
		expect(progress).toEqual([...new Set(progress)].toSorted((a, b) => a - b));
		expect(result).toMatchObject({ structuredContent: { sleptSeconds: 3 } });
	});

	it('that fails is a completed one, whose result says so', async () => {
		const given = { seconds: 0, error: { code: 'OutOfPaper', message: 'Fill in paper' } };
		const { result, error } = await callTool('sleep', given, PATIENT);
		expect(error).toBeUndefined();
		expect(result).toMatchObject({ isError: true, content: [{ type: 'text', text: 'OutOfPaper: Fill in paper' }] });
	});

	it('with wrong arguments says what is wrong, to the model', async () => {
		const { result } = await callTool('sleep', { seconds: 'long' });
		expect(result).toMatchObject({ isError: true });
		expect(result?.content[0]).toMatchObject({ text: expect.stringMatching(/^InvalidInput: .*\n\/seconds: /) });
	});

	it.each([
		['sleep', { seconds: 0, 'a/b': 1 }, ['/a~1b']],
		['either', { input: { name: 7 } }, ['/input/name']],
		['either', { file: TEXT, parameters: { times: 9 } }, ['/parameters/times']],
		['either', { input: { name: 'a' }, parameters: { times: 9 } }, ['/parameters/times']],
		['either', { file: { base64: 'eyJuYW1lIjo3fQ==', mediaType: 'application/json' } }, ['/file']],
		['thumbnail', { file: TEXT }, ['/file/mediaType']],
		['thumbnail', { file: { base64: '!', mediaType: 'image/png' } }, ['/file/base64']],
		['thumbnail', { file: { url: 'http://localhost/secret' } }, ['/file/url']],
		['upstream_main_ledger', { method: 'GET', path: '/entries', body: 1 }, ['/body']],
		['upstream_main_ledger', { method: 'GET', path: '/secret' }, ['/path']],
		['list_jobs', { limit: 0, status: 'done', surplus: 1 }, ['/status', '/limit', '/surplus']],
		['list_jobs', { tag: [''], cursor: 7 }, ['/tag/0', '/cursor']],
		['list_jobs', { cursor: 'made up' }, ['/cursor']],
		['get_job', { jobId: 7 }, ['/jobId']],
		['get_job', {}, ['/jobId']],
	])('of %s with the arguments %j names the wrong ones as they were written', async (name, given, paths) => {
		const { result } = await callTool(name, given);
		expect(result).toMatchObject({ isError: true });
		expect(placesIn(result)).toEqual(paths);
	});

	it.each(['claudecode/toolUseId', 'coatcheck/idempotencyKey'])('names its key as it was written: %s', async (name) => {
		const place = `/_meta/${name.replace('/', '~1')}`;
		const tooLong = await callTool('sleep', { seconds: 0 }, { meta: { [name]: 'x'.repeat(256) } });
		expect(placesIn(tooLong.result)).toEqual([place]);
		const meta = { [name]: crypto.randomUUID() };
		await callTool('sleep', { seconds: 0 }, { meta });
		expect(placesIn((await callTool('sleep', { seconds: 0, steps: 2 }, { meta })).result)).toEqual([place]);
	});

	it('of an unknown tool is an error of the protocol', async () => {
		const { error } = await callTool('nothing', {});
		expect(error).toMatchObject({ code: -32_602, message: 'Unknown tool: nothing' });
	});

	it('that is sent again joins the first one', async () => {
		const meta = { 'claudecode/toolUseId': `toolu_${crypto.randomUUID()}` };
		const [one, two] = await Promise.all([1, 2].map(() => callTool('sleep', { seconds: 30 }, { meta })));
		expect(one?.result?.taskId).toMatch(/^[0-9a-f]{64}$/);
		expect(two?.result?.taskId).toBe(one?.result?.taskId);
		const { result } = await ask('tasks/cancel', { taskId: one?.result?.taskId });
		expect(result).toMatchObject({ resultType: 'complete' });
	});
});

describe('a task', () => {
	it('that is canceled is cancelled, with two l', async () => {
		const { result } = await callTool('sleep', { seconds: 60 });
		const taskId = result?.taskId;
		await ask('tasks/cancel', { taskId });
		await expect.poll(async () => (await ask('tasks/get', { taskId })).result).toMatchObject({ status: 'cancelled' });
		expect((await ask('tasks/cancel', { taskId })).error).toBeUndefined();
		expect((await ask('tasks/update', { taskId, inputResponses: {} })).error).toBeUndefined();
	});

	it.each(['tasks/get', 'tasks/cancel', 'tasks/update'])('that does not exist is none for %s', async (method) => {
		for (const taskId of ['nothing', 'f'.repeat(64)])
			expect((await ask(method, { taskId })).error).toMatchObject({ code: -32_602, message: 'Task not found' });
	});

	it('is nothing for a client that did not declare the extension', async () => {
		const { error, status } = await ask('tasks/get', { taskId: 'x' }, { takesTasks: false });
		expect([error?.code, status]).toEqual([-32_021, 400]);
	});
});

describe('the tools about jobs', () => {
	it('wait for a job that another call started, list it, and cancel it', async () => {
		const { result } = await callTool('sleep', UNTIL_COMPLETED);
		const { taskId: jobId = '' } = result ?? {};
		expect((await callTool('get_job', { jobId })).result?.structuredContent).toMatchObject({ id: jobId });
		const waiting = callTool('wait_for_job', { jobId }, { takesTasks: false });
		await completeOutside(jobId, { slept: 'long' });
		expect((await waiting).result).toMatchObject({ structuredContent: { slept: 'long' } });
		const canceled = await callTool('cancel_job', { jobId });
		expect(canceled.result?.structuredContent).toMatchObject({ status: 'succeeded' });
		const retried = await callTool('retry_job', { jobId });
		expect(retried.result).toMatchObject({
			isError: true,
			content: [{ text: expect.stringMatching(/^NotRetryable: /) }],
		});
		const listed = await callTool('list_jobs', { task: 'sleep', limit: 1 });
		expect(listed.result?.structuredContent).toMatchObject({ jobs: [{ task: 'sleep' }] });
	});

	it.each(['wait_for_job', 'get_job', 'retry_job', 'cancel_job'])('%s says that a job does not exist', async (name) => {
		const { result } = await callTool(name, { jobId: 'f'.repeat(64) });
		expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^JobNotFound: /) }] });
	});
});

describe('a tool that takes a file', () => {
	const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

	it('takes it as base64, and answers with an image', async () => {
		const file = { base64: PIXEL, mediaType: 'image/png' };
		const { result } = await callTool('thumbnail', { file, parameters: { width: 8, format: 'png' } });
		const id = result?.taskId;
		const answer = id === undefined ? result : (await callTool('wait_for_job', { jobId: id })).result;
		expect(answer).toMatchObject({
			content: [{ type: 'image', mimeType: 'image/png', data: expect.stringMatching(/^iVBOR/) }],
		});
	});

	it.each([
		[{}, 'InvalidRequest: The arguments of the tool are not valid\nexpected "file"'],
		[
			{ file: { base64: PIXEL } },
			'InvalidRequest: The arguments of the tool are not valid\n/file: expected { "url" }, or { "base64", "mediaType" }',
		],
		[{ file: { base64: PIXEL, mediaType: 'text/plain' } }, expect.stringMatching(/^UnsupportedMediaType: /)],
		[
			{ file: { base64: PIXEL, mediaType: 'image/png' }, parameters: { width: -1 } },
			expect.stringMatching(/^InvalidRequest: .*\n\/parameters\/width: /),
		],
	])('says what is wrong with %j', async (given, text) => {
		const { result } = await callTool('thumbnail', given);
		expect(result).toMatchObject({ isError: true, content: [{ text }] });
	});
});

describe('what an agent sends', () => {
	const post = (body: string) =>
		call('/mcp', {
			method: 'POST',
			headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
			body,
		});

	it.each([
		['that is no JSON', '{', /^The body is not JSON: /],
		[
			'with an integer that would change',
			'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"n":9007199254740993}}',
			/9007199254740993/,
		],
	])('%s is refused, and says what is wrong', async (_, body, message) => {
		const response = await post(body);
		expect(response.status).toBe(400);
		const { error } = await response.json<{ error: { code: number; message: string; data?: unknown } }>();
		expect(error.code).toBe(-32_700);
		expect(JSON.stringify(error)).toMatch(message.source.startsWith('^') ? /The body is not JSON/ : message);
	});

	it('as a key of its call, or as a media type, is told when no header can carry it', async () => {
		const meta = { 'coatcheck/idempotencyKey': 'naïve ☃' };
		const keyed = await callTool('sleep', { seconds: 0 }, { meta });
		expect(keyed.result).toMatchObject({
			isError: true,
			content: [{ text: expect.stringMatching(/printable ASCII/) }],
		});
		const file = { base64: 'AAAA', mediaType: 'image/☃' };
		const typed = await callTool('thumbnail', { file });
		expect(typed.result).toMatchObject({
			isError: true,
			content: [{ text: expect.stringMatching(/a media type such as image\/png/) }],
		});
	});
});

describe('a result', () => {
	it('that says it is JSON and is none is text', async () => {
		const { result } = await callTool('labelled', { 'content-type': 'application/json' }, PATIENT);
		expect(result).toMatchObject({ content: [{ type: 'text', text: 'labelled' }] });
		expect(result).not.toHaveProperty('structuredContent');
	});

	it('that is no object is one for a client of an older revision', async () => {
		const request = {
			jsonrpc: '2.0',
			id: 1,
			method: 'tools/call',
			params: { name: 'innocent', arguments: { input: null } },
		};
		const response = await call('/mcp', {
			method: 'POST',
			headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
			body: JSON.stringify(request),
		});
		const [, message = ''] = /^data: ?(.+)$/m.exec(await response.text()) ?? [];
		expect(JSON.parse(message).result).toMatchObject({
			content: [{ type: 'text', text: '"done"' }],
			structuredContent: { result: 'done' },
		});
	});
});
