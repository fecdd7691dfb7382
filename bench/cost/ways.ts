/** The ordinary paths: a client's requests for one job, from submission to result. */
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface Way {
	readonly name: string;
	/** The client's requests. */
	readonly what: string;
	/** Number of jobs submitted together. Default: one. */
	readonly jobs?: number;
	/** Bytes that a job stores besides its record. */
	readonly payloadBytes?: number;
	/** The target for a million jobs, in dollars. `test/flow/budget.test.ts` holds those that it can count. */
	readonly mostDollars?: number;
	go(place: Place): Promise<void>;
}

export interface Place {
	readonly origin: string;
	/** `told` resolves when the webhook receiver has been called for a job. */
	readonly hook: { readonly url: string; told(id: string): Promise<void> };
}

interface Document {
	readonly id: string;
	readonly status: string;
	readonly links: Readonly<Record<'self' | 'operation' | 'result' | 'events' | 'socket', string>>;
}

/** Long enough that a poll right after the submission finds it unfinished. */
const WORK_MS = 250;
/** Time after which a client polls again: the job has ended by then, so that the number of polls is as described. */
export const LATER_MS = 900;
const MIB = 1_048_576;
const BATCH_JOBS = 1_000;
/** Single submissions at 100 a second, for three seconds. */
const STREAM = { jobs: 300, everyMs: 10 } as const;
const JSON_TYPE = { 'content-type': 'application/json' };

export const WAYS: readonly Way[] = [
	{
		name: 'poll, result inline',
		what: 'submit with `onComplete=inline`, one poll too early, one that brings the result',
		mostDollars: 8,
		go: (place) => polled(place, { 'coatcheck-on-complete': 'inline' }),
	},
	{
		name: 'poll, redirect',
		what: 'submit, one poll too early, one that is sent on with 303, the result',
		go: (place) => polled(place),
	},
	{
		name: '100 a second, poll',
		what: 'as "poll, result inline", for 3 s: the second poll comes when all are submitted',
		mostDollars: 6.9,
		jobs: STREAM.jobs,
		go: ({ origin }) => inStream(origin),
	},
	{
		name: 'lane now, poll',
		what: 'as "poll, result inline", with a task of lane `now`',
		mostDollars: 6.6,
		go: (place) => polled(place, { 'coatcheck-on-complete': 'inline' }, 'wait-now'),
	},
	{
		name: 'lane now, one request',
		what: 'as "one request", with a task of lane `now`',
		go: async ({ origin }) => expectOk(await submitRaw(origin, { headers: { prefer: 'wait=20' }, task: 'wait-now' })),
	},
	{
		name: 'one request',
		what: 'submit with `Prefer: wait=20`: the answer is the result',
		go: async ({ origin }) => expectOk(await submitRaw(origin, { headers: { prefer: 'wait=20' } })),
	},
	{
		name: 'long-poll',
		what: 'submit, one `GET` of the `Location` with `Prefer: wait=20`, the result',
		async go({ origin }) {
			const { links } = await submit(origin);
			await expectOk(await fetch(links.self, { headers: { prefer: 'wait=20' } }));
		},
	},
	{
		name: 'SSE',
		what: 'submit, the stream until it ends, the result',
		async go({ origin }) {
			const { links } = await submit(origin);
			await expectOk(await fetch(links.events, { headers: { accept: 'text/event-stream' } }));
			await expectOk(await fetch(links.result));
		},
	},
	{
		name: 'WebSocket',
		what: 'submit, the socket until it ends, the result',
		async go({ origin }) {
			const { links } = await submit(origin);
			await untilTold(`${links.socket}&after=0`);
			await expectOk(await fetch(links.result));
		},
	},
	{
		name: 'webhook',
		what: 'submit with a webhook, be called, the result',
		async go({ origin, hook }) {
			const { id, links } = await submit(origin, { headers: { 'coatcheck-webhook-url': hook.url } });
			await hook.told(id);
			await expectOk(await fetch(links.result));
		},
	},
	{
		name: 'a failed attempt, then poll',
		what: 'as "poll, result inline", and the first attempt fails',
		async go({ origin }) {
			const body = JSON.stringify({ seconds: 0, steps: 1, failAttempts: 1 });
			const headers = { ...JSON_TYPE, 'coatcheck-on-complete': 'inline' };
			const response = await fetch(`${origin}/v1/tasks/sleep/jobs`, { method: 'POST', headers, body });
			const { links } = (await response.json()) as Document;
			await expectOk(await fetch(links.self));
			await wait(LATER_MS + 2_500);
			await expectOk(await fetch(links.self));
		},
	},
	{
		name: '1,000 in one batch',
		what: "submit a batch of 1,000, ask how it is whenever `Retry-After` says, then each job's result",
		mostDollars: 5,
		jobs: BATCH_JOBS,
		go: ({ origin }) => inBatch(origin),
	},
	{
		name: '1 MB in and out, poll',
		what: 'as "poll, redirect", with 1 MB of input and of result',
		payloadBytes: 2 * MIB,
		async go({ origin }) {
			const response = await fetch(`${origin}/v1/tasks/echo/jobs`, {
				method: 'POST',
				headers: { 'content-type': 'application/octet-stream' },
				body: new Uint8Array(MIB),
			});
			const { links } = (await response.json()) as Document;
			await expectOk(await fetch(links.operation));
			await wait(LATER_MS);
			await expectOk(await fetch(links.self));
		},
	},
];

export interface WatcherWay {
	readonly name: string;
	/** Watches a job until it ends. */
	watch(links: Document['links']): Promise<void>;
}

export const WATCHERS: readonly WatcherWay[] = [
	{ name: 'WebSocket', watch: ({ socket }) => untilTold(socket) },
	{
		name: 'SSE',
		watch: async ({ events }) => expectOk(await fetch(events, { headers: { accept: 'text/event-stream' } })),
	},
	{
		name: 'long-poll',
		watch: async ({ operation }) => expectOk(await fetch(operation, { headers: { prefer: 'wait=20' } })),
	},
	{ name: 'poll, once', watch: async ({ operation }) => expectOk(await fetch(operation)) },
];

export interface Submission {
	readonly headers?: Record<string, string> | undefined;
	/** Duration of the work. Default: `WORK_MS`. */
	readonly ms?: number | undefined;
	/** Default: `wait`. */
	readonly task?: string | undefined;
}

export async function submit(origin: string, { headers, ms, task }: Submission = {}): Promise<Document> {
	const response = await submitRaw(origin, { headers, ms, task });
	if (response.status !== 202) throw new Error(`Expected 202, got ${response.status}: ${await response.text()}`);
	return (await response.json()) as Document;
}

function submitRaw(origin: string, { headers, ms = WORK_MS, task = 'wait' }: Submission): Promise<Response> {
	return fetch(`${origin}/v1/tasks/${task}/jobs`, {
		method: 'POST',
		headers: { ...JSON_TYPE, ...headers },
		body: JSON.stringify({ ms }),
	});
}

async function polled({ origin }: Place, headers: Record<string, string> = {}, task?: string): Promise<void> {
	const { links } = await submit(origin, { headers, task });
	await expectOk(await fetch(links.self));
	await wait(LATER_MS);
	await expectOk(await fetch(links.self));
}

export async function expectOk(response: Response): Promise<void> {
	const body = await response.text();
	if (!response.ok) throw new Error(`Expected 2xx, got ${response.status}: ${body}`);
}

function untilTold(url: string): Promise<void> {
	const socket = new WebSocket(url);
	return new Promise((resolve, reject) => {
		socket.once('error', reject);
		socket.on('message', (data) => {
			if (!String(data).includes('"type":"succeeded"')) return;
			resolve();
			socket.terminate();
		});
	});
}

/** Submits at a steady rate, however long the responses take, and polls each job once at once and once at the end. */
async function inStream(origin: string): Promise<void> {
	const beganAt = performance.now();
	const answered = Array.from({ length: STREAM.jobs }, async (_, index) => {
		await wait(index * STREAM.everyMs);
		const { links } = await submit(origin, { headers: { 'coatcheck-on-complete': 'inline' } });
		await expectOk(await fetch(links.self));
		return links.self;
	});
	const polls = await Promise.all(answered);
	console.log(`  ${((STREAM.jobs * 1_000) / (performance.now() - beganAt)).toFixed(0)} a second were answered`);
	await wait(LATER_MS);
	for (const self of polls) await expectOk(await fetch(self));
}

async function inBatch(origin: string): Promise<void> {
	const options = { onComplete: 'inline' };
	const jobs = Array.from({ length: BATCH_JOBS }, () => ({ task: 'wait', input: { ms: WORK_MS }, options }));
	const response = await fetch(`${origin}/v1/batches`, {
		method: 'POST',
		headers: JSON_TYPE,
		body: JSON.stringify({ jobs }),
	});
	const batch = (await response.json()) as { jobs: readonly Document[]; links: Document['links'] };
	for (let again = response; again.headers.has('retry-after'); again = await look(batch.links.self))
		await wait(Number(again.headers.get('retry-after')) * 1_000);
	for (const { links } of batch.jobs) await expectOk(await fetch(links.self));
}

async function look(url: string): Promise<Response> {
	const response = await fetch(url);
	await expectOk(response);
	return response;
}
