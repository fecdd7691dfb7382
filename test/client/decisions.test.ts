import { describe, expect, it } from 'vitest';
import { bySse } from '../../src/client/events/by-sse.ts';
import { jobFeed } from '../../src/client/events/job-feed.ts';
import { nextTransport, type Session, START, type TransportChoice } from '../../src/client/events/transport-choice.ts';
import { Http } from '../../src/client/http.ts';
import { afterCursor, jobUrls } from '../../src/client/job-urls.ts';
import { submitRequest } from '../../src/client/submission.ts';
import { nextWaitMs } from '../../src/client/waiting.ts';
import type { Links } from '../../src/core/job/links.ts';
import { submit } from '../flow/client.ts';

describe('nextWaitMs', () => {
	it('starts at half a second, doubles while nothing changes, and stops at half a minute', () => {
		const waits = [0, 1, 2, 3, 4, 5, 6, 7, 100].map((quiet) => nextWaitMs({ quiet, random: 0 }));
		expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
	});

	it('is never less than the server asks for, and up to a fifth more', () => {
		expect(nextWaitMs({ quiet: 0, retryAfterMs: 5_000, random: 0 })).toBe(5_000);
		expect(nextWaitMs({ quiet: 0, retryAfterMs: 5_000, random: 0.999 })).toBeCloseTo(5_999, 0);
	});

	it('is up to twice as long, and two seconds more after a lost connection, so that not all come back at once', () => {
		expect([0, 0.5, 0.999].map((random) => nextWaitMs({ quiet: 0, random }))).toEqual([500, 750, 999.5]);
		expect(nextWaitMs({ quiet: 6, random: 0.5 })).toBe(33_000);
		expect([0, 0.5, 1].map((random) => nextWaitMs({ quiet: 0, random, isLost: true }))).toEqual([500, 1_500, 2_500]);
		expect(nextWaitMs({ quiet: 0, retryAfterMs: 2_000, random: 0.5, isLost: true })).toBe(3_000);
	});

	it('is never less than half a second, whatever the server says', () => {
		expect(nextWaitMs({ quiet: 0, retryAfterMs: 0, random: 0 })).toBe(500);
		expect(nextWaitMs({ quiet: 0, retryAfterMs: -1_000, random: 0 })).toBe(500);
	});
});

describe('nextCourse', () => {
	const silent: Session = { isAlive: false, isNews: false, lastedMs: 0, retryAfterMs: undefined };
	const alive: Session = { ...silent, isAlive: true };
	const next = (course: TransportChoice, session: Session, transports = 3) =>
		nextTransport(course, session, { transports, random: 0 });

	it('goes from one transport to the next at once, and from the last to the first after a wait', () => {
		const at = (index: number): TransportChoice => ({ ...START, at: index });
		expect(next(at(0), silent)).toEqual({ course: at(1), waitMs: 0 });
		expect(next(at(1), silent)).toEqual({ course: at(2), waitMs: 0 });
		expect(next(at(2), silent)).toEqual({ course: { at: 0, silentRounds: 1, quiet: 1 }, waitMs: 1_000 });
	});

	it('stays with a transport that lives, and forgives the rounds before', () => {
		expect(next({ at: 1, silentRounds: 5, quiet: 5 }, { ...alive, isNews: true })).toEqual({
			course: { at: 1, silentRounds: 0, quiet: 0 },
			waitMs: 500,
		});
	});

	it('waits longer and longer while nothing is new, but not after a session that lasted', () => {
		expect(next(START, alive)).toMatchObject({ course: { quiet: 1 }, waitMs: 1_000 });
		expect(next({ ...START, quiet: 1 }, alive)).toMatchObject({ course: { quiet: 2 }, waitMs: 2_000 });
		expect(next({ ...START, quiet: 7 }, { ...alive, lastedMs: 20_000 })).toMatchObject({ waitMs: 500 });
	});

	it('asks elsewhere where one transport is refused, and waits as the server asks when all are', () => {
		const refused = { ...silent, retryAfterMs: 9_000 };
		expect(next({ ...START, at: 1 }, refused)).toEqual({ course: { ...START, at: 2 }, waitMs: 0 });
		expect(next({ ...START, at: 2 }, refused)).toEqual({
			course: { at: 0, silentRounds: 1, quiet: 1 },
			waitMs: 9_000,
		});
	});

	it('waits as the server asks, instead of asking elsewhere, where requests are counted', () => {
		expect(next({ ...START, at: 1 }, { ...silent, retryAfterMs: 9_000, isRateLimited: true })).toEqual({
			course: { at: 0, silentRounds: 1, quiet: 1 },
			waitMs: 9_000,
		});
		expect(next(START, { ...alive, isNews: true, retryAfterMs: 9_000 })).toMatchObject({ waitMs: 9_000 });
	});

	it('asks again at once after an answer that was held', () => {
		const course = { at: 2, silentRounds: 3, quiet: 4 };
		expect(next(course, { ...alive, isHeld: true, lastedMs: 20_000, retryAfterMs: 60_000 })).toEqual({
			course: { ...START, at: 2 },
			waitMs: 0,
		});
	});

	it('comes back over two seconds after a lost connection', () => {
		const lost = { ...alive, isNews: true, isLost: true };
		expect(nextTransport(START, lost, { transports: 3, random: 1 })).toEqual({ course: START, waitMs: 2_500 });
	});

	it('gives up after eight rounds', () => {
		expect(next({ at: 2, silentRounds: 6, quiet: 6 }, silent)).toBeDefined();
		expect(next({ at: 2, silentRounds: 7, quiet: 7 }, silent)).toBeUndefined();
		expect(next({ at: 0, silentRounds: 7, quiet: 7 }, silent)).toBeDefined();
	});

	it('with one transport waits each time', () => {
		expect(next(START, silent, 1)).toEqual({ course: { at: 0, silentRounds: 1, quiet: 1 }, waitMs: 1_000 });
	});
});

describe('bySse', () => {
	const event = (seq: number, message = 'né') => ({
		seq,
		type: 'progress',
		job: { id: 'a', seq, status: 'running', message },
	});
	/** Every line end of the standard, comments, fields without a value, data of several lines, an id alone, and an event that is cut off. */
	const TEXT = [
		`\uFEFFretry: 2000\r\n\r\n:\n\nid: 1\nevent: progress\ndata: ${JSON.stringify(event(1))}\n\n`,
		`data:${JSON.stringify(event(2), null, 1).replaceAll('\n', '\r\ndata:')}\r\n\r\n`,
		`: note\rretry: soon\rretry\runknown: x\rdata: ${JSON.stringify(event(3))}\r\rid: 9\n\n`,
		`data: ${JSON.stringify(event(4))}`,
	].join('');
	const BYTES = new TextEncoder().encode(TEXT);

	/** @returns the types and numbers of the messages that a stream of these pieces makes. */
	const read = async (pieces: readonly Uint8Array[]) => {
		const body = new ReadableStream({
			start(stream) {
				for (const piece of pieces) stream.enqueue(piece);
				stream.close();
			},
		});
		const fetch = async () => new Response(body, { headers: { 'content-type': 'Text/Event-Stream; charset=utf-8' } });
		const http = new Http({ fetch, apiKey: undefined, origin: 'https://a.example', timeoutMs: 1_000 });
		const urls = jobUrls(`https://a.example/v1/jobs/${'0'.repeat(64)}`);
		const transport = bySse({ http, feed: jobFeed(http, urls) });
		const source = transport({ after: 0, job: undefined }, new AbortController().signal);
		const messages: unknown[] = [];
		for await (const message of source) if (message.type !== 'life') messages.push(message);
		return messages;
	};

	const EXPECTED = [
		...[1, 2, 3].map((seq) => ({ type: 'event', event: event(seq) })),
		{ type: 'place', after: 9 },
		{ type: 'closed', retryAfterMs: 2_000 },
	];

	it('reads the events, a place and the reconnection time, and leaves out an event that is cut off', async () => {
		expect(await read([BYTES])).toEqual(EXPECTED);
	});

	it('reads them in pieces of any size, also when a piece ends in a character or in a line end', async () => {
		for (let at = 0; at <= BYTES.length; at++)
			expect(await read([BYTES.slice(0, at), BYTES.slice(at)]), `cut at ${at}`).toEqual(EXPECTED);
		expect(await read([...BYTES].map((byte) => Uint8Array.of(byte)))).toEqual(EXPECTED);
	});

	it('reads an event of 16 MB in time that is proportional to its length', async () => {
		const bytes = new TextEncoder().encode(`data: ${JSON.stringify(event(1, 'x'.repeat(16_000_000)))}\n\n`);
		const pieces = Array.from({ length: bytes.length / 1_000 + 1 }, (_, at) =>
			bytes.slice(at * 1_000, at * 1_000 + 1_000),
		);
		// In quadratic time, which is ten minutes where this takes a second, the test ends at its limit.
		expect(await read(pieces)).toHaveLength(2);
	});
});

describe('jobUrls', () => {
	it("are the server's own links, from any one of them", async () => {
		const { links } = (await submit('sleep', { seconds: 0 })).document;
		const own = links as Required<Links>;
		const { cancel: _, ...reading } = own;
		for (const link of Object.values(reading)) {
			const { id: _id, purge: _purge, retry: _retry, cancel: _cancel, ...urls } = jobUrls(link);
			expect(urls).toEqual(reading);
		}
	});

	it('leave out the flags of another dialect, and keep the path of a gateway', () => {
		const urls = jobUrls(`http://host:8080/gate/way/v1/jobs/${'0'.repeat(64)}?onComplete=inline&token=a.b-c_d`);
		expect(urls.operation).toBe(`http://host:8080/gate/way/v1/operations/${'0'.repeat(64)}?token=a.b-c_d`);
		expect(urls.socket).toBe(`ws://host:8080/gate/way/v1/jobs/${'0'.repeat(64)}/socket?token=a.b-c_d`);
		expect(afterCursor(urls.socket, 7)).toBe(`${urls.socket}&after=7`);
	});

	it('have no token where only a key may act: beside a token, the key would not be sent', () => {
		const { purge, retry } = jobUrls(`http://host/v1/jobs/${'0'.repeat(64)}?token=a.b-c_d`);
		expect([purge, retry]).toEqual([
			`http://host/v1/jobs/${'0'.repeat(64)}/purge`,
			`http://host/v1/jobs/${'0'.repeat(64)}/retry`,
		]);
	});

	it.each([
		'nonsense',
		'https://host/v1/jobs',
		`https://host/v1/jobs/${'0'.repeat(63)}`,
		`https://host/v1/topics/${'0'.repeat(64)}`,
		`mailto:v1/jobs/${'0'.repeat(64)}`,
	])('refuse "%s"', (url) => {
		expect(() => jobUrls(url)).toThrow(TypeError);
	});
});

describe('submitRequest', () => {
	const idempotencyKey = 'say "hi" \\o/';

	it('puts JSON in an envelope, with its options and parameters', async () => {
		const options = {
			idempotencyKey,
			tags: ['größe'],
			delaySeconds: 3,
			traceparent: '00-1-2-3',
			mediaType: 'ignored/here',
		};
		const parameters = { times: 2 };
		const { path, headers, body } = await submitRequest('greet', { name: 'Ada' }, { ...options, parameters });
		expect([path, JSON.parse(String(body))]).toEqual([
			'/v1/jobs',
			{
				task: 'greet',
				input: { name: 'Ada' },
				parameters: { times: 2 },
				options: { tags: ['größe'], delaySeconds: 3 },
			},
		]);
		expect(headers).toEqual({
			'content-type': 'application/json',
			'idempotency-key': '"say \\"hi\\" \\\\o/"',
			traceparent: '00-1-2-3',
		});
	});

	it('sends bytes as they are, with options in headers and parameters in the query', async () => {
		const body = new Blob(['x'], { type: 'image/png' });
		const webhook = { url: 'https://me.example/hook', events: ['failed', 'canceled'], format: 'cloudevents' } as const;
		const options = { idempotencyKey: 'k', tags: ['a', 'b'], maxAttempts: 1, correlationId: 'c', webhook };
		const parameters = { width: 320, fit: 'cover', height: undefined };
		expect(await submitRequest('thumb/nail', body, { ...options, parameters })).toEqual({
			path: '/v1/tasks/thumb%2Fnail/jobs?width=320&fit=cover',
			headers: {
				'content-type': 'image/png',
				'idempotency-key': '"k"',
				'x-correlation-id': 'c',
				'coatcheck-max-attempts': '1',
				'coatcheck-tags': 'a,b',
				'coatcheck-webhook-url': 'https://me.example/hook',
				'coatcheck-webhook-events': 'failed,canceled',
				'coatcheck-webhook-format': 'cloudevents',
			},
			body,
			uploadMs: 1,
			leastTimeoutMs: 300_000,
		});
	});
});
