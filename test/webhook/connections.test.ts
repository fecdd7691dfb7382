import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { Connections } from '../../src/webhook/connections.ts';
import { statusOf, submit } from '../flow/client.ts';
import { dropMessages } from '../flow/faults.ts';
import { deliverTogether } from './receiver.ts';

/** Maximum number of requests that one invocation may wait for on the platform. Local workerd has no such limit. */
const PLATFORM_CONNECTIONS = 6;
/** Represents the receiver's 15 seconds. */
const TIMEOUT_MS = 400;
/** From the connection to the response. */
const LATENCY_MS = 50;

/**
 * The network as one invocation of the deployed Worker sees it. A seventh request waits until one of six has its response,
 * and its timeout runs meanwhile: it ends with that of a receiver named `slow`, which never answers. Any other answers soon, so that a busy
 * machine lets none of them time out. All receivers are of this `domain`.
 *
 * @returns the maximum number of requests open at once, and the headers of all requests.
 */
function sixConnections(domain: string) {
	const connections = new Connections(PLATFORM_CONNECTIONS);
	const seen = { open: 0, most: 0, headers: [] as Headers[] };
	const waiting = new Set<AbortController>();
	const timeOut = () => {
		for (const request of waiting) request.abort(new DOMException('The operation timed out', 'TimeoutError'));
		throw new DOMException('The operation timed out', 'TimeoutError');
	};
	const network = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
		const { host } = new URL(String(input));
		if (!host.endsWith(domain)) throw new Error(`No network to ${host}`);
		const request = new AbortController();
		waiting.add(request);
		seen.open++;
		seen.most = Math.max(seen.most, seen.open);
		try {
			return await connections.use(async () => {
				waiting.delete(request);
				request.signal.throwIfAborted();
				await scheduler.wait(LATENCY_MS);
				seen.headers.push(new Headers(init?.headers));
				if (!host.startsWith('slow')) return new Response(null, { status: 204 });
				await scheduler.wait(TIMEOUT_MS);
				return timeOut();
			});
		} finally {
			seen.open--;
		}
	});
	onTestFinished(() => network.mockRestore());
	return seen;
}

/** Receivers of one test only: deliveries to others may still be on their way. */
const newDomain = () => `.${crypto.randomUUID()}.example`;

/** A job that has its acceptance to deliver, and waits for an hour. */
async function jobWith(url: string): Promise<StatusDocument> {
	const options = { webhook: { url, events: ['accepted'] }, delaySeconds: 3_600 };
	return (await submit('sleep', { seconds: 0 }, options)).document;
}

async function deliveryOf(job: StatusDocument) {
	return (await statusOf(job)).webhook?.deliveries[0];
}

describe('a batch of webhooks', () => {
	it('that are slow takes no time from the fast ones behind them', async () => {
		dropMessages();
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const domain = newDomain();
		const seen = sixConnections(domain);
		const slow = await Promise.all(Array.from({ length: 12 }, (_, n) => jobWith(`https://slow-${n}${domain}/`)));
		const fast = await Promise.all(Array.from({ length: 8 }, (_, n) => jobWith(`https://fast-${n}${domain}/`)));
		await deliverTogether([...slow, ...fast].map(({ id }) => ({ id, seq: 1 })));
		for (const job of fast) expect(await deliveryOf(job)).toMatchObject({ attempt: 1, status: 'delivered', code: 204 });
		for (const job of slow) expect(await deliveryOf(job)).toMatchObject({ attempt: 1, status: 'pending' });
		// Each counted try was sent, and none had to wait for a connection of the platform.
		expect(seen.headers).toHaveLength(20);
		expect(seen.most).toBeLessThanOrEqual(PLATFORM_CONNECTIONS);
		log.mockRestore();
	});
});

describe('the correlation id of a job', () => {
	it('goes with its webhook, and stands in the log line of a try that failed', async () => {
		dropMessages();
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const domain = newDomain();
		const seen = sixConnections(domain);
		const correlationId = `order-${crypto.randomUUID()}`;
		const webhook = { url: `https://slow${domain}/`, events: ['accepted'] };
		const { document } = await submit('sleep', { seconds: 0 }, { webhook, correlationId, delaySeconds: 3_600 });
		await deliverTogether([{ id: document.id, seq: 1 }]);
		expect(seen.headers.map((headers) => headers.get('x-correlation-id'))).toEqual([correlationId]);
		const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
		expect(lines).toContainEqual(
			expect.objectContaining({ message: 'webhook not delivered', job: document.id, seq: 1, correlationId }),
		);
		log.mockRestore();
	});
});
