/** Jobs as the documentation describes them: helpers for everything besides the client under test. */
import { expect, vi } from 'vitest';

/** The part of the status document that the tests use. */
export interface StatusDocument {
	readonly id: string;
	readonly status: string;
	readonly phase: string;
	readonly seq: number;
	readonly links: Readonly<Record<'self' | 'operation' | 'result' | 'events' | 'socket', string>>;
}

/** What is needed to follow a job. */
interface Followed {
	readonly links: Pick<StatusDocument['links'], 'operation'>;
}

export interface JobEvent {
	readonly seq: number;
	readonly type: string;
	readonly job: StatusDocument;
}

/** The body that submits a `sleep`. */
export function sleepJob(input: { readonly seconds: number } & Record<string, unknown>, options = {}): string {
	return JSON.stringify({ task: 'sleep', input, options });
}

export async function submit(origin: string, body: string): Promise<StatusDocument> {
	const headers = { 'content-type': 'application/json' };
	const response = await fetch(`${origin}/v1/jobs`, { method: 'POST', headers, body });
	const text = await response.text();
	expect(response.status, text).toBe(202);
	return JSON.parse(text) as StatusDocument;
}

export async function statusOf({ links }: Followed): Promise<StatusDocument> {
	const response = await fetch(links.operation);
	expect(response.status).toBe(200);
	return (await response.json()) as StatusDocument;
}

/** Polls until the job has one of these statuses or phases. */
export function until(document: Followed, ...wanted: string[]): Promise<StatusDocument> {
	return vi.waitFor(
		async () => {
			const now = await statusOf(document);
			expect(wanted).toContain(wanted.includes(now.phase) ? now.phase : now.status);
			return now;
		},
		{ timeout: 100_000, interval: 50 },
	);
}

/** The body that submits a job whose attempt waits for an external worker: it ends when the test says so, however late. */
export function heldJob(): string {
	return sleepJob({ seconds: 0, steps: 1, wait: true });
}

/** Waits until the attempt is with an external worker. @returns the worker's links. */
export async function linksForWorker(
	document: Followed,
): Promise<Readonly<Record<'progress' | 'complete' | 'fail', string>>> {
	const waiting = (await until(document, 'waiting')) as StatusDocument & {
		readonly progress: { readonly data: never };
	};
	return waiting.progress.data;
}

/** Reports as an external worker does. */
export async function reportTo(link: string, body: object): Promise<void> {
	const headers = { 'content-type': 'application/json' };
	const response = await fetch(link, { method: 'POST', headers, body: JSON.stringify(body) });
	expect(response.status, await response.text()).toBe(204);
}

/** Ends the attempt with this result. */
export async function complete(document: Followed, result: object = {}): Promise<void> {
	await reportTo((await linksForWorker(document)).complete, result);
}

/** @returns the status of the response: 202 while an attempt still has to stop, else 200. */
export async function cancel({ links }: StatusDocument): Promise<number> {
	const response = await fetch(links.self, { method: 'DELETE' });
	await response.body?.cancel();
	return response.status;
}

/** Cancels a job that has not started, and deletes its data. */
export async function cancelAndPurge(origin: string, document: StatusDocument): Promise<void> {
	expect(await cancel(document)).toBe(200);
	const response = await fetch(`${origin}/v1/jobs/${document.id}/purge`, { method: 'POST' });
	expect(response.status).toBe(204);
}
