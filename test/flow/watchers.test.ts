import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MAX_WATCHERS } from '../../src/job/limits.ts';
import { READER_HEADER } from '../../src/job/reader-header.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { jobToken } from '../http/deployment.ts';
import { submission } from '../job/jobs.ts';
import { call, objectOf, socketOf, submit } from './client.ts';

describe('those who watch one job', () => {
	it('are as many as its object can tell, and the next is asked to come again', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const object = objectOf(document);
		const reader = JSON.stringify({
			tenant: 'default',
			base: { origin: 'https://coatcheck.example', mayCancel: false },
		});
		const headers = { upgrade: 'websocket', 'coatcheck-reader': reader };
		const sockets: (WebSocket | null)[] = [];
		while (sockets.length < MAX_WATCHERS) {
			const { webSocket } = await object.fetch('http://job/watch', { headers });
			webSocket?.accept();
			sockets.push(webSocket);
		}
		expect(sockets).not.toContain(null);
		const { links } = document;
		for (const response of [
			await call(socketOf({ links }), { headers: { upgrade: 'websocket' } }),
			await call(links.events, { headers: { accept: 'text/event-stream' } }),
		]) {
			expect(response.status).toBe(503);
			expect(response.headers.get('retry-after')).toBe('5');
			expect(await response.json()).toMatchObject({ error: { code: 'Overloaded' } });
		}
		// Polling goes on, and who finds no room to wait is told at once how the job is.
		for (const headers of [{}, { prefer: 'wait=5' }])
			expect((await call(links.operation, { headers })).status).toBe(200);
		sockets.pop()?.close();
		await vi.waitFor(async () => {
			const response = await call(socketOf({ links }), { headers: { upgrade: 'websocket' } });
			expect(response.status).toBe(101);
			sockets.push(response.webSocket);
			response.webSocket?.accept();
		});
		await call(links.self, { method: 'DELETE' });
		expect((await call(links.events, { headers: { accept: 'text/event-stream' } })).status).toBe(200);
	});

	it('may belong to a tenant of any letters: what their object is sent is ASCII, and means the same', async () => {
		const tenant = 'bürö "東京" 🦊';
		const id = env.JOBS.newUniqueId().toString();
		await objectOf({ id }).accept({ ...submission({ delaySeconds: 3_600 }), tenant });
		const token = await jobToken({ sub: id, tenant, scope: 'read' });
		const connect = vi.spyOn(Jobs.prototype, 'connect');
		onTestFinished(() => connect.mockRestore());
		const response = await call(`/v1/jobs/${id}/events?token=${token}`, { headers: { accept: 'text/event-stream' } });
		expect(response.status).toBe(200);
		await response.body?.cancel();
		const { [READER_HEADER]: reader = '' } = connect.mock.calls[0]?.[2] ?? {};
		expect(reader).toMatch(/^[\x20-\x7e]+$/);
		expect(JSON.parse(reader)).toMatchObject({ tenant, base: { token } });
	});
});
