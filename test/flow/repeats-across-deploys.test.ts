import { createExecutionContext, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { coatcheck } from '../../src/coatcheck.ts';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { JobRecord } from '../../src/core/job/record.ts';
import { sleep } from '../../src/tasks/sleep.ts';
import { ORIGIN, objectOf } from './client.ts';

const before = coatcheck({ tasks: [sleep] });
/** The same deployment after its operator changed the task's defaults. */
const after = coatcheck({ tasks: [{ ...sleep, timeoutSeconds: 300, maxAttempts: 9 }] });

function submit(worker: typeof before, key: string, headers: Record<string, string> = {}): Promise<Response> {
	const request = new Request(`${ORIGIN}/v1/tasks/sleep/jobs`, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			'idempotency-key': key,
			'coatcheck-delay-seconds': '3600',
			'coatcheck-tags': 'order',
			...headers,
		},
		body: '{"seconds":0}',
	});
	return worker.fetch(request as Parameters<typeof before.fetch>[0], env, createExecutionContext());
}

async function recordOf(response: Response) {
	const document = await response.json<StatusDocument>();
	return runInDurableObject(objectOf(document), (_, { storage }) => storage.kv.get<JobRecord>('job') as JobRecord);
}

/** Stores a record that the other version would have written. */
async function leaveWithout(response: Response, field: 'fingerprint' | 'requestFingerprint'): Promise<void> {
	const document = await response.json<StatusDocument>();
	await runInDurableObject(objectOf(document), (_, { storage }) => {
		const { [field]: __, ...record } = storage.kv.get<JobRecord>('job') as JobRecord;
		storage.kv.put('job', record);
	});
	await evictDurableObject(objectOf(document));
}

describe('a repeat with the same idempotency key', () => {
	it('finds its job after a deploy that changed the defaults of its task', async () => {
		const key = crypto.randomUUID();
		const first = await submit(before, key);
		const second = await submit(after, key);
		expect([first.status, second.status]).toEqual([202, 202]);
		expect(second.headers.get('idempotent-replayed')).toBe('true');
		expect((await second.json<StatusDocument>()).id).toBe((await first.json<StatusDocument>()).id);
	});

	it('is another request where it spells out what was left to the default', async () => {
		const key = crypto.randomUUID();
		await submit(before, key);
		const second = await submit(before, key, { 'coatcheck-max-attempts': '4' });
		expect(second.status).toBe(422);
	});

	it('finds a job that version 0.1.0 accepted', async () => {
		const key = crypto.randomUUID();
		await leaveWithout(await submit(before, key), 'requestFingerprint');
		expect((await submit(before, key)).status).toBe(202);
		expect((await submit(before, key, { 'coatcheck-tags': 'other' })).status).toBe(422);
	});

	it('is recognised by version 0.1.0 after a rolled-back deploy, for the older fingerprint is kept', async () => {
		const headers = {
			'coatcheck-on-complete': 'inline',
			'coatcheck-webhook-url': 'https://receiver.example/hook',
			'x-correlation-id': crypto.randomUUID(),
			traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
		};
		const { fingerprint } = await recordOf(await submit(before, crypto.randomUUID(), headers));
		// Computed by the source of version 0.1.0.
		expect(fingerprint).toBe('600174b2b4457e1625232567803decaa636de059b9ef02745c00e61b45c3729a');
	});

	it('finds its job while a deploy mixes versions, and the Worker that accepts is of version 0.1.0', async () => {
		const response = await submit(before, crypto.randomUUID());
		const { id } = await response.clone().json<StatusDocument>();
		const { requestFingerprint: _, input: __, ...ofOldWorker } = await recordOf(response);
		const accept = (fingerprint: string) =>
			objectOf({ id }).accept({ ...ofOldWorker, fingerprint, submission: crypto.randomUUID(), sent: true });
		expect(await accept(ofOldWorker.fingerprint ?? '')).toMatchObject({ accepted: true, isReplay: true });
		expect(await accept('another')).toMatchObject({ accepted: false, reason: 'key-reused' });
	});

	it('may carry another correlation id and another trace', async () => {
		const key = crypto.randomUUID();
		await submit(before, key, { 'x-correlation-id': 'one' });
		const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
		expect((await submit(before, key, { 'x-correlation-id': 'two', traceparent })).status).toBe(202);
	});
});
