import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
	followOperation,
	OperationCanceledError,
	OperationFailedError,
	type OperationInit,
	type OperationOptions,
	type OperationState,
	ProblemError,
	ProtocolError,
	TransportError,
} from '../../src/client/index.ts';
import { type Answer, BASE, broken, json, never, pass, play, problem, scripted, timersLeft } from './script.ts';

const POST: OperationInit = { method: 'POST', body: '{}' };
const MONITOR = { 'operation-location': '/operations/1' };

function accepted(headers: Record<string, string> = {}): Response {
	return new Response(null, { status: 202, headers: { ...MONITOR, ...headers } });
}

function status(word: string, more: object = {}, headers: Record<string, string> = {}): Response {
	return json({ status: word, ...more }, { headers });
}

const DONE = status('Succeeded', { result: 42 });

/** A server with an operation at `/things`, which a POST starts by default. */
function following(
	answers: Readonly<Record<string, readonly Answer[]>>,
	init: OperationInit = POST,
	options: OperationOptions = {},
) {
	const { fetch, ...script } = scripted({ answers: { things: [accepted()], ...answers } });
	const operation = followOperation(`${BASE}/things`, init, { fetch, ...options });
	return { operation, ...script };
}

async function statesOf(states: AsyncIterable<OperationState>): Promise<(string | number | undefined)[][]> {
	const all: (string | number | undefined)[][] = [];
	for await (const { status: is, word, percentComplete } of states) all.push([is, word, percentComplete]);
	return all;
}

function redirect(location: string, code = 303): Response {
	return new Response(null, { status: code, headers: { location } });
}

describe('an operation is asked for', () => {
	it('as late as the service likes, in seconds', async () => {
		const again = status('Running', {}, { 'retry-after': '3' });
		const answers = { things: [accepted({ 'retry-after': '7' })], operation: [again, DONE] };
		const { operation, timesOf } = following(answers);
		expect((await play(operation.result())).value).toEqual({ status: 'Succeeded', result: 42 });
		expect(timesOf('operation')).toEqual([7_000, 10_000]);
	});

	it('as late as the service likes, by date', async () => {
		const inAMinute = () => accepted({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
		const { operation, timesOf } = following({ things: [inAMinute], operation: [DONE] });
		await play(operation.result());
		expect(timesOf('operation')[0]).toBeGreaterThan(58_000);
		expect(timesOf('operation')[0]).toBeLessThanOrEqual(60_000);
	});

	it('ever later while nothing is new, also when the service says 0', async () => {
		const again = status('Running', {}, { 'retry-after': '0' });
		const { operation, timesOf } = following({ operation: [again, again, again, again, DONE] });
		await play(operation.result());
		expect(timesOf('operation')).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
	});

	it('sooner again when something is new', async () => {
		const at = (percentComplete: number) => status('Running', { percentComplete });
		const { operation, timesOf } = following({ operation: [at(1), at(1), at(1), at(2), at(2), DONE] });
		await play(operation.result());
		expect(timesOf('operation')).toEqual([500, 1_000, 2_000, 4_000, 4_500, 5_500]);
	});

	it('within the bounds that the caller sets', async () => {
		const again = status('Running');
		const { operation, timesOf } = following({ operation: [again, again, again, DONE] }, POST, {
			waitMs: { first: 10, max: 20 },
		});
		await play(operation.result());
		expect(timesOf('operation')).toEqual([10, 20, 40, 60]);
	});

	it('where each answer says', async () => {
		const again = status('Running', {}, { 'operation-location': '/second' });
		const { operation, asked } = following({ operation: [again], second: [DONE] });
		await play(operation.result());
		expect(asked.map(({ what }) => what)).toEqual(['things', 'operation', 'second']);
	});
});

describe('a question that fails', () => {
	it('is repeated: the network, 429, 500, and a body that breaks off', async () => {
		const cut = () =>
			new Response(new ReadableStream({ pull: (to) => to.error(new TypeError('reset')) }), {
				headers: { 'content-type': 'application/json' },
			});
		const { operation, count } = following({
			operation: [broken, problem(429, 'Busy'), problem(500, 'Oops'), cut, DONE],
		});
		expect((await play(operation.result())).value).toEqual({ status: 'Succeeded', result: 42 });
		expect(count('operation')).toBe(5);
	});

	it('is repeated as late as a refusal says, however late that is', async () => {
		const busy = problem(429, 'Busy', { 'retry-after': '600' });
		const { operation, timesOf } = following({ operation: [busy, DONE] });
		await play(operation.result());
		expect(timesOf('operation')).toEqual([500, 600_500]);
	});

	it('is given up after eight times in a row, or as many as the caller says', async () => {
		const many = following({ operation: [broken] });
		expect((await play(many.operation.result())).error).toBeInstanceOf(TransportError);
		expect(many.count('operation')).toBe(8);
		const few = following({ operation: [problem(503, 'Down')] }, POST, { maxFailures: 2 });
		expect((await play(few.operation.result())).error).toMatchObject({ name: 'ProblemError', status: 503 });
		expect(few.count('operation')).toBe(2);
	});

	it('is not given up while some succeed in between', async () => {
		const again = status('Running');
		const { operation } = following({ operation: [broken, again, broken, again, broken, DONE] }, POST, {
			maxFailures: 2,
		});
		expect((await play(operation.result())).value).toEqual({ status: 'Succeeded', result: 42 });
	});

	it('for good is not repeated, and can be asked again by calling again', async () => {
		const { operation, count } = following({ operation: [problem(404, 'NotFound'), DONE] });
		expect((await play(operation.result())).error).toMatchObject({ status: 404, code: 'NotFound' });
		expect(count('operation')).toBe(1);
		expect((await play(operation.result())).value).toEqual({ status: 'Succeeded', result: 42 });
	});
});

describe('the request itself', () => {
	const fresh = json({ id: 1 });

	it.each(['GET', 'PUT', 'DELETE', 'put'])('is sent again after a network failure: %s', async (method) => {
		const { operation, count } = following({ things: [broken, problem(500, 'Oops'), fresh] }, { method });
		expect((await play(operation.result())).value).toEqual({ id: 1 });
		expect(count('things')).toBe(3);
	});

	it.each(['POST', 'PATCH'])('is not sent again after a network failure, or a 500: %s', async (method) => {
		for (const failure of [broken, problem(500, 'Oops'), problem(502, 'Oops')]) {
			const { operation, count } = following({ things: [failure, fresh] }, { method });
			expect((await play(operation.result())).error).toBeDefined();
			expect(count('things')).toBe(1);
		}
	});

	it.each(['POST', 'PATCH'])('is sent again after a refusal, for then nothing was done: %s', async (method) => {
		const answers = { things: [problem(429, 'Busy'), problem(503, 'Down'), fresh] };
		const { operation, count } = following(answers, { method });
		expect((await play(operation.result())).value).toEqual({ id: 1 });
		expect(count('things')).toBe(3);
	});

	it('is sent again after anything when the server can know it by its key', async () => {
		const init = { ...POST, headers: { 'Idempotency-Key': '"a"' } };
		const { operation, asked } = following(
			{ things: [broken, problem(500, 'Oops'), accepted()], operation: [DONE] },
			init,
		);
		expect((await play(operation.result())).value).toEqual({ status: 'Succeeded', result: 42 });
		expect(asked.map(({ headers }) => headers.get('idempotency-key'))).toEqual(['"a"', '"a"', '"a"', null]);
	});

	it('with a stream is never sent again', async () => {
		const init = { method: 'PUT', body: new Blob(['x']).stream() };
		const { operation, count } = following({ things: [problem(503, 'Down')] }, init);
		expect((await play(operation.result())).error).toMatchObject({ status: 503 });
		expect(count('things')).toBe(1);
	});

	it('that is told to wait for an hour is not: the error says it', async () => {
		const { operation, count } = following({ things: [problem(429, 'Busy', { 'retry-after': '3600' })] });
		expect((await play(operation.result())).error).toMatchObject({ status: 429, retryAfterSeconds: 3_600 });
		expect(count('things')).toBe(1);
	});

	it('that is refused says why to everybody who asks', async () => {
		const { operation, count } = following({ things: [problem(403, 'Forbidden')] });
		for (const use of [() => operation.result(), () => operation.states().next(), () => operation.result()]) {
			expect((await play<unknown>(use())).error).toBeInstanceOf(ProblemError);
		}
		expect(count('things')).toBe(1);
	});

	it('that is refused, and that nobody asks about, fails in silence', async () => {
		// An unhandled rejection would end this run.
		const { count } = following({ things: [problem(403, 'Forbidden')] });
		await pass(10);
		expect(count('things')).toBe(1);
	});

	it('is sent as it is to where 307 says', async () => {
		const init = { ...POST, headers: { 'x-mine': 'a' } };
		const { operation, asked } = following({ things: [redirect('/moved', 307)], moved: [fresh] }, init);
		expect((await play(operation.result())).value).toEqual({ id: 1 });
		expect(asked.map(({ what, init: { method, body } }) => [what, method, body])).toEqual([
			['things', 'POST', '{}'],
			['moved', 'POST', '{}'],
		]);
	});
});

describe('a result', () => {
	it('is what JSON says, and nothing is undefined', async () => {
		const found = following({ things: [json([1, 2])] });
		expect((await play(found.operation.result())).value).toEqual([1, 2]);
		const nothing = following({ things: [new Response(null, { status: 204 })] });
		expect(await play(nothing.operation.result())).toEqual({ value: undefined, tookMs: 0 });
	});

	it('is the Response with its bytes when it is anything else', async () => {
		const picture = new Response(new Uint8Array([1, 2, 3]), { headers: { 'content-type': 'image/png' } });
		const { operation } = following({
			operation: [status('Succeeded', { resourceLocation: '/picture' })],
			picture: [picture],
		});
		const response = (await play(operation.result())).value as Response;
		expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
	});

	it('may have no media type: JSON is known when it is seen, and other bytes come as they are', async () => {
		const bytes = new Uint8Array([123, 255, 0]);
		const untyped = (body: Uint8Array) => () => new Response(new Blob([body as Uint8Array<ArrayBuffer>]).stream());
		const text = following({ things: [untyped(new TextEncoder().encode('{"id":1}'))] });
		expect((await play(text.operation.result())).value).toEqual({ id: 1 });
		const other = following({ things: [untyped(bytes)] });
		const response = (await play(other.operation.result())).value as Response;
		expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
	});

	it('is fetched where 303 says, and waited for while it is 202', async () => {
		const answers = { operation: [redirect('/late')], late: [new Response(null, { status: 202 }), json('there')] };
		const { operation, timesOf } = following(answers);
		expect((await play(operation.result())).value).toBe('there');
		expect(timesOf('late')).toEqual([500, 1_000]);
	});

	it('is the same for everybody who waits for it, and asked for no more when it is known', async () => {
		const { operation, count } = following({ operation: [status('Running'), DONE] });
		const { value } = await play(Promise.all([operation.result(), operation.result()]));
		expect(value).toEqual([
			{ status: 'Succeeded', result: 42 },
			{ status: 'Succeeded', result: 42 },
		]);
		const asked = count('operation');
		expect((await play(statesOf(operation.states()))).value).toEqual([['succeeded', 'Succeeded', undefined]]);
		expect((await play(operation.result())).tookMs).toBe(0);
		expect(count('operation')).toBe(asked);
	});
});

describe('an answer that comes late', () => {
	it('does not undo an end that is known', async () => {
		let release = (_: Response) => {};
		const late = () =>
			new Promise<Response>((resolve) => {
				release = resolve;
			});
		const { operation } = following({ operation: [late, DONE] });
		const slow = operation.states();
		const quick = operation.result();
		await slow.next();
		const waiting = slow.next();
		expect((await play(quick)).value).toEqual({ status: 'Succeeded', result: 42 });
		release(status('Running'));
		expect((await play(waiting)).value).toMatchObject({ value: { status: 'running' } });
		expect((await play(statesOf(operation.states()))).value).toEqual([['succeeded', 'Succeeded', undefined]]);
		await slow.return();
	});
});

describe('an operation that ends otherwise', () => {
	const error = { code: 'QuotaExceeded', message: 'No more of these', details: [{ code: 'Cores' }] };

	it('has failed with its own error, after its last state', async () => {
		const { operation } = following({
			operation: [status('Running', { percentComplete: 50 }), status('Failed', { error })],
		});
		expect((await play(statesOf(operation.states()))).value).toEqual([
			['running', undefined, undefined],
			['running', 'Running', 50],
			['failed', 'Failed', undefined],
		]);
		const { error: thrown } = await play(operation.result());
		expect(thrown).toBeInstanceOf(OperationFailedError);
		expect(thrown).toMatchObject({ ...error, state: { status: 'failed', body: { status: 'Failed', error } } });
	});

	it('was canceled', async () => {
		const { operation } = following({ operation: [status('Canceled')] });
		const { error: thrown } = await play(operation.result());
		expect(thrown).toBeInstanceOf(OperationCanceledError);
		expect(thrown).toMatchObject({ code: 'OperationCanceled', message: 'The operation was canceled' });
	});

	it.each([
		['nothing to go by', { things: [new Response(null, { status: 202 })] }],
		['no status', { operation: [json({})] }],
		[
			'JSON that is none',
			{ operation: [new Response('{"status"', { headers: { 'content-type': 'application/json' } })] },
		],
		['a link to nowhere', { things: [accepted({ 'operation-location': 'javascript:alert(1)' })] }],
		['redirects in a circle', { operation: [redirect('/operations/1', 307)] }],
		['results in a circle', { operation: [redirect('/a')], a: [redirect('/b')], b: [redirect('/a')] }],
	])('with %s is against the protocol, and asked for no more', async (_, answers) => {
		const { operation, asked } = following(answers);
		const { error: thrown } = await play(operation.result());
		expect(thrown).toBeInstanceOf(ProtocolError);
		expect(asked.length).toBeLessThanOrEqual(8);
		expect(timersLeft()).toBe(0);
	});
});

describe('a secret', () => {
	const HERE = { authorization: 'Bearer key', 'x-mine': 'a', 'content-type': 'application/json' };
	const init = { ...POST, headers: { 'x-mine': 'a', 'content-type': 'application/json', accept: 'application/json' } };
	const names = (headers: Headers) =>
		['authorization', 'x-mine', 'content-type', 'accept'].filter((name) => headers.has(name));

	it('goes along with each question to its own origin, and the body with none', async () => {
		const answers = { operation: [status('Succeeded', { resourceLocation: '/thing' })], thing: [json(1)] };
		const { operation, asked } = following(answers, init, { apiKey: 'key' });
		await play(operation.result());
		expect(asked.map(({ headers }) => headers.get('authorization'))).toEqual(Array(3).fill('Bearer key'));
		expect(asked.map(({ headers }) => names(headers))).toEqual([
			['authorization', 'x-mine', 'content-type', 'accept'],
			['authorization', 'x-mine', 'accept'],
			['authorization', 'x-mine', 'accept'],
		]);
		expect(asked.map(({ init: { redirect: how, body } }) => [how, body])).toEqual([
			['manual', '{}'],
			['manual', undefined],
			['manual', undefined],
		]);
	});

	it.each([
		[
			'the link of the operation',
			{ things: [accepted({ 'operation-location': 'https://evil.example/operations/1' })], operation: [DONE] },
		],
		[
			'the link of the result',
			{ operation: [status('Succeeded', { resourceLocation: 'https://evil.example/x' })], x: [json(1)] },
		],
		['a redirect of a question', { operation: [redirect('https://evil.example/x', 307)], x: [DONE] }],
		['a redirect to the result', { operation: [redirect('https://evil.example/x')], x: [json(1)] }],
		['a redirect of the request', { things: [redirect('https://evil.example/x', 308)], x: [json(1)] }],
		['another port', { things: [accepted({ 'operation-location': `${BASE}:8443/operations/1` })], operation: [DONE] }],
		[
			'no TLS',
			{
				things: [accepted({ 'operation-location': `${BASE.replace('https', 'http')}/operations/1` })],
				operation: [DONE],
			},
		],
	])('does not follow to another origin: %s', async (_, answers) => {
		for (const headers of [HERE, init.headers]) {
			const { operation, asked } = following(answers, { ...init, headers }, headers === HERE ? {} : { apiKey: 'key' });
			expect((await play(operation.result())).error).toBeUndefined();
			const foreign = asked.filter(({ url }) => url.origin !== BASE);
			expect(foreign).toHaveLength(1);
			expect(foreign.every((one) => !one.headers.has('authorization') && !one.headers.has('x-mine'))).toBe(true);
		}
	});

	it('comes back home when the operation does', async () => {
		const away = accepted({ 'operation-location': 'https://evil.example/operations/1' });
		const answers = {
			things: [away],
			operation: [status('Succeeded', { resourceLocation: `${BASE}/thing` })],
			thing: [json(1)],
		};
		const { operation, asked } = following(answers, init, { apiKey: 'key' });
		await play(operation.result());
		expect(asked.map(({ headers }) => headers.has('authorization'))).toEqual([true, false, true]);
	});

	it('is not taken along by a browser, which hides where a redirect leads', async () => {
		const hidden = () => Response.error();
		const seen = () => json({ id: 1 });
		const { operation, asked } = following({ operation: [hidden, seen] }, init, { apiKey: 'key' });
		const led = vi.spyOn(Response.prototype, 'redirected', 'get').mockReturnValue(true);
		onTestFinished(() => led.mockRestore());
		expect((await play(operation.result())).value).toEqual({ id: 1 });
		expect(asked.map(({ init: { redirect: how } }) => how)).toEqual(['manual', 'manual', 'follow']);
		expect(asked.map(({ headers }) => headers.has('authorization'))).toEqual([true, true, false]);
		const request = following({ things: [hidden] }, init, { apiKey: 'key' });
		expect((await play(request.operation.result())).error).toBeInstanceOf(ProtocolError);
	});

	it('is not in any message', async () => {
		const link = { 'operation-location': '/operations/1?token=secret' };
		const fail: Answer[][] = [
			[problem(403, 'No')],
			[json({})],
			[broken],
			[redirect('/operations/1?token=secret', 307)],
		];
		for (const answers of fail) {
			const { operation } = following({ things: [accepted(link)], operation: answers }, POST, { maxFailures: 1 });
			const { error } = await play(operation.result());
			expect(error).toBeInstanceOf(Error);
			expect(`${(error as Error).stack}`).not.toContain('secret');
		}
	});
});

describe('a signal', () => {
	it('ends the wait, and nothing is left of it; who calls again goes on', async () => {
		const { operation, count } = following({ operation: [status('Running'), DONE] });
		const abort = new AbortController();
		const result = operation.result({ signal: abort.signal });
		result.catch(() => {});
		await pass(700);
		expect(count('operation')).toBe(1);
		abort.abort(new Error('enough'));
		expect((await play(result)).error).toEqual(new Error('enough'));
		expect(timersLeft()).toBe(0);
		expect((await play(operation.result())).value).toEqual({ status: 'Succeeded', result: 42 });
	});

	it('ends a question that is never answered', async () => {
		const { operation, asked } = following({ operation: [never] });
		const abort = new AbortController();
		const result = operation.result({ signal: abort.signal });
		result.catch(() => {});
		await pass(600);
		abort.abort(new Error('enough'));
		expect((await play(result)).error).toEqual(new Error('enough'));
		expect(asked.at(-1)?.init.signal?.aborted).toBe(true);
		expect(timersLeft()).toBe(0);
	});

	it('ends the request, and with it the handle', async () => {
		const abort = new AbortController();
		const { operation } = following({ things: [never] }, { ...POST, signal: abort.signal });
		await pass(10);
		abort.abort(new Error('enough'));
		expect((await play(operation.result())).error).toEqual(new Error('enough'));
		expect(timersLeft()).toBe(0);
	});

	it('is not needed to end the states: leaving the loop does', async () => {
		const { operation, count } = following({ operation: [status('Running')] });
		const states = operation.states();
		await play(states.next());
		const waiting = states.next();
		await pass(100);
		await states.return();
		expect(await waiting).toEqual({ done: true, value: undefined });
		expect(timersLeft()).toBe(0);
		expect(count('operation')).toBe(0);
	});
});

describe('followOperation', () => {
	it.each([
		['things', {}, 'Expected an absolute http(s) URL, got: "things"'],
		[BASE, { waitMs: { first: 0, max: 10 } }, 'Expected waitMs with 0 < first <= max, got: 0 and 10'],
		[BASE, { waitMs: { first: 10, max: 5 } }, 'Expected waitMs with 0 < first <= max, got: 10 and 5'],
		[BASE, { maxFailures: 0 }, 'Expected maxFailures of at least 1, got: 0'],
	])('refuses %s with %j', (url, options, message) => {
		expect(() => followOperation(url, POST, options)).toThrow(new TypeError(message));
	});
});
