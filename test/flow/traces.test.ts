/** The spans that a deployment makes, at the edge of the platform's tracing. */
import { env, tracing } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { traceSpan } from '../../src/trace.ts';
import { receiver } from '../webhook/receiver.ts';
import { call, post, statusOf, until } from './client.ts';

interface RecordedSpan {
	readonly name: string;
	readonly attributes: Record<string, unknown>;
	status?: unknown;
}

/** Records spans instead of the platform. */
function recordSpans({ isTraced = true } = {}): RecordedSpan[] {
	const spans: RecordedSpan[] = [];
	const enterSpan = (name: string, work: (span: unknown) => unknown) => {
		const recorded: RecordedSpan = { name, attributes: {} };
		spans.push(recorded);
		const setAttribute = (key: string, value: unknown) => {
			recorded.attributes[key] = value;
		};
		const setStatus = (status: unknown) => {
			recorded.status = status;
		};
		return work({ isTraced, setAttribute, setStatus });
	};
	const spy = vi.spyOn(tracing, 'enterSpan').mockImplementation(enterSpan as typeof tracing.enterSpan);
	onTestFinished(() => spy.mockRestore());
	return spans;
}

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** What a span must not contain: each stands in the request, in the job or in the configuration. */
const SECRETS = {
	input: 'words of the input',
	progress: 'error with a secret',
	url: 's3cret-in-the-query',
	key: 'ck_0123456789abcdef0123456789abcdef',
};

async function submitTraced(input: object, host: string): Promise<StatusDocument> {
	const options = { correlationId: `order-${crypto.randomUUID()}`, tags: [SECRETS.input] };
	const webhook = { url: `https://${host}/hook?key=${SECRETS.url}` };
	const response = await call('/v1/jobs', {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			traceparent: TRACEPARENT,
			authorization: `Bearer ${SECRETS.key}`,
		},
		body: JSON.stringify({ task: 'sleep', input, options: { ...options, webhook } }),
	});
	expect(response.status).toBe(202);
	return response.json<StatusDocument>();
}

async function deliveredOnce(document: StatusDocument): Promise<void> {
	await vi.waitFor(
		async () => expect((await statusOf(document)).webhook?.deliveries).toMatchObject([{ status: 'delivered' }]),
		{ timeout: 20_000, interval: 20 },
	);
}

const spansOf = (spans: readonly RecordedSpan[], { id }: StatusDocument) =>
	spans.filter(({ attributes }) => attributes['coatcheck.job.id'] === id);

describe('a traced job', () => {
	it('has spans for its acceptance, its attempt, its report and its delivery, which its ids connect', async () => {
		const spans = recordSpans();
		const host = `${crypto.randomUUID()}.example`;
		receiver(host);
		const document = await submitTraced({ seconds: 0 }, host);
		const { seq } = await until(document, 'succeeded');
		await deliveredOnce(document);
		const common = {
			'coatcheck.job.id': document.id,
			'coatcheck.task': 'sleep',
			'coatcheck.correlation_id': document.correlationId,
			'coatcheck.traceparent': TRACEPARENT,
		};
		const own = spansOf(spans, document);
		expect(own.map(({ name }) => name)).toEqual([
			'coatcheck.accept',
			'coatcheck.attempt',
			'coatcheck.report',
			'coatcheck.delivery',
		]);
		const [accept, attempt, report, delivery] = own.map(({ attributes }) => attributes);
		expect(accept).toEqual({ ...common, 'coatcheck.outcome': 'accepted' });
		expect(attempt).toEqual({ ...common, 'coatcheck.attempt': 1, 'coatcheck.outcome': 'reply' });
		expect(report).toEqual({ ...common, 'coatcheck.attempt': 1, 'coatcheck.outcome': 'reply' });
		expect(delivery).toEqual({
			...common,
			'coatcheck.attempt': 1,
			'coatcheck.event.seq': seq,
			'http.response.status_code': 204,
		});
	});

	it('has no secret in any span: no input, no error text, no URL, no token and no key', async () => {
		const spans = recordSpans();
		const host = `${crypto.randomUUID()}.example`;
		receiver(host);
		const error = { code: 'Broken', message: SECRETS.progress, retryable: false };
		const document = await submitTraced({ seconds: 0, error }, host);
		await until(document, 'failed');
		await deliveredOnce(document);
		const own = spansOf(spans, document);
		expect(own).toHaveLength(4);
		const text = JSON.stringify(own);
		const token = new URL(document.links.self).searchParams.get('token') ?? '';
		expect(token.length).toBeGreaterThan(20);
		const [webhookSecret = ''] = JSON.parse(env.WEBHOOK_SECRETS) as string[];
		for (const secret of [...Object.values(SECRETS), token, webhookSecret, env.SIGNING_KEYS, host, 'token='])
			expect(text).not.toContain(secret);
		expect(own[1]?.attributes).toMatchObject({ 'coatcheck.outcome': 'failure' });
	});

	it('has one span for a batch, with the number of its jobs', async () => {
		const spans = recordSpans();
		const job = { task: 'sleep', input: { seconds: 0 }, options: { delaySeconds: 3_600 } };
		const correlationId = `batch-${crypto.randomUUID()}`;
		const response = await call('/v1/batches', {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'x-correlation-id': correlationId },
			body: JSON.stringify({ jobs: [job, job] }),
		});
		expect(response.status).toBe(202);
		const accepts = spans.filter(({ attributes }) => attributes['coatcheck.correlation_id'] === correlationId);
		expect(accepts).toMatchObject([{ name: 'coatcheck.accept', attributes: { 'coatcheck.batch.jobs': 2 } }]);
	});

	it('sets no attribute where it is not sampled, and works as before', async () => {
		const spans = recordSpans({ isTraced: false });
		const response = await post('/v1/jobs', { task: 'sleep', input: { seconds: 0 } });
		await until(await response.json<StatusDocument>(), 'succeeded');
		expect(spans.length).toBeGreaterThanOrEqual(3);
		for (const { attributes } of spans) expect(attributes).toEqual({});
	});
});

describe('a span', () => {
	it('says the name of an error and not its message, and throws it on', async () => {
		const spans = recordSpans();
		const failing = traceSpan('coatcheck.delivery', {}, () =>
			Promise.reject(new TypeError('https://x.example/?key=1')),
		);
		await expect(failing).rejects.toThrow(TypeError);
		expect(spans).toEqual([
			{ name: 'coatcheck.delivery', attributes: { 'error.type': 'TypeError' }, status: { code: 'error' } },
		]);
	});

	it('is only its work where the runtime has no tracing', async () => {
		const owner = Object.hasOwn(tracing, 'enterSpan') ? tracing : Object.getPrototypeOf(tracing);
		const own = Object.getOwnPropertyDescriptor(owner, 'enterSpan') as PropertyDescriptor;
		Object.defineProperty(owner, 'enterSpan', { ...own, value: undefined });
		onTestFinished(() => void Object.defineProperty(owner, 'enterSpan', own));
		expect(tracing.enterSpan).toBeUndefined();
		expect(await traceSpan('coatcheck.accept', { jobs: 1 }, async () => 'done')).toBe('done');
	});

	it('is only its work in the platform itself, which samples no test', async () => {
		expect(await traceSpan('coatcheck.accept', { jobs: 1 }, async () => 'done')).toBe('done');
		await expect(traceSpan('coatcheck.accept', {}, () => Promise.reject(new Error('as before')))).rejects.toThrow(
			'as before',
		);
	});
});
