/** The faults of version 0.1.0. Each is a question whose answer is a figure or a word. */
import { randomUUID } from 'node:crypto';
import { type Client, type Document, sleepMs } from './client.ts';
import type { Upstream } from './upstream.ts';

export interface Probe {
	readonly question: string;
	readonly answer: (client: Client, upstream: Upstream) => Promise<string>;
}

const NEIGHBOUR_SECONDS = 15;
/** Parsing reserves four times as much memory, which leaves less than 1 MB of an isolate's limit for JSON. */
const LARGE_JSON_CHARS = 16_700_000;
const PATIENCE_MS = 45_000;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

interface Event {
	readonly type: string;
	readonly at: string;
	readonly job: { readonly nextAttemptAt?: string };
}

async function lateRetry(client: Client): Promise<string> {
	const jobs = [
		{ task: 'sleep', input: { seconds: NEIGHBOUR_SECONDS } },
		{ task: 'sleep', input: { seconds: 0, failAttempts: 1 } },
	];
	const { jobs: places } = (await (await client.post('/v1/batches', { jobs })).json()) as {
		jobs: { links: { self: string } }[];
	};
	const self = places[1]?.links.self ?? '';
	const links = { operation: self.replace('/jobs/', '/operations/'), result: '', events: '' };
	await client.ended({ links }, 2 * NEIGHBOUR_SECONDS * 1_000);
	const page = await client.fetch(self.replace('?', '/events?'));
	const { events } = (await page.json()) as { events: Event[] };
	const dueAt = Date.parse(events.find(({ type }) => type === 'retrying')?.job.nextAttemptAt ?? '');
	const startedAt = Date.parse(events.filter(({ type }) => type === 'started')[1]?.at ?? '');
	return seconds(Math.max(0, startedAt - dueAt));
}

async function pollsOfOperation(client: Client, upstream: Upstream): Promise<string> {
	const before = upstream.polls();
	await client.post('/v1/upstreams/async/operation', {}, { 'coatcheck-timeout-seconds': '12' });
	await sleepMs(10_000);
	return String(upstream.polls() - before);
}

/** Makes an object unreachable while its finished attempt reports. */
async function runsWhileAway(client: Client, awayMs: number): Promise<string> {
	await client.fault(['complete', 'completeAttempt'], awayMs);
	const job = await client.submit('runs', {}, { 'coatcheck-timeout-seconds': '30' });
	const { status } = await client.ended(job, awayMs + 60_000);
	const { runs = 0 } = await client.counts();
	await client.fault([], 0);
	return `${runs} × (${status})`;
}

async function connectsWhileAway(client: Client): Promise<string> {
	await client.fault(['fetch'], 60_000);
	await client.submit('runs', { ms: 3_500 });
	await sleepMs(4_000);
	const { fetch: connects = 0 } = await client.counts();
	await client.fault([], 0);
	return String(connects);
}

async function jsonAfterAnEndedHold(client: Client): Promise<string> {
	await client.fault(['readChunk'], 120_000, true);
	const job = await client.submit('swallow', 'x'.repeat(LARGE_JSON_CHARS));
	await client.ended(job, 30_000);
	await sleepMs(1_000);
	const from = Date.now();
	const init = { signal: AbortSignal.timeout(PATIENCE_MS) };
	const body = JSON.stringify({ text: 'x'.repeat(1_000_000) });
	const headers = { 'content-type': 'application/json' };
	const answer = await client
		.fetch('/v1/tasks/swallow/jobs', { method: 'POST', headers, body, ...init })
		.then(({ status }) => `${status} after ${seconds(Date.now() - from)}`)
		.catch(() => `no answer in ${seconds(PATIENCE_MS)}`);
	await client.fault([], 0);
	return answer;
}

async function goodRequestAfterErrors(client: Client): Promise<string> {
	for (let job = 0; job < 2; job++) await client.fetch('/v1/upstreams/shared/bad');
	await sleepMs(12_000);
	const from = Date.now();
	const job = (await (await client.fetch('/v1/upstreams/shared/fine')).json()) as Document;
	const { status } = await client.ended(job, 90_000);
	return `${status} after ${seconds(Date.now() - from)}`;
}

async function sizeOfDocument(client: Client): Promise<string> {
	const job = await client.submit('sleep', { seconds: 0 });
	await client.ended(job, 20_000);
	const text = await (await client.fetch(job.links.operation)).text();
	const token = new URL(job.links.operation).searchParams.get('token') ?? '';
	return `${Buffer.byteLength(text)} bytes, token ${token.length}`;
}

async function keyAtUpstream(client: Client, upstream: Upstream): Promise<string> {
	const key = randomUUID();
	const job = (await (
		await client.post('/v1/upstreams/shared/charge', {}, { 'idempotency-key': key })
	).json()) as Document;
	await client.ended(job, 30_000);
	return upstream.keys.includes(key) ? "the caller's own" : "the job's";
}

async function crossSite(client: Client): Promise<string> {
	const headers = { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' };
	const { status } = await client.fetch('/v1/upstreams/shared/fine', { method: 'POST', headers, body: '{}' });
	return String(status);
}

async function largeInteger(client: Client): Promise<string> {
	const headers = { 'content-type': 'application/json' };
	const body = '{"amount":9007199254740993}';
	const response = await client.fetch('/v1/tasks/swallow/jobs', { method: 'POST', headers, body });
	return response.status === 202 ? '202, changed silently' : String(response.status);
}

async function repeatThroughGateway(client: Client): Promise<string> {
	const key = randomUUID();
	const send = async (trial: string) => {
		const headers = { 'idempotency-key': key, 'x-envoy-attempt-count': trial };
		return (await client.post('/v1/upstreams/shared/charge', { amount: 1 }, headers)).status;
	};
	return `${await send('1')}, ${await send('2')}`;
}

async function rangeOfResult(client: Client): Promise<string> {
	const headers = { range: 'bytes=0-2' };
	const job = (await (await client.fetch('/v1/upstreams/shared/bytes', { headers })).json()) as Document;
	await client.ended(job, 30_000);
	const result = await client.fetch(job.links.result);
	return `${result.status} "${await result.text()}"`;
}

async function latin1Names(client: Client): Promise<string> {
	const headers = { 'content-type': 'text/csv; charset=iso-8859-1' };
	const body = Buffer.from('name\nRené\nRenè\nRenê\n', 'latin1');
	const response = await client.fetch('/v1/tasks/profile-csv/jobs', { method: 'POST', headers, body });
	if (response.status !== 202) return String(response.status);
	const job = (await response.json()) as Document;
	await client.ended(job, 30_000);
	const { columns } = (await (await client.fetch(job.links.result)).json()) as { columns: { distinct: number }[] };
	return `${columns[0]?.distinct} of 3 names`;
}

export const PROBES: readonly Probe[] = [
	{ question: `a retry, beside a neighbour of ${NEIGHBOUR_SECONDS} s: starts late by`, answer: lateRetry },
	{ question: 'an operation with `Retry-After: 0`: questions in 10 s', answer: pollsOfOperation },
	{ question: 'object away for 0.4 s at the report: the work ran', answer: (client) => runsWhileAway(client, 400) },
	{ question: 'object away for 30 s at the report: the work ran', answer: (client) => runsWhileAway(client, 30_000) },
	{ question: 'object away while an attempt reports progress: connects in 3 s', answer: connectsWhileAway },
	{ question: 'two jobs that always get 500, then a good request', answer: goodRequestAfterErrors },
	{ question: 'the document of a small finished job', answer: sizeOfDocument },
	{ question: 'the idempotency key that an upstream sees', answer: keyAtUpstream },
	{ question: "another site's page posts to an upstream of a local server", answer: crossSite },
	{ question: 'the same upstream request again, one gateway header changed', answer: repeatThroughGateway },
	{ question: 'a result that was asked for with `Range`, read without', answer: rangeOfResult },
	{ question: '`9007199254740993` in JSON', answer: largeInteger },
	{ question: 'a CSV that says `charset=iso-8859-1`, three names', answer: latin1Names },
	// Last, because it may block the JSON of the whole isolate.
	{ question: '1 MB of JSON, after an attempt ended while it read 16 MB', answer: jsonAfterAnEndedHold },
];
