import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { type CloudEvent, HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import { describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { WEBHOOK_WATCHDOG_MS } from '../../src/core/job/limits.ts';
import type { DueDelivery } from '../../src/core/job/object-api.ts';
import { signedMessage } from '../../src/webhook/sign.ts';
import { call, objectOf, post, statusOf, submit, until } from '../flow/client.ts';
import { advanceClock, dropMessages, dropNextMessage, fireAlarm } from '../flow/faults.ts';
import { rightIn } from '../http/deployment.ts';
import { deliverTogether, type Received, receiver } from './receiver.ts';

const [SECRET = ''] = JSON.parse(env.WEBHOOK_SECRETS) as string[];

const FENCE = { epoch: 1, attempt: 1 } as const;

const NOTHING: Received = { url: '', method: '', headers: {}, body: '', bytes: new Uint8Array() };

/** Each test has its own host, so that messages still in flight to another host don't count here. */
const host = () => `${crypto.randomUUID()}.example`;

const idOf = ({ id, createdAt }: StatusDocument, seq: number) => `${id}:${Date.parse(createdAt)}:${seq}`;

function submitWith(
	webhook: Record<string, unknown>,
	input: unknown = { seconds: 0 },
	options: Record<string, unknown> = {},
) {
	return submit('sleep', input, { ...options, webhook });
}

async function delivered(document: StatusDocument): Promise<StatusDocument> {
	return vi.waitFor(
		async () => {
			const now = await statusOf(document);
			expect(now.webhook?.deliveries.length).toBeGreaterThan(0);
			expect(now.webhook?.deliveries.every(({ status }) => status !== 'pending')).toBe(true);
			return now;
		},
		{ timeout: 5_000, interval: 20 },
	);
}

describe('a webhook', () => {
	it('is told of the end with a message that standardwebhooks and svix verify', async () => {
		const name = host();
		const received = receiver(name);
		const { document } = await submitWith({ url: `https://${name}/hook?a=b` });
		const done = await delivered(document);
		expect(received).toHaveLength(1);
		const [{ url, method, headers, body } = NOTHING] = received;
		expect([method, url]).toEqual(['POST', `https://${name}/hook?a=b`]);
		expect(headers['webhook-id']).toBe(idOf(document, done.seq));
		const verified = new Webhook(SECRET).verify(body, headers) as Record<string, unknown>;
		expect(new Svix(SECRET).verify(body, headers)).toEqual(verified);
		expect(verified).toMatchObject({
			type: 'job.succeeded',
			timestamp: done.finishedAt,
			data: { id: document.id, status: 'succeeded' },
		});
		expect(() => new Webhook(SECRET).verify(`${body} `, headers)).toThrow();
	});

	it('is given links with which it can read the result, and not cancel', async () => {
		const name = host();
		const received = receiver(name);
		const { document } = await submitWith({ url: `https://${name}/` });
		await delivered(document);
		const { data } = JSON.parse(received[0]?.body ?? '') as { data: StatusDocument };
		expect(await (await call(data.resourceLocation ?? '')).json()).toEqual({ sleptSeconds: 0, attempt: 1 });
		expect(data.links).not.toHaveProperty('cancel');
		for (const link of Object.values(data.links)) expect(rightIn(link)).toBe('read');
	});

	it('gets a CloudEvents 1.0 message that the SDK takes, when it asked for that', async () => {
		const name = host();
		const received = receiver(name);
		const { document } = await submitWith({ url: `https://${name}/`, format: 'cloudevents' });
		await delivered(document);
		const [{ headers, body } = NOTHING] = received;
		new Webhook(SECRET).verify(body, headers);
		const event = HTTP.toEvent({ headers, body }) as CloudEvent;
		expect(event.validate()).toBe(true);
		expect(event).toMatchObject({
			specversion: '1.0',
			type: 'job.succeeded',
			subject: document.id,
			id: headers['webhook-id'],
			data: { status: 'succeeded' },
		});
		expect(event.source).toMatch(/\/v1\/jobs\/[0-9a-f]{64}$/);
	});

	it('is told of the events that it asked for, and of no others', async () => {
		const name = host();
		const received = receiver(name);
		const response = await post(
			'/v1/tasks/sleep/jobs',
			{ seconds: 0, failAttempts: 1 },
			{
				'coatcheck-webhook-url': `https://${name}/`,
				'coatcheck-webhook-events': 'accepted, retrying, failed',
			},
		);
		const document = await response.json<StatusDocument>();
		await until(document, 'succeeded');
		await delivered(document);
		const types = received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
		expect(types.sort()).toEqual(['job.accepted', 'job.retrying']);
	});

	it('is told of progress once a second, when it asked for that', async () => {
		const name = host();
		const received = receiver(name);
		// Long enough for messages that are late. Its reports are 300 ms apart.
		const { document } = await submitWith(
			{ url: `https://${name}/`, events: ['progress'] },
			{ seconds: 30, steps: 100 },
		);
		const { startedAt = '' } = await until(document, 'running');
		await vi.waitFor(() => expect(received.length).toBeGreaterThanOrEqual(2));
		const ranMs = Date.now() - Date.parse(startedAt);
		await call(document.links.self, { method: 'DELETE' });
		const told = received.map(({ body }) => JSON.parse(body) as { type: string; data: StatusDocument });
		expect(told.length).toBeLessThanOrEqual(2 + Math.ceil(ranMs / 1_000));
		for (const { type, data } of told)
			expect([type, data.percentComplete]).toEqual(['job.progress', expect.any(Number)]);
	});

	it('is told of the newest progress there is, once, however late its message comes', async () => {
		dropMessages();
		const name = host();
		const received = receiver(name);
		const { document } = await submitWith({ url: `https://${name}/`, events: ['progress'] });
		const job = objectOf(document);
		const report = async (percentComplete: number) => {
			advanceClock(1_000);
			await job.reportProgress({ fence: FENCE, progress: { percentComplete } });
			return (await statusOf(document)).seq;
		};
		const come = (...seqs: number[]) => deliverTogether(seqs.map((seq) => ({ id: document.id, seq })));
		await job.startAttempt({ epoch: 1 });
		const seqs = [await report(10), await report(20), await report(30)];
		await come(seqs[0] ?? 0);
		expect(received).toHaveLength(1);
		await come(...seqs, ...seqs);
		const later = await report(40);
		await come(later, later);
		const told = received.map(({ headers, body }) => [
			headers['webhook-id'],
			(JSON.parse(body) as { data: StatusDocument }).data.percentComplete,
		]);
		expect(told).toEqual([
			[idOf(document, seqs[2] ?? 0), 30],
			[idOf(document, later), 40],
		]);
	});

	it('that fails is told again with the same id, and the tries are in the status document', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const name = host();
		const seen = Promise.withResolvers<void>();
		// The second try has no answer before this test has seen how the first one ended.
		const received = receiver(name, async (tries) => {
			if (tries > 1) await seen.promise;
			return new Response(null, { status: tries < 2 ? 500 : 200 });
		});
		const { document } = await submitWith({ url: `https://${name}/` });
		await until(document, 'succeeded');
		const waiting = await vi.waitFor(async () => {
			const now = await statusOf(document);
			expect(now.webhook?.deliveries).toMatchObject([{ attempt: 1, status: 'pending', code: 500 }]);
			return now;
		});
		const [delivery] = waiting.webhook?.deliveries ?? [];
		const waitMs = Date.parse(delivery?.nextAttemptAt ?? '') - Date.parse(delivery?.at ?? '');
		expect(waitMs).toBeGreaterThanOrEqual(5_000);
		expect(waitMs).toBeLessThan(5_500);
		seen.resolve();
		const done = await vi.waitFor(
			async () => {
				const now = await statusOf(document);
				expect(now.webhook?.deliveries).toMatchObject([{ attempt: 2, status: 'delivered', code: 200 }]);
				return now;
			},
			{ timeout: 10_000, interval: 100 },
		);
		expect(done.seq).toBe(waiting.seq);
		expect(received[1]?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id']);
		log.mockRestore();
	});

	it.each([
		301, 307, 404,
	])('that answers %i is not there: nothing is followed, and it is told again', async (status) => {
		const name = host();
		const received = receiver(
			name,
			() => new Response(null, { status, headers: { location: 'https://elsewhere.example/', 'retry-after': '3600' } }),
		);
		const { document } = await submitWith({ url: `https://${name}/` });
		await vi.waitFor(async () => {
			expect((await statusOf(document)).webhook?.deliveries).toMatchObject([
				{ attempt: 1, status: 'pending', code: status },
			]);
		});
		expect(received).toHaveLength(1);
	});

	it('that is gone (410) is left alone', async () => {
		const name = host();
		const received = receiver(name, () => new Response(null, { status: 410 }));
		dropMessages();
		const { document } = await submitWith({ url: `https://${name}/`, events: ['accepted', 'started', 'succeeded'] });
		await objectOf(document).startAttempt({ epoch: 1 });
		await deliverTogether([{ id: document.id, seq: 1 }]);
		await objectOf(document).completeAttempt({ fence: FENCE, reply: { status: 204, headers: [] } });
		await deliverTogether([2, 3].map((seq) => ({ id: document.id, seq })));
		const done = await statusOf(document);
		expect(done.webhook?.deliveries).toHaveLength(2);
		expect(done.webhook?.deliveries.every(({ status }) => status === 'disabled')).toBe(true);
		expect(received).toHaveLength(1);
	});

	it.each([
		['seconds', () => '3600'],
		['a date', () => new Date(Date.now() + 3_600_000).toUTCString()],
	])('that asks in %s for a longer wait gets it', async (_, retryAfter) => {
		const name = host();
		receiver(name, () => new Response(null, { status: 503, headers: { 'retry-after': retryAfter() } }));
		const { document } = await submitWith({ url: `https://${name}/` });
		await vi.waitFor(async () => {
			const [delivery] = (await statusOf(document)).webhook?.deliveries ?? [];
			const waitMs = Date.parse(delivery?.nextAttemptAt ?? '') - Date.parse(delivery?.at ?? '');
			// A date is in whole seconds, and the answer may be read some seconds after it was made.
			expect(waitMs).toBeGreaterThan(3_500_000);
			expect(waitMs).toBeLessThan(3_610_000 * 1.1);
		});
	});

	it('loses nothing when its message is lost, nor when its object was put out of memory', async () => {
		const name = host();
		const received = receiver(name);
		const lost = dropMessages();
		const { document } = await submitWith({ url: `https://${name}/` });
		await objectOf(document).startAttempt({ epoch: 1 });
		await objectOf(document).completeAttempt({ fence: FENCE, reply: { status: 204, headers: [] } });
		// The job's own message, and the webhook's.
		await vi.waitFor(() => expect(lost(document)).toBe(2));
		await evictDurableObject(objectOf(document));
		vi.spyOn(Object.getPrototypeOf(env.LANE_JOBS_1) as Queue, 'send').mockRestore();
		expect(received).toHaveLength(0);
		advanceClock(61_000);
		await fireAlarm(document);
		await delivered(document);
		expect(received).toHaveLength(1);
	});

	it('is in the end told everything by a receiver that was down for a day, though the job was to be kept for a minute', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const name = host();
		let isDown = true;
		const received = receiver(name, () => {
			if (isDown) throw new Error('connection refused');
			return new Response(null, { status: 200 });
		});
		const { document } = await submitWith({ url: `https://${name}/` }, { seconds: 0 }, { retainSeconds: 60 });
		await until(document, 'succeeded');
		await vi.waitFor(async () =>
			expect((await statusOf(document)).webhook?.deliveries).toMatchObject([
				{ attempt: expect.any(Number), at: expect.any(String) },
			]),
		);
		const seq = (await statusOf(document)).webhook?.deliveries[0]?.seq ?? 0;
		const start = Date.now();
		const lost = dropMessages();
		while (Date.now() - start < 24 * 3_600_000) {
			advanceClock(600_000);
			const due = (await objectOf(document).delivery(seq)) as DueDelivery | undefined;
			if (due?.waitMs === 0) await objectOf(document).delivered(seq, {});
			expect((await call(document.links.operation)).status).toBe(200);
		}
		expect(lost(document)).toBe(0);
		isDown = false;
		vi.restoreAllMocks();
		const again = receiver(name);
		advanceClock(6 * 3_600_000 + 120_000);
		await fireAlarm(document);
		await vi.waitFor(() => expect(again.map(({ headers }) => headers['webhook-id'])).toEqual([idOf(document, seq)]), {
			timeout: 30_000,
		});
		expect(received.length).toBeGreaterThan(0);
		log.mockRestore();
	});
});

describe('a submission with a webhook', () => {
	it.each([
		['that is no URL', { url: 'nowhere' }, '/options/webhook/url'],
		['for events that are none', { url: 'https://a.example/', events: ['exploded'] }, '/options/webhook/events/0'],
		['in an unknown format', { url: 'https://a.example/', format: 'xml' }, '/options/webhook/format'],
		['with something else in it', { url: 'https://a.example/', secret: 'x' }, '/options/webhook/secret'],
		['without a URL', { format: 'standard' }, '/options/webhook/url'],
		['with credentials', { url: 'https://user:pass@a.example/' }, '/options/webhook/url'],
		['with a name to log in by', { url: 'http://user@localhost/' }, '/options/webhook/url'],
	])('%s is refused', async (_, webhook, pointer) => {
		const response = await post('/v1/jobs', { task: 'sleep', input: { seconds: 0 }, options: { webhook } });
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ code: 'InvalidRequest', errors: [{ pointer }] });
	});

	it('names the header in which its fault is', async () => {
		const headers = { 'coatcheck-webhook-url': 'nowhere', 'coatcheck-webhook-format': 'xml' };
		const response = await post('/v1/tasks/sleep/jobs', { seconds: 0 }, headers);
		const { errors } = await response.json<{ errors: { header: string }[] }>();
		expect(errors.map(({ header }) => header).sort()).toEqual(['Coatcheck-Webhook-Format', 'Coatcheck-Webhook-Url']);
	});

	it('takes part of it from headers and part from the body', async () => {
		const name = host();
		const received = receiver(name);
		const body = { task: 'sleep', input: { seconds: 0 }, options: { webhook: { url: `https://${name}/` } } };
		const response = await post('/v1/jobs', body, { 'coatcheck-webhook-format': 'cloudevents' });
		await delivered(await response.json());
		expect(received[0]?.headers['ce-specversion']).toBe('1.0');
	});

	it('is another request when the webhook is another', async () => {
		const idempotencyKey = crypto.randomUUID();
		receiver('a.example');
		const { document } = await submitWith({ url: 'https://a.example/1' }, { seconds: 0 }, { idempotencyKey });
		const options = { idempotencyKey, webhook: { url: 'https://a.example/2' } };
		expect((await post('/v1/jobs', { task: 'sleep', input: { seconds: 0 }, options })).status).toBe(422);
		await delivered(document);
	});
});

describe('a signature', () => {
	const event = { seq: 3, type: 'succeeded', at: '2026-01-01T00:00:00.000Z', job: {} } as unknown as Parameters<
		typeof signedMessage
	>[0];
	const secret = (fill: number) => `whsec_${btoa(String.fromCharCode(...new Uint8Array(32).fill(fill)))}`;

	it('is there for every secret, so that receivers with the old and with the new one verify', () => {
		const { headers, body } = signedMessage(event, {
			format: 'standard',
			id: 'id',
			now: Date.now(),
			secrets: [secret(2), secret(1)],
		});
		expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
		for (const known of [secret(1), secret(2)])
			expect(new Webhook(known).verify(body, headers)).toMatchObject({ type: 'job.succeeded' });
		expect(() => new Webhook(secret(3)).verify(body, headers)).toThrow();
	});
});

describe('POST /v1/jobs/{id}/webhook/deliveries', () => {
	const sendAgain = (document: StatusDocument, body: unknown) =>
		post(`/v1/jobs/${document.id}/webhook/deliveries`, body as object);

	it('sends the event again, signed, under the same id, and shows it among the deliveries', async () => {
		const name = host();
		const received = receiver(name);
		const { document } = await submitWith({ url: `https://${name}/` });
		const { seq } = await delivered(document);
		const response = await sendAgain(document, { seq });
		expect(response.status).toBe(202);
		expect((await response.json<StatusDocument>()).webhook?.deliveries).toMatchObject([
			{ seq, attempt: 1, status: 'pending' },
		]);
		expect((await delivered(document)).webhook?.deliveries).toMatchObject([{ seq, attempt: 2, status: 'delivered' }]);
		expect(received).toHaveLength(2);
		const [first = NOTHING, second = NOTHING] = received;
		expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
		expect(new Webhook(SECRET).verify(second.body, second.headers)).toMatchObject({ type: 'job.succeeded' });
	});

	it('sends it even if the message is lost: the watchdog sends another', async () => {
		const name = host();
		const received = receiver(name);
		const { document } = await submitWith({ url: `https://${name}/` });
		const { seq } = await delivered(document);
		const sent = dropNextMessage(document);
		await sendAgain(document, { seq });
		await vi.waitFor(() => expect(sent()).toBe(1));
		expect(received).toHaveLength(1);
		advanceClock(WEBHOOK_WATCHDOG_MS.first);
		await fireAlarm(document);
		expect((await delivered(document)).webhook?.deliveries).toMatchObject([{ seq, status: 'delivered' }]);
		expect(received).toHaveLength(2);
	});

	it('says what is wrong: no such event, no webhook, no number, another type', async () => {
		const name = host();
		receiver(name);
		const { document } = await submitWith({ url: `https://${name}/` });
		const told = async (response: Response) => [response.status, (await response.json<{ code: string }>()).code];
		expect(await told(await sendAgain(document, { seq: 99 }))).toEqual([404, 'NotFound']);
		const { document: without } = await submit('sleep', { seconds: 0 });
		expect(await told(await sendAgain(without, { seq: 1 }))).toEqual([404, 'NotFound']);
		for (const body of [{}, { seq: 0 }, { seq: '1' }, { seq: 1, more: 1 }, [], 1])
			expect(await told(await sendAgain(document, body))).toEqual([400, 'InvalidRequest']);
		const plain = await call(`/v1/jobs/${document.id}/webhook/deliveries`, { method: 'POST', body: 'seq=1' });
		expect(await told(plain)).toEqual([415, 'UnsupportedMediaType']);
	});
});
