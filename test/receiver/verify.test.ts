import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import { describe, expect, it } from 'vitest';
import type { JobEvent, StatusDocument } from '../../src/core/job/document.ts';
import { DeliveryRejected, isJobEvent, type Received, verifyDelivery } from '../../src/receiver/index.ts';
import { signedMessage, signMessage } from '../../src/webhook/sign.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const SECRET = `whsec_${btoa('a secret of at least 24 bytes')}`;
const OTHER = `whsec_${btoa('another secret of some bytes')}`;
const JOB_ID = '0123456789abcdef'.repeat(4);
const ID = `${JOB_ID}:1:3`;
const JOB = {
	id: JOB_ID,
	status: 'succeeded',
	links: { self: `https://coatcheck.example/v1/jobs/${JOB_ID}?token=t` },
} as StatusDocument;
const EVENT: JobEvent = { seq: 3, type: 'succeeded', at: '2026-11-29T11:59:59.000Z', job: JOB };
const DELIVERED = {
	specversion: '1.0',
	id: ID,
	type: 'job.succeeded',
	source: `https://coatcheck.example/v1/jobs/${JOB_ID}`,
	subject: JOB_ID,
	time: EVENT.at,
	data: JOB,
};

const message = (format: 'standard' | 'cloudevents' = 'standard', secrets: readonly string[] = [SECRET]) =>
	signedMessage(EVENT, { format, id: ID, now: NOW, secrets });
const requestWith = ({ headers, body }: { headers: Record<string, string>; body: BodyInit }) =>
	new Request('https://receiver.example/hook', { method: 'POST', headers, body });
const verify = (received: Request | Received, secret: string | readonly string[] = SECRET, now = NOW) =>
	verifyDelivery(received, { secret, now });

describe('a delivery', () => {
	it.each(['standard', 'cloudevents'] as const)('in the format %s is the same CloudEvent', async (format) => {
		const event = await verify(requestWith(message(format)));
		expect(event).toEqual(DELIVERED);
		expect(isJobEvent(event) && event.data.status).toBe('succeeded');
	});

	it('may come from Node, with an object of headers and a Buffer', async () => {
		const { headers, body } = message();
		expect(await verify({ headers, body: Buffer.from(body) })).toEqual(DELIVERED);
		const spelled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
		expect(await verify({ headers: spelled, body })).toEqual(DELIVERED);
	});

	it.each<[string, (headers: Record<string, string>) => Received['headers']]>([
		['the Headers of another package', (headers) => ({ get: (name: string) => new Headers(headers).get(name) })],
		['a map', (headers) => new Map(Object.entries(headers))],
		["Node's rawHeaders", (headers) => Object.entries(headers).flatMap(([name, value]) => [name.toUpperCase(), value])],
		['pairs', (headers) => [...new Headers(headers)]],
		['a record with a header named get', (headers) => ({ ...headers, get: 'it' })],
	])('may come with %s as its headers', async (_, headersFrom) => {
		for (const format of ['standard', 'cloudevents'] as const) {
			const { headers, body } = message(format);
			expect(await verify({ headers: headersFrom(headers), body })).toEqual(DELIVERED);
			const { 'webhook-signature': _, ...unsigned } = headers;
			await expect(verify({ headers: headersFrom(unsigned), body })).rejects.toMatchObject({ code: 'MissingHeader' });
		}
	});

	it('may be signed by another implementation of Standard Webhooks', async () => {
		const { headers, body } = message();
		const signature = new Svix(SECRET).sign(ID, new Date(NOW), body);
		expect(await verify(requestWith({ headers: { ...headers, 'webhook-signature': signature }, body }))).toEqual(
			DELIVERED,
		);
	});

	it('is accepted by the old and by the new secret while both sign, or while the receiver has both', async () => {
		const rotating = message('standard', [OTHER, SECRET]);
		for (const secret of [SECRET, OTHER]) expect(await verify(requestWith(rotating), secret)).toEqual(DELIVERED);
		expect(await verify(requestWith(message()), [OTHER, SECRET])).toEqual(DELIVERED);
	});

	it.each([
		['JSON', 'application/json; charset=utf-8', '{"n":1}', { n: 1 }],
		['text', 'text/plain', 'hello', new TextEncoder().encode('hello')],
		[
			'bytes that are no text',
			'image/png',
			Uint8Array.of(0xef, 0xbb, 0xbf, 0xff),
			Uint8Array.of(0xef, 0xbb, 0xbf, 0xff),
		],
		['nothing', 'application/json', '', undefined],
	])('of a topic carries what was published: %s', async (_, mediaType, body, data) => {
		const attributes = {
			'ce-specversion': '1.0',
			'ce-id': ID,
			'ce-source': 's',
			'ce-type': 'uploaded',
			'ce-time': 't',
		};
		const headers = { ...attributes, 'content-type': mediaType };
		const event = await verify(requestWith(signMessage({ headers, body }, { id: ID, now: NOW, secrets: [SECRET] })));
		expect(event).toEqual({ specversion: '1.0', id: ID, type: 'uploaded', source: 's', time: 't', data });
		expect(isJobEvent(event)).toBe(false);
	});
});

describe('the event of a job', () => {
	const OPTIONS = { id: ID, now: NOW, secrets: [SECRET] };
	const cloudEvent = message('cloudevents');
	/** Somebody on the way changes headers, which nothing signs. */
	const tampered = (changes: Record<string, string>) =>
		requestWith({ ...cloudEvent, headers: { ...cloudEvent.headers, ...changes } });
	/** A publisher's data in an event of a topic. */
	const published = (data: unknown, id: string) =>
		signMessage({ headers: { ...cloudEvent.headers, 'ce-id': id }, body: JSON.stringify(data) }, { ...OPTIONS, id });

	it('has the source and the subject of its signed data, whatever the headers say', async () => {
		const event = await verify(tampered({ 'ce-source': 'https://evil.example/v1/jobs/x', 'ce-subject': 'x' }));
		expect(event).toEqual(DELIVERED);
	});

	it.each([
		'job.failed',
		'job.started',
		'job.unknown',
		'order.paid',
	])('is rejected when its header says %s and its signed data that it succeeded', async (type) => {
		await expect(verify(tampered({ 'ce-type': type }))).rejects.toMatchObject({ code: 'InvalidHeader', status: 400 });
	});

	it.each(['accepted', 'started', 'progress', 'retrying'] as const)('may be %s while the job runs', async (type) => {
		const running = { ...JOB, status: 'running' as const };
		for (const format of ['standard', 'cloudevents'] as const) {
			const event = await verify(requestWith(signedMessage({ ...EVENT, type, job: running }, { ...OPTIONS, format })));
			expect([event.type, isJobEvent(event)]).toEqual([`job.${type}`, true]);
		}
	});

	it('is recognised by the id of a message of version 0.1.0, too', async () => {
		const { headers, body } = signedMessage(EVENT, { ...OPTIONS, format: 'standard', id: `${JOB_ID}:3` });
		expect(isJobEvent(await verify({ headers, body }))).toBe(true);
	});

	it.each([
		["the id of another message's job", JOB, `${'f'.repeat(64)}:1:3`],
		['the id of a topic', { ...JOB, id: 'topic' }, `topic-${JOB_ID}:1:3`],
		['the id of a topic and of a job', JOB, `topic-${JOB_ID}:1:3`],
		['an id of another service', JOB, 'msg_1'],
		['a status that no job has', { ...JOB, status: 'paid' }, ID],
		['no link', { ...JOB, links: {} }, ID],
		['a link that is no text', { ...JOB, links: { self: 1 } }, ID],
		['no links', { ...JOB, links: undefined }, ID],
	])('is not one with %s', async (_, data, id) => {
		const event = await verify(requestWith(published(data, id)));
		expect([event.type, event.subject, isJobEvent(event)]).toEqual(['job.succeeded', undefined, false]);
		const body = JSON.stringify({ type: 'job.succeeded', timestamp: EVENT.at, data });
		const standard = await verify(requestWith(signMessage({ headers: {}, body }, { ...OPTIONS, id })));
		expect([standard.subject, isJobEvent(standard)]).toEqual([undefined, false]);
	});
});

describe('the signature of bytes that are no text', () => {
	const bytes = Uint8Array.of(0x89, 0xff, 0x00, 0xfe);
	const attributes = { 'ce-specversion': '1.0', 'ce-id': ID, 'ce-source': 's', 'ce-type': 'uploaded', 'ce-time': 't' };
	const headers = { ...attributes, 'content-type': 'image/png' };
	const signed = signMessage({ headers, body: bytes }, { id: ID, now: NOW, secrets: [SECRET] });

	it('is the HMAC of the bytes themselves', () => {
		const hmac = createHmac('sha256', 'a secret of at least 24 bytes')
			.update(`${ID}.${NOW / 1_000}.`)
			.update(bytes);
		expect(signed.headers['webhook-signature']).toBe(`v1,${hmac.digest('base64')}`);
	});

	it('belongs to no other bytes, also to none that decode to the same text', async () => {
		const other = Uint8Array.of(0x89, 0xfd, 0x00, 0xfe);
		expect(new TextDecoder().decode(other)).toBe(new TextDecoder().decode(bytes));
		expect((await verify(requestWith(signed))).data).toEqual(bytes);
		await expect(verify(requestWith({ ...signed, body: other }))).rejects.toMatchObject({ code: 'WrongSignature' });
	});

	it('is not what the package standardwebhooks computes, which decodes them', () => {
		const wrong = new Webhook(SECRET).sign(ID, new Date(NOW), Buffer.from(bytes));
		expect(wrong).not.toBe(signed.headers['webhook-signature']);
		const text = signMessage({ headers, body: 'é' }, { id: ID, now: NOW, secrets: [SECRET] });
		expect(new Webhook(SECRET).sign(ID, new Date(NOW), Buffer.from('é'))).toBe(text.headers['webhook-signature']);
	});
});

describe('a message that is no delivery', () => {
	const { headers, body } = message();
	const cloudEvent = message('cloudevents');
	const signed = (text: string) => signMessage({ headers: {}, body: text }, { id: ID, now: NOW, secrets: [SECRET] });
	const MINUTE_MS = 60_000;

	it.each([
		['without a signature', 'MissingHeader', 400, { headers: { ...headers, 'webhook-signature': '' }, body }],
		['without an id', 'MissingHeader', 400, { headers: { ...headers, 'webhook-id': undefined }, body }],
		[
			'with another time',
			'WrongSignature',
			401,
			{ headers: { ...headers, 'webhook-timestamp': String(NOW / 1_000 + 1) }, body },
		],
		['with a time that is none', 'InvalidHeader', 400, { headers: { ...headers, 'webhook-timestamp': 'noon' }, body }],
		['with another id', 'WrongSignature', 401, { headers: { ...headers, 'webhook-id': 'x' }, body }],
		['with another body', 'WrongSignature', 401, { headers, body: `${body} ` }],
		[
			'with a signature of another version',
			'WrongSignature',
			401,
			{ headers: { ...headers, 'webhook-signature': headers['webhook-signature']?.replace('v1', 'v2') }, body },
		],
		[
			'with a signature that is no base64',
			'WrongSignature',
			401,
			{ headers: { ...headers, 'webhook-signature': 'v1,%%% v1,' }, body },
		],
		[
			'with the attributes of another event',
			'InvalidHeader',
			400,
			{ ...cloudEvent, headers: { ...cloudEvent.headers, 'ce-id': 'x' } },
		],
		['whose body is no JSON', 'InvalidBody', 400, signed('{')],
		['whose body is no event', 'InvalidBody', 400, signed('{"type":1}')],
	] as const)('%s is rejected as %s with %i', async (_, code, status, received) => {
		const error = await verify(received).catch((error: unknown) => error);
		expect(error).toBeInstanceOf(DeliveryRejected);
		expect(error).toMatchObject({ code, status });
	});

	it.each([
		['TooOld', 5 * MINUTE_MS + 1_000],
		['TooNew', -5 * MINUTE_MS - 1_000],
	])('is rejected as %s when it was sent more than five minutes away from now', async (code, aheadMs) => {
		await expect(verify({ headers, body }, SECRET, NOW + aheadMs)).rejects.toMatchObject({ code, status: 401 });
		expect(await verify({ headers, body }, SECRET, NOW + aheadMs - Math.sign(aheadMs) * 1_000)).toEqual(DELIVERED);
	});

	it('is rejected with the secret of somebody else', async () => {
		await expect(verify({ headers, body }, OTHER)).rejects.toMatchObject({ code: 'WrongSignature' });
		await expect(verify({ headers, body }, [])).rejects.toMatchObject({ code: 'WrongSignature' });
	});
});

describe('a mistake of the receiver', () => {
	const { headers, body } = message();

	it('is reported without the secret', async () => {
		for (const secret of ['hunter2', 'whsec_', 'whsec_%%'])
			await expect(verify({ headers, body }, secret)).rejects.toThrow(
				new TypeError('secret: expected "whsec_" and base64'),
			);
	});

	it('is a body that was parsed or read before', async () => {
		const parsed = { headers, body: JSON.parse(body) };
		await expect(verify(parsed)).rejects.toThrow('before anything reads or parses them');
		const read = requestWith({ headers, body });
		await read.text();
		await expect(verify(read)).rejects.toThrow('before anything reads or parses them');
	});
});
