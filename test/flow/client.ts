/** A client of the Worker under test, as plain as `curl`: it uses only URLs and headers. */
import { env, exports } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { JobEvent, StatusDocument } from '../../src/core/job/document.ts';
import type { AttemptLinks } from '../../src/core/job/links.ts';
import type { JobObject } from '../../src/object/job-object.ts';

export const ORIGIN = 'https://coatcheck.example';

export function call(path: string, init: RequestInit = {}): Promise<Response> {
	return exports.default.fetch(new URL(path, ORIGIN).href, { redirect: 'manual', ...init });
}

export function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
	return call(path, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(body),
	});
}

export interface Submitted {
	readonly response: Response;
	readonly document: StatusDocument;
}

/** Submits through the envelope and expects a 202. */
export async function submit(task: string, input: unknown, options: Record<string, unknown> = {}): Promise<Submitted> {
	const response = await post('/v1/jobs', { task, input, options });
	const document = await response.json<StatusDocument>();
	expect(response.status, JSON.stringify(document)).toBe(202);
	return { response, document };
}

export async function statusOf({ links }: StatusDocument): Promise<StatusDocument> {
	const response = await call(links.operation);
	expect(response.status).toBe(200);
	return response.json<StatusDocument>();
}

/** Polls until the job is in one of these statuses or phases. */
export function until(document: StatusDocument, ...wanted: string[]): Promise<StatusDocument> {
	return vi.waitFor(
		async () => {
			const now = await statusOf(document);
			expect(wanted).toContain(wanted.includes(now.phase) ? now.phase : now.status);
			return now;
		},
		{ timeout: 10_000, interval: 20 },
	);
}

export async function eventsOf({ links }: StatusDocument, after?: number): Promise<JobEvent[]> {
	const url = new URL(links.events);
	if (after !== undefined) url.searchParams.set('after', String(after));
	const page = await (await call(url.href)).json<{ events: JobEvent[] }>();
	return page.events;
}

/** The job's socket, as an HTTP URL. A finished job's document has no link to it any more, but the socket still answers. */
export function socketOf({ links }: Pick<StatusDocument, 'links'>): string {
	return links.socket?.replace(/^ws/, 'http') ?? links.events.replace('/events', '/socket');
}

/** The input of a `sleep` that runs until a test completes it, however busy the machine is. */
export const UNTIL_COMPLETED = { seconds: 0, steps: 1, wait: true };

/** Ends a job of {@link UNTIL_COMPLETED}, as its external worker. */
export async function completeOutside(id: string, result: unknown): Promise<void> {
	const link = await vi.waitFor(async () => {
		const { phase, progress } = await (await call(`/v1/operations/${id}`)).json<StatusDocument>();
		expect(phase).toBe('waiting');
		return (progress?.data as AttemptLinks).complete;
	});
	expect((await post(link, result)).status).toBe(204);
}

/** A socket that stores the messages that it receives. */
export interface Watcher {
	readonly events: JobEvent[];
	readonly closed: Promise<CloseEvent>;
	readonly socket: WebSocket;
}

export async function watch({ links }: Pick<StatusDocument, 'links'>, after?: number): Promise<Watcher> {
	const url = new URL(socketOf({ links }));
	if (after !== undefined) url.searchParams.set('after', String(after));
	const response = await call(url.href, { headers: { upgrade: 'websocket' } });
	const socket = response.webSocket;
	if (!socket) throw new Error(`No socket: ${response.status} ${await response.text()}`);
	const events: JobEvent[] = [];
	const { promise: closed, resolve } = Promise.withResolvers<CloseEvent>();
	socket.addEventListener('message', ({ data }) => {
		if (data !== 'pong') events.push(JSON.parse(String(data)) as JobEvent);
	});
	socket.addEventListener('close', resolve);
	socket.accept();
	return { events, closed, socket };
}

/** The object of a job, for faults that no client can cause. */
export function objectOf({ id }: { readonly id: string }): DurableObjectStub<JobObject> {
	return env.JOBS.get(env.JOBS.idFromString(id));
}

/** The final events. There must never be more than one for an epoch. */
export function finalsOf(events: readonly JobEvent[]): string[] {
	return events.map(({ type }) => type).filter((type) => ['succeeded', 'failed', 'canceled'].includes(type));
}
