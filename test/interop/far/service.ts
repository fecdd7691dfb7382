/** The service under test: it asks for a key. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Server, startServer } from '../server.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export const KEY = `ck_far_${'x'.repeat(32)}`;
export const AUTHORIZATION = `Bearer ${KEY}`;
export const PHOTO = await readFile(join(ROOT, 'demo/data/hubble-extreme-deep-field.jpg'));
/** Its head is whole, so that its job is accepted and fails. */
export const DAMAGED_PHOTO = PHOTO.subarray(0, 3_000);

/** Several clients poll one service at once, from one address. */
export function startService(): Promise<Server> {
	const key = {
		id: 'far',
		tenant: 'far',
		sha256: createHash('sha256').update(KEY).digest('hex'),
		scopes: ['submit', 'read', 'cancel'],
	};
	return startServer({ AUTH: 'required', API_KEYS: JSON.stringify([key]) });
}

/** What the links of a job are called in the snippets, and what the tests need besides. */
export interface Links {
	readonly self: string;
	readonly operation: string;
	readonly result: string;
	readonly events: string;
	readonly socket: string;
	readonly cancel: string;
}

interface Document {
	readonly id: string;
	readonly status: string;
	readonly seq: number;
	readonly links: Links;
	readonly progress?: { readonly data?: WorkerLinks };
}

interface WorkerLinks {
	readonly progress: string;
	readonly complete: string;
	readonly fail: string;
}

export interface WaitingJob {
	readonly links: Links;
	/** The number of the last event before the job waits. */
	readonly seq: number;
	report(percentComplete: number): Promise<void>;
	complete(): Promise<void>;
	fail(): Promise<void>;
}

/** Submits a job that goes on when the test says so, by the origin of a tap. */
export async function startWaitingJob(origin: string): Promise<WaitingJob> {
	const response = await fetch(`${origin}/v1/tasks/sleep/jobs`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', authorization: AUTHORIZATION },
		body: JSON.stringify({ seconds: 0, steps: 1, wait: true }),
	});
	const { links } = await documentOf(response);
	const { seq, worker } = await untilWaiting(links.operation);
	const { progress, complete, fail } = worker;
	return {
		links,
		seq,
		report: (percentComplete) => post(progress, { percentComplete }),
		complete: () => post(complete, { answer: 42 }),
		fail: () => post(fail, { code: 'NoPaper', message: 'The printer is empty', retryable: false }),
	};
}

async function untilWaiting(operation: string): Promise<{ readonly seq: number; readonly worker: WorkerLinks }> {
	for (let headers = {}; ; ) {
		const response = await fetch(operation, { headers });
		if (response.status === 304) continue;
		headers = { prefer: 'wait=20', 'if-none-match': response.headers.get('etag') };
		const { seq, progress } = await documentOf(response);
		if (progress?.data) return { seq, worker: progress.data };
	}
}

async function post(link: string, body: unknown): Promise<void> {
	const headers = { 'content-type': 'application/json' };
	const response = await fetch(link, { method: 'POST', headers, body: JSON.stringify(body) });
	if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

export async function fetchStatus(operation: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
	const response = await fetch(operation, { headers });
	return (await documentOf(response)).status;
}

/** @throws with the problem, if it is one. */
async function documentOf(response: Response): Promise<Document> {
	if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
	return (await response.json()) as Document;
}

/** The thumbnail that each client's result must equal. */
export async function makeThumbnail(origin: string): Promise<Buffer> {
	const patience = { prefer: 'wait=25' };
	const posted = await fetch(`${origin}/v1/tasks/thumbnail/jobs?width=320`, {
		method: 'POST',
		headers: {
			...patience,
			'content-type': 'image/jpeg',
			authorization: AUTHORIZATION,
			'coatcheck-on-pending': 'accepted',
		},
		body: PHOTO,
	});
	// The first job of a server that has just started may take longer than a response is held.
	let response = posted;
	while (response.status === 202) {
		await response.body?.cancel();
		response = await fetch(posted.headers.get('location') ?? '', { headers: patience });
	}
	if (response.status !== 200) throw new Error(`Expected the thumbnail, got: ${response.status}`);
	return Buffer.from(await response.arrayBuffer());
}
