/** One log of events with one numbering, for every reader, transport and starting point. */

import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../../src/client/index.ts';
import { type JobEvent, type StatusDocument, sleepJob, submit, until } from './jobs.ts';
import { type Server, startServer } from './server.ts';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

let server: Server;
let receiver: WebhookReceiver;
beforeAll(async () => {
	[server, receiver] = await Promise.all([startServer(), startWebhookReceiver()]);
});
afterAll(async () => {
	receiver.stop();
	await server.stop();
});

const LIFECYCLE = ['accepted', 'started', 'retrying', 'succeeded', 'failed', 'canceled'];

/** The events that a reader received: each lifecycle event with its number. */
const told = (events: readonly Pick<JobEvent, 'seq' | 'type'>[]) =>
	events.filter(({ type }) => LIFECYCLE.includes(type)).map(({ seq, type }) => `${seq} ${type}`);

/** Reads from the first event to the last. */
type Reader = (job: StatusDocument) => Promise<string[]>;

const READERS: Record<string, Reader> = {
	stream: ({ links }) =>
		new Promise((resolve) => {
			const events: JobEvent[] = [];
			const source = new EventSource(`${links.events}&after=0`);
			for (const type of [...LIFECYCLE, 'progress']) {
				source.addEventListener(type, ({ data }) => {
					events.push(JSON.parse(String(data)) as JobEvent);
					if (type !== 'succeeded') return;
					source.close();
					resolve(told(events));
				});
			}
		}),
	socket: ({ links }) =>
		new Promise((resolve) => {
			const events: JobEvent[] = [];
			const socket = new WebSocket(`${links.socket}&after=0`, 'coatcheck.v1');
			socket.on('message', (data) => {
				const event = JSON.parse(String(data)) as JobEvent;
				events.push(event);
				if (event.type !== 'succeeded') return;
				socket.terminate();
				resolve(told(events));
			});
		}),
	'page of events': async (job) => {
		await until(job, 'succeeded');
		const page = (await (await fetch(`${job.links.events}&after=0`)).json()) as { events: JobEvent[] };
		return told(page.events);
	},
	'page after page': async ({ links }) => {
		const events: JobEvent[] = [];
		for (let etag = '"0"'; events.at(-1)?.type !== 'succeeded'; ) {
			// The long-poll ends when there is a new event.
			const response = await fetch(links.operation, { headers: { prefer: 'wait=20', 'if-none-match': etag } });
			await response.body?.cancel();
			if (response.status === 200) etag = response.headers.get('etag') ?? etag;
			const after = events.at(-1)?.seq ?? 0;
			const page = (await (await fetch(`${links.events}&after=${after}`)).json()) as { events: JobEvent[] };
			events.push(...page.events);
		}
		return told(events);
	},
	'our client': async ({ links }) => {
		const events: Pick<JobEvent, 'seq' | 'type'>[] = [];
		for await (const event of createClient({ baseUrl: server.origin }).job(links.self).events()) events.push(event);
		return told(events);
	},
};

/** The webhook messages of one job, in the order of their numbers; they may arrive in another order. */
async function toldByWebhook({ id }: StatusDocument, count: number): Promise<string[]> {
	const mine = await vi.waitFor(
		() => {
			// At least once.
			const messages = receiver.messages.filter(({ headers }) => headers['webhook-id']?.startsWith(id));
			const byId = new Map(messages.map((message) => [message.headers['webhook-id'], message]));
			expect(byId.size).toBe(count);
			return [...byId.values()];
		},
		{ timeout: 15_000, interval: 50 },
	);
	const events = mine.map(({ headers, body }) => ({
		seq: Number(headers['webhook-id']?.split(':').at(-1)),
		type: (JSON.parse(body) as { type: string }).type.replace('job.', ''),
	}));
	return told(events.sort((a, b) => a.seq - b.seq));
}

describe('one job', () => {
	it('is told alike to readers who come before, during and after it, on every transport', async () => {
		const webhook = { url: receiver.url, events: LIFECYCLE };
		const input = { seconds: 2, steps: 2, failAttempts: 1 };
		const job = await submit(server.origin, sleepJob(input, { delaySeconds: 1, webhook }));
		const read = () => Object.entries(READERS).map(async ([name, reader]) => [name, await reader(job)] as const);
		const before = read();
		await until(job, 'running', 'succeeded');
		const during = read();
		await until(job, 'succeeded');
		const readers = await Promise.all([...before, ...during, ...read()]);
		const [, log = []] = readers[0] ?? [];
		expect(log.map((line) => line.replace(/^\d+ /, ''))).toEqual([
			'accepted',
			'started',
			'retrying',
			'started',
			'succeeded',
		]);
		expect(readers).toHaveLength(15);
		for (const [name, lines] of readers) expect(lines, name).toEqual(log);
		expect(await toldByWebhook(job, log.length)).toEqual(log);
	});
});
