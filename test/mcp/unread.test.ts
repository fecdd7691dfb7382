/** What an agent gets whose job was accepted, and then can't be read. */
import { expect, it } from 'vitest';
import { INLINE_BODY_BYTES } from '../../src/core/job/limits.ts';
import { call } from '../flow/client.ts';
import { keepObjectsAway } from '../flow/faults.ts';
import { receiver } from '../webhook/receiver.ts';
import { type CallResult, callTool } from './client.ts';

const AWAY = { methods: ['readJob'], awayMs: 600_000, marks: { overloaded: true, retryable: true } };

async function typesOf(id: unknown): Promise<string[]> {
	const { events } = await (await call(`/v1/jobs/${id}/events?after=0`)).json<{ events: { type: string }[] }>();
	return events.map(({ type }) => type);
}

/** @returns the id. */
function expectOnlyId(result: CallResult | undefined): string | undefined {
	const { jobId } = (result?.structuredContent ?? {}) as { readonly jobId?: string };
	const text = expect.stringContaining(
		`wait_for_job with {"jobId": "${jobId}"} to get its result. Don't start it again`,
	);
	expect(result).toMatchObject({ content: [{ type: 'text', text }], structuredContent: { jobId } });
	expect(result).not.toHaveProperty('isError');
	return jobId;
}

it.each([
	['takes tasks', { takesTasks: true }],
	['takes no tasks', { takesTasks: false }],
	['is told progress', { takesTasks: false, meta: { progressToken: 'p' } }],
])('a client that %s is told the id and not to start the job again, and the job goes on', async (_, options) => {
	keepObjectsAway(AWAY);
	const jobId = expectOnlyId((await callTool('sleep', { seconds: 0 }, options)).result);
	await expect.poll(() => typesOf(jobId)).toEqual(['accepted', 'started', 'succeeded']);
});

it('a client whose job has ended is told the same while its large result is out of reach', async () => {
	receiver('ledger.example', () => Response.json('x'.repeat(2 * INLINE_BODY_BYTES)));
	keepObjectsAway({ ...AWAY, methods: ['readChunk'] });
	const read = { method: 'GET', path: '/entries' };
	const { result } = await callTool('upstream_main_ledger', read, { takesTasks: false });
	expect(await typesOf(expectOnlyId(result))).toEqual(['accepted', 'started', 'succeeded']);
});

it('an A2A client is told the id of the task', async () => {
	keepObjectsAway(AWAY);
	const message = {
		messageId: crypto.randomUUID(),
		role: 'ROLE_USER',
		parts: [{ data: { seconds: 0 } }],
		metadata: { skill: 'sleep' },
	};
	const response = await call('/a2a/message:send', {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
		body: JSON.stringify({ message }),
	});
	const { error } = await response.json<{ error: { message: string } }>();
	const [, id] = /^Task ([0-9a-f]{64}) was accepted, but can't be read now/.exec(error.message) ?? [];
	expect(response.status).toBe(503);
	await expect.poll(() => typesOf(id)).toEqual(['accepted', 'started', 'succeeded']);
});
