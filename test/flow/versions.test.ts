import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { JobRecord } from '../../src/core/job/record.ts';
import { receiver } from '../webhook/receiver.ts';
import { call, finalsOf, objectOf, submit, until } from './client.ts';
import { dropMessages, fireAlarm } from './faults.ts';
import { messageOfVersion1, VERSION_1 } from './records/version-1.ts';

/** An object in the state that an earlier version left. */
async function left(record: object) {
	const id = env.JOBS.newUniqueId().toString();
	await runInDurableObject(objectOf({ id }), async (_, { storage }) => {
		storage.kv.put('job', record);
		await storage.setAlarm(Date.now() + 3_600_000);
	});
	return { id };
}

async function documentOf({ id }: { id: string }) {
	return (await call(`/v1/operations/${id}`)).json<Parameters<typeof until>[0]>();
}

describe('a job accepted by version 0.1.0', () => {
	it.each(Object.entries(VERSION_1))('%s runs to its end, and has one', async (_, record) => {
		receiver('receiver.example');
		const job = await left(record);
		const before = await documentOf(job);
		await fireAlarm(job);
		// The alarm resends the old version's message, or, after a lost attempt, sends one when its wait has expired.
		await vi.waitFor(
			async () => {
				await fireAlarm(job);
				expect((await documentOf(job)).status).toBe('succeeded');
			},
			{ timeout: 15_000, interval: 200 },
		);
		const page = await (await call(`/v1/jobs/${job.id}/events?after=0`)).json<{
			events: Parameters<typeof finalsOf>[0];
		}>();
		expect(finalsOf(page.events)).toEqual(['succeeded']);
		expect(page.events[0]).toMatchObject({ seq: 1, type: 'accepted', at: '2026-11-20T12:00:00.000Z' });
		expect(await documentOf(job)).toMatchObject({ correlationId: 'order-42', tags: ['order'] });
		expect(before.seq).toBeLessThan((await documentOf(job)).seq);
	});

	it('is started by the message that 0.1.0 sent for it', async () => {
		const job = await left(VERSION_1['waiting for its first attempt']);
		await env.LANE_LONG_1.send(messageOfVersion1(job.id));
		expect(await until(await documentOf(job), 'succeeded')).toMatchObject({ attempt: 1 });
	});
});

describe('a record of a newer version', () => {
	it('keeps what this one does not know, as happens for some seconds of a deploy', async () => {
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 });
		vi.restoreAllMocks();
		await runInDurableObject(objectOf(document), (_, { storage }) => {
			storage.kv.put('job', { ...storage.kv.get<JobRecord>('job'), invented: { later: 'on' } });
		});
		await evictDurableObject(objectOf(document));
		await env.LANE_LONG_1.send(messageOfVersion1(document.id));
		await until(document, 'succeeded');
		const stored = await runInDurableObject(objectOf(document), (_, { storage }) => storage.kv.get('job'));
		expect(stored).toMatchObject({ state: { name: 'succeeded' }, invented: { later: 'on' } });
	});
});
