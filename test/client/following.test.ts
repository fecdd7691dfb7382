import { describe, expect, it, vi } from 'vitest';
import { JobCanceledError, JobGoneError, ProtocolError, TransportError } from '../../src/client/index.ts';
import {
	broken,
	collect,
	document,
	event,
	JOB_URL,
	json,
	never,
	type PlayedSocket,
	pass,
	play,
	problem,
	type Script,
	scripted,
	stream,
	timersLeft,
} from './script.ts';

const ACCEPTED = event(1, 'pending');
const STARTED = event(2, 'running');
const PROGRESS = event(3, 'running', 'progress');
const SUCCEEDED = event(4, 'succeeded');
const MINUTE_MS = 60_000;

/** The job's events from a scripted server, from the first. */
function following(script: Script) {
	const server = scripted(script);
	return { ...server, events: server.client.job(JOB_URL).events() };
}

const refused: Script['sockets'] = (socket) => socket.closes(1006);

/** Every request and socket of a client, by its purpose. */
function askedOf({ asked, played }: Pick<ReturnType<typeof scripted>, 'asked' | 'played'>): Record<string, number> {
	const names = [...played.map(() => 'socket'), ...asked.map(({ what }) => what)];
	return Object.fromEntries([...new Set(names)].map((name) => [name, names.filter((one) => one === name).length]));
}

describe('the choice of a transport', () => {
	it('stops at a socket that works', async () => {
		const server = following({
			sockets: (socket) => socket.opens().tells(ACCEPTED, STARTED, SUCCEEDED).closes(1000),
		});
		expect((await play(collect(server.events))).value).toEqual([1, 2, 4]);
		expect(askedOf(server)).toEqual({ socket: 1 });
		expect(server.played[0]?.url.href).toBe(`${JOB_URL.replace('https', 'wss').replace('?', '/socket?')}&after=0`);
	});

	it('goes on to a stream where sockets are refused, without delay', async () => {
		const server = following({ sockets: refused, answers: { stream: [stream([ACCEPTED, SUCCEEDED])] } });
		const { value, tookMs } = await play(collect(server.events));
		expect(value).toEqual([1, 4]);
		expect(tookMs).toBeLessThan(500);
		expect(askedOf(server)).toEqual({ socket: 1, stream: 1 });
	});

	it('goes on to polling where a stream is made into something else', async () => {
		const answers = {
			stream: [json({ events: [] })],
			operation: [json(document(4, 'succeeded'))],
			page: [json({ events: [ACCEPTED, SUCCEEDED], lastSeq: 4 })],
		};
		const server = following({ sockets: refused, answers });
		expect((await play(collect(server.events))).value).toEqual([1, 4]);
		expect(askedOf(server)).toEqual({ socket: 1, stream: 1, operation: 1, page: 1 });
	});

	it('goes on to polling where a stream is held back on the way', async () => {
		const held = () => new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } });
		const answers = {
			stream: [held],
			operation: [json(document(4, 'succeeded'))],
			page: [json({ events: [SUCCEEDED], lastSeq: 4 })],
		};
		const server = following({ sockets: refused, answers });
		const { value, tookMs } = await play(collect(server.events));
		expect(value).toEqual([4]);
		expect(tookMs).toBeGreaterThanOrEqual(45_000);
		expect(askedOf(server)).toEqual({ socket: 1, stream: 1, operation: 1, page: 1 });
	});

	it('goes on to polling where a stream ends before it has said anything', async () => {
		const answers = {
			stream: [new Response('', { headers: { 'content-type': 'text/event-stream' } })],
			operation: [json(document(4, 'succeeded'))],
			page: [json({ events: [SUCCEEDED], lastSeq: 4 })],
		};
		const server = following({ sockets: (socket) => socket.opens().closes(1000), answers });
		// After the socket closes, the client polls the status. The job has not ended, so it yields no event yet.
		answers.operation.unshift(json(document(3, 'running')), json(document(3, 'running')));
		expect((await play(collect(server.events))).value).toEqual([4]);
		expect(askedOf(server)).toEqual({ socket: 1, stream: 1, operation: 3, page: 1 });
	});

	it('gives a socket ten seconds to open', async () => {
		const server = following({ sockets: () => {}, answers: { stream: [stream([SUCCEEDED])] } });
		const { tookMs } = await play(collect(server.events));
		expect(tookMs).toBeGreaterThanOrEqual(10_000);
		expect(tookMs).toBeLessThan(10_500);
		expect(server.played[0]?.isClosed).toBe(true);
	});

	it('goes on to polling where there is no room for another watcher', async () => {
		const full = problem(503, 'Overloaded', { 'retry-after': '30' });
		const answers = {
			stream: [full],
			operation: [json(document(1, 'pending')), json(document(4, 'succeeded'))],
			page: [json({ events: [ACCEPTED], lastSeq: 1 }), json({ events: [SUCCEEDED], lastSeq: 4 })],
		};
		const server = following({ sockets: refused, answers });
		const { value, tookMs } = await play(collect(server.events));
		expect(value).toEqual([1, 4]);
		expect(tookMs).toBeLessThan(5_000);
		expect(askedOf(server)).toEqual({ socket: 1, stream: 1, operation: 2, page: 2 });
	});

	it('stays with what worked', async () => {
		const answers = { stream: [stream([ACCEPTED], 'breaks'), stream([STARTED], 'breaks'), stream([SUCCEEDED])] };
		const server = following({ sockets: refused, answers });
		expect((await play(collect(server.events))).value).toEqual([1, 2, 4]);
		expect(askedOf(server)).toEqual({ socket: 1, stream: 3 });
	});

	it('stays with a stream that has shown no more than life', async () => {
		const answers = { stream: [() => stream([], 'breaks'), () => stream([], 'breaks'), stream([SUCCEEDED])] };
		const server = following({ sockets: refused, answers });
		expect((await play(collect(server.events))).value).toEqual([4]);
		expect(askedOf(server)).toEqual({ socket: 1, stream: 3 });
	});

	it('goes on where a socket may not even be made', async () => {
		const server = scripted({
			answers: { stream: [stream([SUCCEEDED])] },
			options: {
				WebSocket: class {
					constructor() {
						throw new DOMException('mixed content', 'SecurityError');
					}
					addEventListener() {}
					send() {}
					close() {}
				},
			},
		});
		expect((await play(collect(server.client.job(JOB_URL).events()))).value).toEqual([4]);
	});
});

describe('a broken connection', () => {
	it('is taken up again after the last event, and none comes twice', async () => {
		const server = following({
			sockets: (socket, nth) =>
				nth === 1
					? socket.opens().tells(ACCEPTED, STARTED, PROGRESS).closes(1006)
					: socket.opens().tells(STARTED, PROGRESS, SUCCEEDED).closes(1000),
		});
		expect((await play(collect(server.events))).value).toEqual([1, 2, 3, 4]);
		expect(server.played.map(({ url }) => url.searchParams.get('after'))).toEqual(['0', '3']);
	});

	it('of a stream is taken up again as late as the server wants it', async () => {
		const answers = { stream: [stream([ACCEPTED, STARTED]), stream([SUCCEEDED])] };
		const server = following({ answers });
		expect((await play(collect(server.events))).value).toEqual([1, 2, 4]);
		expect(server.asked.map(({ url }) => url.searchParams.get('after'))).toEqual(['0', '2']);
		expect(server.timesOf('stream')).toEqual([0, 2_000]);
	});

	it('of a stream that the reader has all of ends it: 204', async () => {
		const answers = { stream: [stream([ACCEPTED], 'breaks'), new Response(null, { status: 204 })] };
		const server = following({ answers });
		expect((await play(collect(server.events))).value).toEqual([1]);
		expect(server.count('stream')).toBe(2);
	});

	it('that is only silent is asked whether it lives, and left when it does not answer', async () => {
		const server = following({
			sockets: (socket, nth) => {
				socket.opens().tells(ACCEPTED);
				if (nth === 2) socket.tells(SUCCEEDED).closes(1000);
			},
		});
		const { value, tookMs } = await play(collect(server.events));
		expect(value).toEqual([1, 4]);
		expect(server.played[0]).toMatchObject({ said: ['ping'], isClosed: true });
		expect(tookMs).toBeGreaterThanOrEqual(40_000);
		expect(tookMs).toBeLessThan(42_000);
	});

	it('that answers lives on, however long nothing happens', async () => {
		const server = following({ sockets: (socket) => socket.opens().tells(ACCEPTED) });
		const reading = collect(server.events);
		await play(reading, 0);
		const [socket] = server.played;
		if (!socket) throw new Error('No socket was opened');
		vi.spyOn(socket, 'send').mockImplementation((text) => {
			socket.said.push(text);
			socket.tells('pong');
		});
		await play(reading, 30 * MINUTE_MS);
		expect(server.played).toHaveLength(1);
		expect(socket.said.length).toBeGreaterThan(80);
		socket.tells(SUCCEEDED).closes(1000);
		expect((await play(reading)).value).toEqual([1, 4]);
		expect(timersLeft()).toBe(0);
	});

	it('that is closed with 1000 before the end of the job is not the end of the job', async () => {
		const server = following({
			sockets: (socket, nth) =>
				nth === 1 ? socket.opens().tells(STARTED).closes(1000) : socket.opens().tells(SUCCEEDED).closes(1000),
		});
		expect((await play(collect(server.events))).value).toEqual([2, 4]);
		expect(server.played).toHaveLength(2);
	});

	it('in the middle of replayed events of an earlier run is not taken for the end', async () => {
		const server = following({
			sockets: (socket, nth) =>
				nth === 1
					? socket.opens().tells(ACCEPTED, event(2, 'failed')).closes(1006)
					: socket.opens().tells(event(3, 'pending'), SUCCEEDED).closes(1000),
		});
		expect((await play(collect(server.events))).value).toEqual([1, 2, 3, 4]);
	});
});

describe('the end of a job', () => {
	it('is known as soon as the server takes its leave, not only when the connection is gone', async () => {
		const server = following({ sockets: (socket) => socket.opens().tells(ACCEPTED, SUCCEEDED).takesLeave() });
		const { value, tookMs } = await play(collect(server.events));
		expect(value).toEqual([1, 4]);
		expect(tookMs).toBeLessThan(100);
		expect(server.played[0]).toMatchObject({ isClosed: true });
		expect(timersLeft()).toBe(0);
	});

	it('is not what ends an earlier run, however late the rest comes', async () => {
		const server = following({ sockets: (socket) => void socket.opens().tells(ACCEPTED, event(2, 'failed')) });
		const reading = collect(server.events);
		await play(reading, 5_000);
		server.played[0]?.tells(event(3, 'pending'), SUCCEEDED).takesLeave();
		expect((await play(reading)).value).toEqual([1, 2, 3, 4]);
		expect(server.played).toHaveLength(1);
	});

	it('is taken up elsewhere when the connection dies before the leave', async () => {
		const server = following({
			sockets: (socket, nth) => {
				socket.opens();
				if (nth === 1) socket.tells(SUCCEEDED);
				else socket.closes(1000);
			},
		});
		const { value, tookMs } = await play(collect(server.events));
		expect(value).toEqual([4]);
		expect(server.played.map(({ url }) => url.searchParams.get('after'))).toEqual(['0', '4']);
		expect(tookMs).toBeLessThan(MINUTE_MS + 5_000);
	});
});

/** A server that is unreachable or faulty for a long time must receive fewer and fewer requests. */
describe('a job that can not be followed', () => {
	it('because nothing answers is given up after eight rounds', async () => {
		const server = following({ sockets: refused, answers: { stream: [broken], operation: [broken] } });
		const { error, tookMs } = await play(collect(server.events));
		expect(error).toBeInstanceOf(TransportError);
		expect(askedOf(server)).toEqual({ socket: 8, stream: 8, operation: 8 });
		expect(tookMs).toBeGreaterThan(MINUTE_MS);
		expect(tookMs).toBeLessThan(3 * MINUTE_MS);
		expect(timersLeft()).toBe(0);
	});

	it('because nothing answers in time is given up too', async () => {
		const server = following({ sockets: () => {}, answers: { stream: [never], operation: [never] } });
		expect((await play(collect(server.events))).error).toBeInstanceOf(TransportError);
		expect(askedOf(server)).toEqual({ socket: 8, stream: 8, operation: 8 });
		expect(timersLeft()).toBe(0);
	});

	it('because all answers are 500 is given up with that', async () => {
		const ill = problem(500, 'Internal');
		const server = following({ answers: { stream: [ill], operation: [ill] } });
		expect((await play(collect(server.events))).error).toMatchObject({ status: 500, code: 'Internal' });
		expect(askedOf(server)).toEqual({ stream: 8, operation: 8 });
	});

	it('because of 429 with Retry-After: 0 for ever is given up, without asking on another transport', async () => {
		const busy = problem(429, 'RateLimited', { 'retry-after': '0' });
		const server = following({ answers: { stream: [busy], operation: [busy] } });
		const { error, tookMs } = await play(collect(server.events));
		expect(error).toMatchObject({ status: 429, code: 'RateLimited' });
		expect(askedOf(server)).toEqual({ stream: 8 });
		expect(tookMs).toBeGreaterThan(MINUTE_MS);
	});

	it.each([401, 403, 404])('because of %i is given up at once', async (status) => {
		const server = following({ sockets: refused, answers: { stream: [problem(status, 'No')] } });
		expect((await play(collect(server.events))).error).toMatchObject({ status });
		expect(askedOf(server)).toEqual({ socket: 1, stream: 1 });
	});

	it('any more, because it was purged in the middle, says so', async () => {
		const server = following({
			sockets: (socket, nth) => (nth === 1 ? socket.opens().tells(ACCEPTED).closes(1006) : socket.closes(1006)),
			answers: { stream: [problem(410, 'JobPurged')] },
		});
		expect((await play(collect(server.events))).error).toBeInstanceOf(JobGoneError);
		expect(askedOf(server)).toEqual({ socket: 2, stream: 1 });
	});

	it('behind a login page is followed on when the page is gone', async () => {
		const page = () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
		const answers = {
			operation: [json(document(1, 'pending')), page, page, page, json(document(4, 'succeeded'))],
			page: [json({ events: [ACCEPTED] }), json({ events: [SUCCEEDED] })],
		};
		const server = following({ answers, options: { transports: ['polling'] } });
		expect((await play(collect(server.events))).value).toEqual([1, 4]);
		expect(server.count('operation')).toBe(5);
	});

	it('for half a minute is followed on afterwards', async () => {
		let isAway = true;
		const server = following({
			sockets: (socket) => {
				if (isAway) socket.closes(1006);
				else socket.opens().tells(SUCCEEDED).closes(1000);
			},
			answers: { stream: [broken], operation: [broken] },
		});
		const reading = collect(server.events);
		await play(reading, 30_000);
		isAway = false;
		expect((await play(reading)).value).toEqual([4]);
	});
});

describe('a server that never comes to an end', () => {
	it('polled, with Retry-After: 0 and nothing new, is asked ever more slowly', async () => {
		const again = json(document(1, 'pending'), { headers: { 'retry-after': '0' } });
		const answers = { operation: [again], page: [json({ events: [ACCEPTED], lastSeq: 1 })] };
		const server = following({ answers, options: { transports: ['polling'] } });
		await play(collect(server.events), 10 * MINUTE_MS);
		expect(server.count('page')).toBe(1);
		const times = server.timesOf('operation');
		const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
		expect(waits.slice(0, 7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
		expect(new Set(waits.slice(7))).toEqual(new Set([30_000]));
		await server.events.return();
		expect(timersLeft()).toBe(0);
	});

	it('polled without holding its answers, is asked when it says, and left to hold its answer once the job is known', async () => {
		const again = json(document(1, 'pending'), { headers: { 'retry-after': '6' } });
		const same = new Response(null, { status: 304, headers: { 'retry-after': '3' } });
		const answers = {
			operation: [again, same, json(document(4, 'succeeded'))],
			page: [json({ events: [ACCEPTED], lastSeq: 1 }), json({ events: [SUCCEEDED], lastSeq: 4 })],
		};
		const server = following({ answers, options: { transports: ['polling'] } });
		expect((await play(collect(server.events))).value).toEqual([1, 4]);
		// A held response needs no wait before it. Only a server that answers at once without news is polled after `Retry-After`.
		expect(server.timesOf('operation')).toEqual([0, 500, 3_500]);
		const conditions = server.asked
			.filter(({ what }) => what === 'operation')
			.map(({ headers }) => [headers.get('if-none-match'), headers.get('prefer')]);
		expect(conditions).toEqual([
			[null, null],
			['"1"', 'wait=20'],
			['"1"', 'wait=20'],
		]);
	});

	it('that holds its answers is asked again at once, whatever it says', async () => {
		const held = (ms: number, answer: () => Response) => () =>
			new Promise<Response>((resolve) => setTimeout(() => resolve(answer()), ms));
		const headers = { 'retry-after': '60' };
		const answers = {
			operation: [
				json(document(1, 'pending'), { headers }),
				held(20_000, () => new Response(null, { status: 304, headers })),
				held(7_000, () => json(document(2, 'running'), { headers })),
				held(3_000, () => json(document(4, 'succeeded'))),
			],
			page: [[ACCEPTED], [STARTED], [SUCCEEDED]].map((events) => json({ events })),
		};
		const server = following({ answers, options: { transports: ['polling'] } });
		expect((await play(collect(server.events))).value).toEqual([1, 2, 4]);
		expect(server.timesOf('operation')).toEqual([0, 500, 20_500, 27_500]);
	});

	it('is asked to hold its answer also by a reader who came with a cursor', async () => {
		const same = () => json(document(1, 'pending'), { headers: { 'retry-after': '30' } });
		const held = () =>
			new Promise<Response>((resolve) => setTimeout(() => resolve(json(document(4, 'succeeded'))), 5_000));
		const server = scripted({
			answers: { operation: [same, held], page: [json({ events: [SUCCEEDED] })] },
			options: { transports: ['polling'] },
		});
		const { value, tookMs } = await play(collect(server.client.job(JOB_URL).events({ after: 1 })));
		expect(value).toEqual([4]);
		expect(tookMs).toBeLessThan(7_000);
		expect(server.asked.map(({ headers }) => headers.get('prefer'))).toEqual([null, 'wait=20', null]);
	});

	it.each([
		['a socket that tells the same and closes', (socket) => void socket.opens().tells(ACCEPTED).closes(1000)],
		['a socket that tells the same and breaks', (socket) => void socket.opens().tells(ACCEPTED).closes(1006)],
	] satisfies [string, Script['sockets']][])('with %s is visited ever more rarely', async (_, sockets) => {
		const server = following({ sockets });
		await play(collect(server.events), 10 * MINUTE_MS);
		expect(server.played.length).toBeGreaterThan(15);
		expect(server.played.length).toBeLessThan(30);
		await server.events.return();
		expect(server.played.every(({ isClosed }) => isClosed)).toBe(true);
		expect(timersLeft()).toBe(0);
	});

	it('with streams that end as soon as they begin is visited ever more rarely', async () => {
		const server = following({ answers: { stream: [() => stream([ACCEPTED])] } });
		await play(collect(server.events), 10 * MINUTE_MS);
		expect(server.count('stream')).toBeLessThan(30);
		await server.events.return();
	});
});

describe('what no Coatcheck says', () => {
	const odd: [string, unknown][] = [
		['a job with an unknown status', event(2, 'exploded', 'progress')],
		['a frame that is no JSON', 'hello?'],
		['an event without a number', { type: 'progress', job: document(2, 'running') }],
		['an event without a job', { seq: 2, type: 'progress' }],
	];

	it.each(odd)('%s, by socket, is a ProtocolError', async (_, frame) => {
		const server = following({ sockets: (socket) => socket.opens().tells(ACCEPTED, frame) });
		expect((await play(collect(server.events))).error).toBeInstanceOf(ProtocolError);
		expect(server.played).toHaveLength(1);
		expect(server.played[0]?.isClosed).toBe(true);
		expect(timersLeft()).toBe(0);
	});

	it.each(odd.slice(0, 1))('%s, in a stream, is a ProtocolError', async (_, data) => {
		const server = following({ answers: { stream: [stream([data], 'is silent')] } });
		expect((await play(collect(server.events))).error).toBeInstanceOf(ProtocolError);
		expect(server.count('stream')).toBe(1);
		expect(timersLeft()).toBe(0);
	});

	it('is told apart from what a newer one might: an unknown type is left out, an unknown phase is not', async () => {
		const newer = { ...PROGRESS, job: document(3, 'running', { phase: 'meditating', mood: 'calm' }) };
		const server = following({
			sockets: (socket) =>
				socket
					.opens()
					.tells(ACCEPTED, event(2, 'running', 'pondering'), newer, SUCCEEDED)
					.closes(1000),
		});
		expect((await play(collect(server.events))).value).toEqual([1, 3, 4]);
	});
});

describe('a result', () => {
	const RESULT = () => json({ answer: 42 });
	const ended = (last: unknown) => (socket: PlayedSocket) => socket.opens().tells(last).closes(1000);

	it('is fetched once, when the job has succeeded, and leaves nothing behind', async () => {
		const server = scripted({ sockets: ended(SUCCEEDED), answers: { result: [RESULT] } });
		expect((await play(server.client.job(JOB_URL).result())).value).toEqual({ answer: 42 });
		expect(askedOf(server)).toEqual({ socket: 1, result: 1 });
		expect(server.played[0]).toMatchObject({ isClosed: true });
		expect(timersLeft()).toBe(0);
	});

	it('is not asked for when the job has none', async () => {
		const server = scripted({ sockets: ended(event(4, 'canceled')) });
		expect((await play(server.client.job(JOB_URL).result())).error).toBeInstanceOf(JobCanceledError);
		expect(askedOf(server)).toEqual({ socket: 1 });
	});

	it('of a failed job is its error, with all that it says', async () => {
		const error = { code: 'TooBig', message: 'Too big', details: [{ max: 3 }], retryable: true };
		const failed = { ...event(4, 'failed'), job: document(4, 'failed', { error }) };
		const server = scripted({ sockets: ended(failed) });
		expect((await play(server.client.job(JOB_URL).result())).error).toMatchObject({ name: 'JobFailedError', ...error });
	});

	it('is tried again when the server stumbles, or breaks off', async () => {
		const cut = () =>
			new Response(new ReadableStream({ pull: (to) => to.error(new TypeError('reset')) }), {
				headers: { 'content-type': 'application/json' },
			});
		const server = scripted({
			sockets: ended(SUCCEEDED),
			answers: { result: [problem(500, 'Internal'), cut, RESULT] },
		});
		expect((await play(server.client.job(JOB_URL).result())).value).toEqual({ answer: 42 });
		expect(server.count('result')).toBe(3);
	});

	it('is expired when the job was kept no longer', async () => {
		const server = scripted({ sockets: ended(SUCCEEDED), answers: { result: [problem(410, 'JobExpired')] } });
		expect((await play(server.client.job(JOB_URL).result())).error).toMatchObject({
			name: 'JobGoneError',
			reason: 'expired',
		});
		expect(server.count('result')).toBe(1);
	});

	it('that is not waited for any longer leaves nothing behind', async () => {
		const server = scripted({ sockets: (socket) => void socket.opens().tells(STARTED) });
		const result = server.client.job(JOB_URL).result({ signal: timeoutSignal(5_000) });
		const { error, tookMs } = await play(result);
		expect(error).toMatchObject({ message: 'no longer' });
		expect(tookMs).toBeLessThan(5_100);
		expect(server.played[0]).toMatchObject({ isClosed: true });
		expect(timersLeft()).toBe(0);
	});
});

describe('letting go', () => {
	const ways: [string, Script, string][] = [
		['a socket that is silent', { sockets: (socket) => void socket.opens().tells(ACCEPTED) }, 'socket'],
		['a socket that never opens', { sockets: () => {} }, 'socket'],
		['a stream that is silent', { answers: { stream: [() => stream([ACCEPTED], 'is silent')] } }, 'stream'],
		['a stream that never begins', { answers: { stream: [never] } }, 'stream'],
		['a long poll', { answers: { operation: [never] }, options: { transports: ['polling'] } }, 'operation'],
		['the wait between two tries', { answers: { stream: [broken], operation: [broken] } }, 'stream'],
	];

	it.each(ways)('of %s ends it at once, by return', async (_, script) => {
		const server = following(script);
		const reading = collect(server.events);
		await pass(100);
		expect(server.asked.length + server.played.length).toBeGreaterThan(0);
		await play(server.events.return(), 1_000);
		await expect(reading).resolves.toBeDefined();
		expectNothingLeft(server);
	});

	it.each(ways)('of %s ends it at once, by signal', async (_, script) => {
		const server = scripted(script);
		const abort = new AbortController();
		const reading = collect(server.client.job(JOB_URL).events({ signal: abort.signal }));
		await pass(100);
		abort.abort(new Error('enough'));
		expect((await play(reading, 1_000)).error).toEqual(new Error('enough'));
		expectNothingLeft(server);
	});

	it('before it began asks for nothing', async () => {
		const server = following({ sockets: () => {}, answers: { stream: [broken] } });
		await server.events.return();
		expect(await server.events.next()).toEqual({ done: true, value: undefined });
		const job = server.client.job(JOB_URL);
		const signal = AbortSignal.abort(new Error('never mind'));
		for (const use of [
			job.result({ signal }),
			job.status({ signal }),
			job.cancel({ signal }),
			job.events({ signal }).next(),
		])
			await expect(use).rejects.toThrow('never mind');
		expect(askedOf(server)).toEqual({});
	});
});

function expectNothingLeft({ asked, played }: ReturnType<typeof scripted>): void {
	const before = asked.length + played.length;
	expect(timersLeft()).toBe(0);
	expect(played.every(({ isClosed }) => isClosed)).toBe(true);
	expect(asked.length + played.length).toBe(before);
}

/** `AbortSignal.timeout` on the test's clock. */
function timeoutSignal(ms: number): AbortSignal {
	const abort = new AbortController();
	setTimeout(() => abort.abort(new Error('no longer')), ms);
	return abort.signal;
}
