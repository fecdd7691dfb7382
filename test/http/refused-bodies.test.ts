import { describe, expect, it } from 'vitest';
import { drain } from '../../src/http/body.ts';
import { stopClock } from '../flow/faults.ts';
import { ask, bearer, DEPLOYED, KEYS, waitingJob } from './deployment.ts';

const KIB = 1_024;
const MIB = 1_024 * KIB;
const GZIP = { 'content-encoding': 'gzip' };

/** Sends an endless body while it is read. @returns the response, and the number of bytes read. */
async function sendWithoutEnd(path: string, headers: Record<string, string>): Promise<[status: number, mib: number]> {
	// The time to arrive is no matter of these tests.
	stopClock();
	let sentBytes = 0;
	const body = new ReadableStream<Uint8Array>({
		pull(controller) {
			sentBytes += 64 * KIB;
			controller.enqueue(new Uint8Array(64 * KIB));
		},
	});
	const response = await ask(DEPLOYED, path, { method: 'POST', body, headers });
	await response.body?.cancel();
	return [response.status, Math.round(sentBytes / MIB)];
}

describe('of a body that is refused', () => {
	it.each([
		['nowhere', '/v1/nowhere', {}, 404, 1],
		['a route that takes none', '/v1/jobs/{id}/cancel', {}, 401, 1],
		['a route that takes a report', '/v1/jobs/{id}/progress', {}, 401, 1],
		['a route that takes an input, from nobody', '/v1/tasks/echo/jobs', {}, 401, 1],
		['a route that takes none, from who may ask', '/v1/jobs/{id}/retry', {}, 409, 1],
		// As much as the platform accepts, so that the client receives the reason.
		['a route that takes an input, from who may send one', '/v1/tasks/echo/jobs', GZIP, 415, 95],
	])('to %s, no more is read than that is worth', async (_, path, headers, status, mib) => {
		const { id } = await waitingJob();
		const credentials = status === 401 ? {} : bearer(KEYS.client);
		const answer = await sendWithoutEnd(path.replace('{id}', id), { ...headers, ...credentials });
		expect(answer).toEqual([status, mib]);
	});

	it('from nobody, that never arrives, the answer waits for no more than seconds', async () => {
		const body = new ReadableStream<Uint8Array>();
		const init = { method: 'POST', body, headers: { 'content-type': 'application/octet-stream' } };
		const response = await ask(DEPLOYED, '/v1/tasks/echo/jobs', init);
		expect(response.status).toBe(401);
	});

	it('that arrives too slowly, no more is waited for than the limit says', async () => {
		const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
		const writer = writable.getWriter();
		void writer.write(new Uint8Array(1)).catch(() => {});
		const request = new Request('https://coatcheck.example/', { method: 'POST', body: readable });
		await drain(request, { maxBytes: MIB, arrivalMs: 50 });
		expect(
			await writer.closed.then(
				() => 'closed',
				() => 'canceled',
			),
		).toBe('canceled');
	});
});
