/** A key may be used again after its job is deleted. Links and ids of the first job are not valid for the second. */
import { SignJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { AttemptLinks } from '../../src/core/job/links.ts';
import type { Start } from '../../src/core/job/object-api.ts';
import type { Fence } from '../../src/core/job/record.ts';
import { verifyToken } from '../../src/token/token.ts';
import { SIGNING_KEY } from '../http/deployment.ts';
import { receiver } from '../webhook/receiver.ts';
import { call, objectOf, post, socketOf, statusOf, submit, until, watch } from './client.ts';
import { advanceClock, dropMessages, fireAlarm } from './faults.ts';

const RETENTION_MS = 60_000;
const TOMBSTONE_MS = 3_600_000;

/** Two jobs of one key: the second starts while the first's tombstone exists, or after it. */
async function twoJobs(
	input: unknown,
	end: (first: StatusDocument) => Promise<unknown>,
	waitMs: number,
	others: Record<string, unknown> = {},
) {
	const idempotencyKey = crypto.randomUUID();
	const options = { ...others, idempotencyKey, retainSeconds: RETENTION_MS / 1_000 };
	const { document: first } = await submit('sleep', input, options);
	await end(first);
	advanceClock(waitMs);
	if (waitMs > TOMBSTONE_MS) await fireAlarm(first);
	const { document: second } = await submit('sleep', input, { ...options, delaySeconds: 0 });
	expect(second.id).toBe(first.id);
	expect(second.createdAt).not.toBe(first.createdAt);
	return { first, second };
}

const WAITS = [
	['its tombstone is there', RETENTION_MS + 1_000],
	['nothing is left of it', RETENTION_MS + TOMBSTONE_MS + 2_000],
] as const;

describe('a webhook of a key that was used again', () => {
	it.each(WAITS)('gets a message id that the first job never had, when %s', async (_, waitMs) => {
		const host = `${crypto.randomUUID()}.example`;
		const received = receiver(host);
		const webhook = { url: `https://${host}/`, events: ['accepted', 'succeeded'], format: 'cloudevents' };
		const told = (count: number) => vi.waitFor(() => expect(received).toHaveLength(count), { timeout: 15_000 });
		const { second } = await twoJobs(
			{ seconds: 0 },
			async (job) => {
				await until(job, 'succeeded');
				await told(2);
				// A delivery that is not yet reported keeps its job for longer than requested.
				await vi.waitFor(async () => {
					const { webhook } = await statusOf(job);
					expect(webhook?.deliveries.map(({ status }) => status)).toEqual(['delivered', 'delivered']);
				});
			},
			waitMs,
			{ webhook },
		);
		await until(second, 'succeeded');
		await told(4);
		const ids = received.map(({ headers }) => headers['webhook-id']);
		expect(new Set(ids).size).toBe(4);
		expect(received.map(({ headers }) => headers['ce-id'])).toEqual(ids);
	});
});

describe('a link to a job whose key was used again', () => {
	it.each(WAITS)('says that the job is gone, also to a reader who cancels, when %s', async (_, waitMs) => {
		const input = { seconds: 0 };
		const { first, second } = await twoJobs(input, (job) => until(job, 'succeeded'), waitMs);
		await until(second, 'succeeded');
		const { self, operation, result, events, cancel = '' } = first.links;
		const socket = socketOf(first);
		for (const [url, init] of [
			[self, {}],
			[operation, { headers: { prefer: 'wait=1' } }],
			[result, {}],
			[events, {}],
			[events, { headers: { accept: 'text/event-stream' } }],
			[socket, { headers: { upgrade: 'websocket' } }],
			[cancel, { method: 'POST' }],
		] as const) {
			const response = await call(url, init);
			expect([url, response.status]).toEqual([url, 410]);
			expect(await response.json()).toMatchObject({ error: { code: 'JobExpired' } });
		}
		expect((await call(second.links.result)).status).toBe(200);
		expect((await call(second.links.events)).status).toBe(200);
	});

	it('is given out for that one job by every way there is', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const withoutToken = {
			...document,
			links: { ...document.links, socket: `wss://coatcheck.example/v1/jobs/${document.id}/socket` },
		};
		const { events, closed } = await watch(withoutToken, 0);
		await closed;
		const documents = [document, await statusOf(document), ...events.map(({ job }) => job)];
		expect(documents.length).toBeGreaterThan(3);
		const births = documents.map(({ links }) => {
			const token = new URL(links.self).searchParams.get('token') ?? '';
			return verifyToken(new Map([['local', SIGNING_KEY]]), token, document.id).then((claims) => claims?.createdAt);
		});
		expect(new Set(await Promise.all(births))).toEqual(new Set([Date.parse(document.createdAt)]));
	});

	it('still works when an earlier version gave it out', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const token = await new SignJWT({ tenant: 'default', scope: 'read cancel', sub: document.id })
			.setProtectedHeader({ alg: 'HS256', kid: 'local' })
			.setExpirationTime('1h')
			.sign(SIGNING_KEY);
		expect((await call(`/v1/operations/${document.id}?token=${token}`)).status).toBe(200);
		expect((await call(`/v1/jobs/${document.id}?token=${token}`, { method: 'DELETE' })).status).toBeOneOf([200, 202]);
	});
});

describe('an attempt of a job whose key was used again', () => {
	it('that an external worker has can end nothing, although its number counts again', async () => {
		const { first, second } = await twoJobs(
			{ seconds: 0, wait: true },
			async (job) => {
				const { progress } = await until(job, 'waiting');
				Object.assign(job, { progress });
				await call(job.links.self, { method: 'DELETE' });
			},
			RETENTION_MS + TOMBSTONE_MS + 2_000,
		);
		const { seq, attempt } = await until(second, 'waiting');
		const links = first.progress?.data as AttemptLinks;
		expect(attempt).toBe(1);
		for (const response of [
			await post(links.progress, { percentComplete: 99 }),
			await post(links.complete, 'late'),
			await call(links.complete, { method: 'POST', body: new Uint8Array(100_000) }),
			await post(links.fail, { code: 'Late', message: 'Too late' }),
		]) {
			expect(response.status).toBe(409);
			expect(await response.json()).toMatchObject({ code: 'StaleAttempt' });
		}
		expect(await statusOf(second)).toMatchObject({ phase: 'waiting', seq });
	});

	it('is told to stop, and not the one that has the job now', async () => {
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 });
		const object = objectOf(document);
		const start = (await object.startAttempt({ epoch: 1 })) as Start;
		if (!start.started) throw new Error(start.refusal);
		const attach = async ({ epoch, attempt, createdAt = 0 }: Fence) => {
			const query = `epoch=${epoch}&attempt=${attempt}&createdAt=${createdAt}`;
			const { webSocket } = await object.fetch(`http://job/attempt?${query}`, { headers: { upgrade: 'websocket' } });
			const told: unknown[] = [];
			webSocket?.addEventListener('message', ({ data }) => {
				told.push(JSON.parse(String(data)));
			});
			webSocket?.accept();
			return told;
		};
		const { fence } = start.lease;
		const now = await attach(fence);
		const before = await attach({ ...fence, createdAt: Date.parse(document.createdAt) - 1 });
		await vi.waitFor(() => expect(before).toEqual([{ type: 'abort', reason: 'stale' }]));
		await call(document.links.self, { method: 'DELETE' });
		await vi.waitFor(() => expect(now).toEqual([{ type: 'abort', reason: 'canceled' }]));
		expect(before).toHaveLength(1);
	});
});
