/** Independent readers from npm, unmodified: `eventsource` and `reconnecting-websocket`. */
import { EventSource } from 'eventsource';
import ReconnectingWebSocket from 'reconnecting-websocket';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { complete, heldJob, type JobEvent, sleepJob, submit } from './jobs.ts';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
	server = await startServer();
});
afterAll(() => server.stop());

const TYPES = ['snapshot', 'accepted', 'started', 'progress', 'retrying', 'succeeded', 'failed', 'canceled'];
const lifecycle = (events: readonly JobEvent[]) => events.map(({ type }) => type).filter((type) => type !== 'progress');

describe('eventsource', () => {
	it('is told every event, comes again by itself after the last, and is then stopped by a 204', async () => {
		const job = await submit(server.origin, sleepJob({ seconds: 0.5, steps: 1, failAttempts: 1 }));
		const answers: number[] = [];
		const events: JobEvent[] = [];
		const source = new EventSource(`${job.links.events}&after=0`, {
			fetch: async (url, init) => {
				const response = await fetch(url, init);
				answers.push(response.status);
				return response;
			},
		});
		for (const type of TYPES) {
			source.addEventListener(type, ({ data }) => {
				events.push(JSON.parse(String(data)) as JobEvent);
			});
		}
		await vi.waitFor(() => expect(source.readyState).toBe(EventSource.CLOSED), { timeout: 15_000, interval: 50 });
		expect(answers).toEqual([200, 204]);
		expect(lifecycle(events)).toEqual(['accepted', 'started', 'retrying', 'started', 'succeeded']);
		expect(new Set(events.map(({ seq }) => seq)).size).toBe(events.length);
	});
});

describe('reconnecting-websocket', () => {
	it('goes on from its cursor when the connection is cut, and misses and repeats nothing', async () => {
		const job = await submit(server.origin, heldJob());
		const events: JobEvent[] = [];
		let connections = 0;
		const socket = new ReconnectingWebSocket(
			() => {
				connections++;
				return `${job.links.socket}&after=${events.at(-1)?.seq ?? 0}`;
			},
			[],
			{ WebSocket, minReconnectionDelay: 50, maxReconnectionDelay: 100, connectionTimeout: 30_000 },
		);
		socket.addEventListener('message', ({ data }) => {
			const event = JSON.parse(String(data)) as JobEvent;
			events.push(event);
			if (event.type === 'succeeded') socket.close();
		});
		const told = (type: string) => vi.waitFor(() => expect(events.map((event) => event.type)).toContain(type));
		await told('started');
		socket.reconnect();
		await complete(job);
		await told('succeeded');
		expect(connections).toBe(2);
		expect(lifecycle(events)).toEqual(['accepted', 'started', 'succeeded']);
		expect(new Set(events.map(({ seq }) => seq)).size).toBe(events.length);
	});
});

describe('one reader', () => {
	it('can start on the stream and go on on the socket, missing and repeating nothing', async () => {
		const job = await submit(server.origin, sleepJob({ seconds: 1, steps: 1, failAttempts: 1 }));
		const source = new EventSource(`${job.links.events}&after=0`);
		const first = await new Promise<JobEvent>((resolve) => {
			source.addEventListener('started', ({ data }) => resolve(JSON.parse(String(data)) as JobEvent));
		});
		source.close();
		const socket = new WebSocket(`${job.links.socket}&after=${first.seq}`);
		const rest: JobEvent[] = [];
		socket.on('message', (data) => {
			rest.push(JSON.parse(String(data)) as JobEvent);
		});
		await vi.waitFor(() => expect(rest.at(-1)?.type).toBe('succeeded'), { timeout: 15_000, interval: 50 });
		socket.terminate();
		expect(lifecycle(rest)).toEqual(['retrying', 'started', 'succeeded']);
		expect(rest.every(({ seq }) => seq > first.seq)).toBe(true);
	});
});
