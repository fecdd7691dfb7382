import { beforeAll, describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { preferredType } from '../../src/http/accept.ts';
import { parseHeaderList } from '../../src/http/header-list.ts';
import { waitSecondsOf } from '../../src/http/read/long-poll.ts';
import { call, submit, until } from '../flow/client.ts';

const STREAM = 'text/event-stream; charset=utf-8';
const PAGE = 'application/json';

const asList = (text: string) =>
	parseHeaderList(text).map(({ name, value, parameters }) => [name, value, Object.fromEntries(parameters)]);

describe('a list in a header', () => {
	it.each<[string, unknown[]]>([
		['', []],
		[' , ,;, ', []],
		[
			'a, b',
			[
				['a', '', {}],
				['b', '', {}],
			],
		],
		['Text/HTML;Q=0.5;q=1', [['text/html', '', { q: '0.5' }]]],
		['foo="a, wait=7"', [['foo', 'a, wait=7', {}]]],
		[
			'foo="say \\"a\\", b;c"; d = "e;f" ,g',
			[
				['foo', 'say "a", b;c', { d: 'e;f' }],
				['g', '', {}],
			],
		],
		['wait = 7 ; x', [['wait', '7', { x: '' }]]],
		['foo="no end, wait=7', []],
		['foo="no end\\', []],
		['a b, c', [['c', '', {}]]],
		['a=b=c, d', [['d', '', {}]]],
	])('%j is read as the grammar has it, and what does not fit is left out', (text, expected) => {
		expect(asList(text)).toEqual(expected);
	});

	it('takes time in proportion to its length, however it is quoted', () => {
		for (const piece of ['"', '\\"', '"\\', '=', ' ', '= ', ',', ';', '"a']) {
			const startedAt = performance.now();
			parseHeaderList(`a=${piece.repeat(50_000)}@`);
			// Quadratic time would take minutes.
			expect(performance.now() - startedAt).toBeLessThan(10_000);
		}
	});
});

describe('the type of events that a client gets', () => {
	let document: StatusDocument;
	beforeAll(async () => {
		({ document } = await submit('sleep', { seconds: 0 }));
		await until(document, 'succeeded');
	});

	const typeFor = async (accept: string | undefined) => {
		const response = await call(document.links.events, { headers: accept === undefined ? {} : { accept } });
		await response.body?.cancel();
		expect(response.headers.get('vary')).toContain('Accept');
		return [response.status, response.headers.get('content-type')];
	};

	it.each([
		[undefined, PAGE],
		['', PAGE],
		['*/*', PAGE],
		['application/json', PAGE],
		['application/*', PAGE],
		['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', PAGE],
		['text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', PAGE],
		['text/event-stream;q=0, application/json', PAGE],
		['text/event-stream;q=0, */*', PAGE],
		['text/event-stream;q=0.1, application/json', PAGE],
		['application/json, text/event-stream;q=0.9', PAGE],
		['foo/bar;x="text/event-stream", application/json', PAGE],
		['text/event-stream', STREAM],
		['Text/Event-Stream', STREAM],
		['text/event-stream; charset=utf-8', STREAM],
		['text/*', STREAM],
		['application/json;q=0.5, text/event-stream', STREAM],
		['application/json, text/event-stream', STREAM],
		['text/event-stream, */*;q=0.1', STREAM],
		['application/json;Q=0, */*', STREAM],
	])('for Accept: %s is %s', async (accept, type) => {
		expect(await typeFor(accept)).toEqual([200, type]);
	});

	it.each([
		'text/html',
		'image/*',
		'*/*;q=0',
		'text/event-stream;q=0',
		'text/event-stream;q=0, text/*;q=0',
	])('is none for Accept: %s: 406 says what there is', async (accept) => {
		const response = await call(document.links.events, { headers: { accept } });
		expect(response.status).toBe(406);
		expect(response.headers.get('vary')).toContain('Accept');
		expect(await response.json()).toMatchObject({
			code: 'NotAcceptable',
			errors: [{ header: 'Accept', message: `expected text/event-stream or application/json, got: ${accept}` }],
		});
	});

	it('does not matter to a status document and a result: both are what they are', async () => {
		for (const link of [document.links.operation, document.links.result])
			expect((await call(link, { headers: { accept: 'image/png' } })).status).toBe(200);
	});

	it('goes by the more precise range first', () => {
		expect(preferredType('text/*;q=0.1, text/plain;q=0.9', ['text/html', 'text/plain'], 'text/html')).toBe(
			'text/plain',
		);
		expect(preferredType('text/*, text/plain;q=0', ['text/plain', 'text/html'], 'text/plain')).toBe('text/html');
	});
});

describe('a stream of events', () => {
	it('says that it is UTF-8 and that nobody may transform or store it', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const response = await call(document.links.events, { headers: { accept: 'text/event-stream' } });
		await response.body?.cancel();
		expect(response.headers.get('content-type')).toBe(STREAM);
		const directives = response.headers.get('cache-control')?.split(', ');
		expect(directives).toEqual(expect.arrayContaining(['no-cache', 'no-transform', 'no-store', 'private']));
	});

	it.each(['99', '999999999999999'])('of a finished job is 204 for the cursor %s beyond its end', async (cursor) => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const headers = { accept: 'text/event-stream', 'last-event-id': cursor };
		const response = await call(document.links.events, { headers });
		expect([response.status, await response.text()]).toEqual([204, '']);
	});

	it('of an unfinished job starts anew for a cursor from the future', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const headers = { accept: 'text/event-stream', 'last-event-id': '99' };
		const response = await call(document.links.events, { headers });
		expect(response.status).toBe(200);
		await response.body?.cancel();
	});
});

describe('Prefer: wait', () => {
	const secondsFor = (...prefer: string[]) => {
		const headers = new Headers();
		for (const value of prefer) headers.append('prefer', value);
		return waitSecondsOf(new Request('https://a.example', { headers }));
	};

	it.each<[string[], number | undefined]>([
		[['wait=7'], 7],
		[['Wait=7'], 7],
		[['wait="7"'], 7],
		[['wait = 7'], 7],
		[['respond-async, wait=7'], 7],
		[['respond-async; x=1 , wait=7; y'], 7],
		[['respond-async', 'wait=7'], 7],
		[['wait=99'], 25],
		[['wait=3, wait=9'], 3],
		[['foo="a, wait=7"'], undefined],
		[['foo="a; wait=7"'], undefined],
		[['return=minimal; wait=3'], undefined],
		[['wait'], undefined],
		[['wait=0'], undefined],
		[['wait=-1'], undefined],
		[['wait=1.5'], undefined],
		[['wait=soon'], undefined],
		[['await=7'], undefined],
	])('%j waits %s seconds', (prefer, seconds) => {
		expect(secondsFor(...prefer)).toBe(seconds);
	});
});
