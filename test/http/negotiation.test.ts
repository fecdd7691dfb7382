import { beforeAll, describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { preferredType } from '../../src/http/accept.ts';
import { readWaitSeconds } from '../../src/http/read/long-poll.ts';
import { call, submit, until } from '../flow/client.ts';

const STREAM = 'text/event-stream; charset=utf-8';
const PAGE = 'application/json';

describe('preferredType', () => {
	const TYPES = ['application/json', 'text/event-stream'] as const;
	const preferred = (accept: string) => preferredType(accept, [...TYPES], 'text/event-stream');

	it.each<[string, (typeof TYPES)[number] | undefined]>([
		// The first weight counts, quoted or not, in any place and any case.
		['text/event-stream;q=0.1;q=1, application/json;q=0.5', 'application/json'],
		['text/event-stream;q="0.1", application/json;q=0.5', 'application/json'],
		['text/event-stream;x=1; Q = 0.1 ;y, application/json;q=0.5', 'application/json'],
		// An invalid weight is none.
		['application/json;q=abc, text/event-stream;q=0.5', 'application/json'],
		['application/json;q=1.0000, text/event-stream;q=0.5', 'application/json'],
		['application/json;q=-1, text/event-stream;q=0.5', 'application/json'],
		// A parameter doesn't make a type another one.
		['TEXT/Event-Stream ; charset=utf-8', 'text/event-stream'],
		['application/json;profile="a,b;q=0";q=0.5, text/event-stream;q=0.1', 'application/json'],
		['foo/bar;x="say \\"a\\", text/event-stream", application/json', 'application/json'],
		// A malformed range is skipped. Nothing but such ranges is like no header.
		[' , ,;, ', 'application/json'],
		['application /json, text/event-stream;q=0.1', 'text/event-stream'],
		['"text/event-stream"', 'application/json'],
		['foo/bar;x="no end, text/event-stream', undefined],
		['text', undefined],
		['*/json', undefined],
	])('for %j is %s', (accept, expected) => {
		expect(preferred(accept)).toBe(expected);
	});

	it('reads many ranges', () => {
		const accept = Array.from({ length: 10_000 }, (_, at) => `a/b${at};q=0.5`).join(', ');
		expect(preferred(`${accept}, text/event-stream`)).toBe('text/event-stream');
	});
});

it.each([
	'"',
	'\\"',
	'"\\',
	'=',
	' ',
	'= ',
	',',
	';',
	'"a',
	'wait',
	'\\',
])('Accept and Prefer are read in time that is proportional to their length, also with many %j', (piece) => {
	for (const start of ['a=', 'a/b;x="', 'wait=', '']) {
		const text = `${start}${piece.repeat(50_000)}@`;
		const startedAt = performance.now();
		preferredType(text, ['text/plain'], 'text/plain');
		readWaitSeconds({ headers: { get: () => text } } as unknown as Request);
		// Quadratic time would take minutes.
		expect(performance.now() - startedAt).toBeLessThan(10_000);
	}
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
		return readWaitSeconds(new Request('https://a.example', { headers }));
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
		[['foo="no end, wait=7'], undefined],
		[['foo="say \\"a\\", wait=7"'], undefined],
		[['wait, wait=7'], undefined],
		[['wait=9"7"'], undefined],
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
