/** What an A2A client gets whose task is purged while it waits. */
import { describe, expect, it, vi } from 'vitest';
import type { StreamResponse } from '../../src/core/a2a/task.ts';
import type { Reading } from '../../src/core/job/object-api.ts';
import type { Reader } from '../../src/core/job/reader.ts';
import { JobObject } from '../../src/object/job-object.ts';
import { call, completeOutside, UNTIL_COMPLETED } from '../flow/client.ts';
import { purgeAtEnd } from '../flow/purged.ts';

const HEADERS = { 'a2a-version': '1.0', 'content-type': 'application/json' };
const NOT_FOUND = { error: { code: 404, status: 'NOT_FOUND', details: [{ reason: 'TASK_NOT_FOUND' }] } };

function post(operation: string, input: object = { seconds: 1, steps: 2 }, configuration = {}): Promise<Response> {
	const message = {
		messageId: crypto.randomUUID(),
		role: 'ROLE_USER',
		parts: [{ data: input }],
		metadata: { skill: 'sleep' },
	};
	return call(`/a2a/${operation}`, {
		method: 'POST',
		headers: HEADERS,
		body: JSON.stringify({ message, configuration }),
	});
}

interface Told {
	readonly type: string;
	readonly data: StreamResponse & { readonly error?: object };
}

/** All that a stream told, up to its end. */
async function told(response: Response): Promise<Told[]> {
	const text = await response.text();
	return [...text.matchAll(/^(?:event: (\w+)\n)?data: (.+)$/gm)].map(([, type = 'message', data = '']) => ({
		type,
		data: JSON.parse(data),
	}));
}

describe('a stream', () => {
	it('whose task is purged at its end says that it completed, and that its result is gone', async () => {
		purgeAtEnd();
		const messages = await told(await post('message:stream'));
		expect(messages.at(-1)).toMatchObject({
			type: 'message',
			data: {
				statusUpdate: {
					status: {
						state: 'TASK_STATE_COMPLETED',
						message: { parts: [{ text: expect.stringMatching(/^The result was deleted/) }] },
					},
				},
			},
		});
		expect(messages.some(({ data }) => 'artifactUpdate' in data)).toBe(false);
	});

	it('that is not told the end of a purged task says that there is no such task', async () => {
		purgeAtEnd({ isUntold: true });
		const messages = await told(await post('message:stream'));
		expect(messages[0]).toMatchObject({ data: { task: {} } });
		expect(messages.at(-1)).toMatchObject({ type: 'error', data: NOT_FOUND });
	});

	it('that is subscribed to ends in the same way', async () => {
		purgeAtEnd({ isUntold: true });
		const { task } = await (await post('message:send', UNTIL_COMPLETED, { returnImmediately: true })).json<{
			task: { id: string };
		}>();
		const subscribed = await call(`/a2a/tasks/${task.id}:subscribe`, { headers: HEADERS });
		await completeOutside(task.id, 'done');
		const messages = await told(subscribed);
		expect(messages.at(-1)).toMatchObject({ type: 'error', data: NOT_FOUND });
		const again = await call(`/a2a/tasks/${task.id}:subscribe`, { headers: HEADERS });
		expect([again.status, await again.json()]).toMatchObject([404, NOT_FOUND]);
	});

	it('of a task that has ended unheard tells its artifact and its end', async () => {
		const { fetch } = JobObject.prototype;
		const spy = vi.spyOn(JobObject.prototype, 'fetch').mockImplementation(async function (this: JobObject, request) {
			const query = new URL(request.url).searchParams;
			if (!query.has('after')) return fetch.call(this, request);
			// As for a reader that has the last event.
			const reading = await this.readJob({ tenant: 'default' });
			const isOver = reading.found === 'job' && reading.view.facts.finishedAt !== undefined;
			return isOver ? new Response(null, { status: 204 }) : brokenSocket();
		});
		const messages = await told(await post('message:stream'));
		spy.mockRestore();
		expect(messages.slice(-2)).toMatchObject([
			{ data: { artifactUpdate: { artifact: { parts: [{ data: { sleptSeconds: 1 } }] } } } },
			{ data: { statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } } },
		]);
	});

	it('whose result can no longer be read ends with an error, after which the task can be asked for it', async () => {
		const { readJob } = JobObject.prototype as { readJob: (reader: Reader) => Promise<Reading> };
		const spy = vi.spyOn(JobObject.prototype, 'readJob').mockImplementation(async function (this: JobObject, reader) {
			const reading = await readJob.call(this, reader);
			if (reading.found === 'job' && reading.view.facts.finishedAt !== undefined) throw new Error('unreadable');
			return reading;
		} as JobObject['readJob']);
		const messages = await told(await post('message:stream'));
		spy.mockRestore();
		expect(messages.at(-1)).toMatchObject({ type: 'error', data: { error: { code: 500, status: 'INTERNAL' } } });
		expect(messages.some(({ data }) => 'statusUpdate' in data && isCompleted(data))).toBe(false);
		const [first] = messages;
		const { id } = (first?.data as unknown as { task: { id: string } }).task;
		const task = await (await call(`/a2a/tasks/${id}`, { headers: HEADERS })).json();
		expect(task).toMatchObject({ artifacts: [{ parts: [{ data: { sleptSeconds: 1 } }] }] });
	});
});

it('a message that waits for a task that is purged says that there is no such task', async () => {
	purgeAtEnd();
	const response = await post('message:send');
	expect([response.status, await response.json()]).toMatchObject([404, NOT_FOUND]);
});

function isCompleted({ statusUpdate }: { readonly statusUpdate: { readonly status: { readonly state: string } } }) {
	return statusUpdate.status.state === 'TASK_STATE_COMPLETED';
}

function brokenSocket(): Response {
	const { 0: client, 1: server } = new WebSocketPair();
	server.accept();
	server.close(1012, 'the object restarts');
	return new Response(null, { status: 101, webSocket: client });
}
