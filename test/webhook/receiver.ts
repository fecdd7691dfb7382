/** A webhook receiver, in place of the network: it records the requests and sends the given responses. */
import { createMessageBatch } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { onTestFinished, vi } from 'vitest';
import type { DeliveryMessage } from '../../src/core/job/message.ts';
import worker from '../worker.ts';

export interface Received {
	readonly url: string;
	readonly method: string;
	readonly headers: Record<string, string>;
	readonly body: string;
	/** The body as it came. */
	readonly bytes: Uint8Array;
}

export type Answer = (call: number) => Response | Promise<Response>;

/** Answers every call to one host, and stores the requests. All other fetches fail. */
export function receiver(host: string, answer: Answer = () => new Response(null, { status: 204 })): Received[] {
	const received: Received[] = [];
	const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
		const request = new Request(input as string, init);
		if (new URL(request.url).host !== host) throw new Error(`No network to ${request.url}`);
		const bytes = await request.bytes();
		received.push({
			url: request.url,
			method: request.method,
			headers: Object.fromEntries(request.headers),
			body: new TextDecoder().decode(bytes),
			bytes,
		});
		return answer(received.length);
	});
	onTestFinished(() => spy.mockRestore());
	return received;
}

/** Delivers these messages to a consumer of the lane in one batch, and waits until it has settled them. */
export async function deliverTogether(deliveries: readonly Omit<DeliveryMessage, 'v'>[]): Promise<void> {
	const messages = deliveries.map((delivery, n) => ({
		id: String(n),
		timestamp: new Date(),
		attempts: 1,
		body: { v: 1, ...delivery },
	}));
	await worker.queue(createMessageBatch('coatcheck-webhooks', messages), env);
}
