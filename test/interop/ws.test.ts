import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import {
	cancel,
	cancelAndPurge,
	complete,
	heldJob,
	type JobEvent,
	linksForWorker,
	reportTo,
	type StatusDocument,
	sleepJob,
	statusOf,
	submit,
	until,
} from './jobs.ts';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
	server = await startServer();
	return () => server.stop();
});

/** A job that starts in a minute, so that nothing happens while a test checks its socket. */
const DELAYED = sleepJob({ seconds: 0 }, { delaySeconds: 60 });
const ALL = 0;

/**
 * The server sends its close frame at once. The local runtime then keeps the connection until the object is evicted
 * from memory, ten seconds later, and only then does `ws` report the close. This is how long `ws` waits; the code
 * is that of the frame in any case.
 */
type Options = ClientOptions & { readonly closeTimeout: number };
const OPTIONS: Options = { closeTimeout: 3_000 };
/** For the server's answer to a close frame, which an impatient `ws` would not know. */
const PATIENT: Options = { closeTimeout: 30_000 };

/** A socket and everything that it received. */
class Watcher {
	readonly socket: WebSocket;
	readonly events: JobEvent[] = [];
	/** Messages that are not events. */
	readonly words: string[] = [];
	readonly opened: Promise<void>;
	/** The close code. */
	readonly closed: Promise<number>;

	constructor({ links }: StatusDocument, after?: number, protocols: string[] = [], options = OPTIONS) {
		const url = new URL(links.socket);
		if (after !== undefined) url.searchParams.set('after', String(after));
		this.socket = new WebSocket(url, protocols, options);
		this.opened = new Promise((resolve, reject) => {
			this.socket.once('open', resolve).once('error', reject);
		});
		this.closed = new Promise((resolve) => {
			this.socket.once('close', resolve);
		});
		this.socket.on('message', (data, isBinary) => {
			expect(isBinary).toBe(false);
			const word = String(data);
			if (word.startsWith('{')) this.events.push(JSON.parse(word) as JobEvent);
			else this.words.push(word);
		});
	}

	get lastSeq(): number {
		return this.events.at(-1)?.seq ?? 0;
	}

	/** Waits until it has received an event of this type. */
	told(type: string): Promise<void> {
		return vi.waitFor(() => expect(typesOf(this.events)).toContain(type), { timeout: 15_000, interval: 20 });
	}
}

function typesOf(events: readonly JobEvent[]): string[] {
	return events.map(({ type }) => type);
}

function lifecycleOf(events: readonly JobEvent[]): JobEvent[] {
	return events.filter(({ type }) => type !== 'progress' && type !== 'snapshot');
}

/** The response of the server that rejects a socket. */
async function refusalOf(url: URL | string): Promise<{ status: number | undefined; problem: unknown }> {
	const socket = new WebSocket(url, 'coatcheck.v1');
	const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; problem: unknown }>();
	socket.once('open', () => reject(new Error('The socket was opened')));
	socket.once('error', reject);
	socket.once('unexpected-response', (_request, response) => {
		text(response).then((body) => resolve({ status: response.statusCode, problem: JSON.parse(body) }), reject);
	});
	return promise.finally(() => socket.terminate());
}

describe('a socket of ws', { concurrent: true }, () => {
	it('is told what happens as it happens, and closed with 1000 after the last event', async () => {
		const document = await submit(server.origin, heldJob());
		const watcher = new Watcher(document);
		await watcher.opened;
		const links = await linksForWorker(document);
		await reportTo(links.progress, { percentComplete: 70 });
		await watcher.told('progress');
		expect(typesOf(watcher.events)).not.toContain('succeeded');
		await reportTo(links.complete, {});
		expect(await watcher.closed).toBe(1000);
		expect(watcher.events[0]).toMatchObject({ type: 'snapshot', job: { id: document.id } });
		expect(watcher.events.at(-1)).toMatchObject({ type: 'succeeded', job: { status: 'succeeded' } });
		const seqs = watcher.events.map(({ seq }) => seq);
		expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
	});

	it('speaks coatcheck.v1 when that is among what it offers, and nothing by name when it offers nothing', async () => {
		const document = await submit(server.origin, DELAYED);
		const offers = [['coatcheck.v1'], ['something.else', 'coatcheck.v1'], []];
		const watchers = offers.map((protocols) => new Watcher(document, ALL, protocols));
		await Promise.all(watchers.map(({ opened }) => opened));
		expect(watchers.map(({ socket }) => socket.protocol)).toEqual(['coatcheck.v1', 'coatcheck.v1', '']);
		await cancel(document);
		expect(await Promise.all(watchers.map(({ closed }) => closed))).toEqual([1000, 1000, 1000]);
	});

	it('is answered pong to ping, and every ping of the protocol too', async () => {
		const document = await submit(server.origin, DELAYED);
		const watcher = new Watcher(document);
		await watcher.opened;
		watcher.socket.send('ping');
		watcher.socket.send('ping');
		await vi.waitFor(() => expect(watcher.words).toEqual(['pong', 'pong']));
		const pong = new Promise((resolve) => watcher.socket.once('pong', (data) => resolve(String(data))));
		watcher.socket.ping('still there?');
		expect(await pong).toBe('still there?');
		await cancel(document);
		expect(await watcher.closed).toBe(1000);
		expect(watcher.words).toEqual(['pong', 'pong']);
	});

	it('that was cut in mid-job goes on after the last event it had: nothing is missed, nothing comes twice', async () => {
		const document = await submit(server.origin, heldJob());
		const first = new Watcher(document, ALL);
		await first.told('started');
		first.socket.terminate();
		expect(await first.closed).toBe(1006);
		await reportTo((await linksForWorker(document)).fail, { code: 'Once', message: 'The first attempt fails' });
		await complete(document);
		const second = new Watcher(document, first.lastSeq);
		expect(await second.closed).toBe(1000);
		// Events in flight when the socket was cut may have arrived as well.
		expect(typesOf(lifecycleOf(first.events)).slice(0, 2)).toEqual(['accepted', 'started']);
		const lifecycle = lifecycleOf([...first.events, ...second.events]);
		expect(typesOf(lifecycle)).toEqual(['accepted', 'started', 'retrying', 'started', 'succeeded']);
		const seqs = lifecycle.map(({ seq }) => seq);
		expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
		expect(second.events.every(({ seq }) => seq > first.lastSeq)).toBe(true);
	});

	it('that was cut again and again has the same events in the end as one that never was', async () => {
		const document = await submit(server.origin, sleepJob({ seconds: 0.4, steps: 2, failAttempts: 2 }));
		const steady = new Watcher(document, ALL);
		const events: JobEvent[] = [];
		for (let isOver = false; !isOver; ) {
			const watcher = new Watcher(document, events.at(-1)?.seq ?? ALL);
			const isClosed = watcher.closed.then(() => true);
			watcher.socket.once('message', () => watcher.socket.terminate());
			isOver = (await isClosed) && watcher.events.at(-1)?.type === 'succeeded';
			events.push(...watcher.events);
		}
		expect(await steady.closed).toBe(1000);
		expect(lifecycleOf(events).map(({ seq, type }) => [seq, type])).toEqual(
			lifecycleOf(steady.events).map(({ seq, type }) => [seq, type]),
		);
	});

	it('that takes leave itself is let go with the code that it gave', async () => {
		const document = await submit(server.origin, DELAYED);
		const watcher = new Watcher(document, undefined, [], PATIENT);
		await watcher.opened;
		watcher.socket.close(4001, 'seen enough');
		expect(await watcher.closed).toBe(4001);
		expect((await statusOf(document)).status).toBe('pending');
	});

	it('that comes when the job is over is told the rest, if there is any, and closed', async () => {
		const document = await submit(server.origin, sleepJob({ seconds: 0 }));
		await until(document, 'succeeded');
		const all = new Watcher(document, ALL);
		expect(await all.closed).toBe(1000);
		expect(typesOf(lifecycleOf(all.events))).toEqual(['accepted', 'started', 'succeeded']);
		const none = new Watcher(document, all.lastSeq);
		expect(await none.closed).toBe(1000);
		expect(none.events).toEqual([]);
	});

	it('is one of fifty on a job, and all are told the same', async () => {
		const document = await submit(server.origin, sleepJob({ seconds: 300, steps: 100 }));
		const watchers = Array.from({ length: 50 }, () => new Watcher(document, ALL));
		await Promise.all(watchers.map(({ opened }) => opened));
		for (const watcher of watchers) watcher.events.length = 0;
		await Promise.all(watchers.map((watcher) => watcher.told('progress')));
		expect(await cancel(document)).toBe(202);
		expect(new Set(await Promise.all(watchers.map(({ closed }) => closed)))).toEqual(new Set([1000]));
		const last = watchers.map(({ events }) => events.at(-1));
		expect(last[0]).toMatchObject({ type: 'canceled', job: { id: document.id, status: 'canceled' } });
		expect(last).toEqual(watchers.map(() => last[0]));
	});
});

describe('a socket of ws is refused', { concurrent: true }, () => {
	it('with 404 for a job that nobody knows', async () => {
		const url = `${server.origin.replace('http', 'ws')}/v1/jobs/${'0'.repeat(64)}/socket`;
		expect(await refusalOf(url)).toMatchObject({ status: 404, problem: { status: 404, code: 'JobNotFound' } });
	});

	it('with 401 when its token is forged', async () => {
		const { links } = await submit(server.origin, DELAYED);
		const url = new URL(links.socket);
		const [head, claims] = (url.searchParams.get('token') ?? '').split('.');
		url.searchParams.set('token', `${head}.${claims}.${'A'.repeat(43)}`);
		expect(await refusalOf(url)).toMatchObject({ status: 401, problem: { status: 401, code: 'Unauthorized' } });
	});

	it("with 401 when its token is another job's", async () => {
		const [one, other] = await Promise.all([submit(server.origin, DELAYED), submit(server.origin, DELAYED)]);
		const url = one.links.socket.replace(one.id, other.id);
		expect(await refusalOf(url)).toMatchObject({ status: 401, problem: { status: 401, code: 'Unauthorized' } });
	});

	it('with 410 when the job was purged', async () => {
		const document = await submit(server.origin, DELAYED);
		await cancelAndPurge(server.origin, document);
		const { socket } = document.links;
		expect(await refusalOf(socket)).toMatchObject({ status: 410, problem: { status: 410, code: 'JobPurged' } });
	});

	it('with 400 when its cursor is no number', async () => {
		const { links } = await submit(server.origin, DELAYED);
		const url = `${links.socket}&after=yesterday`;
		expect(await refusalOf(url)).toMatchObject({ status: 400, problem: { errors: [{ parameter: 'after' }] } });
	});
});
