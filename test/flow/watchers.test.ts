import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MAX_WATCHERS, WATCHER_SILENT_MS } from '../../src/core/job/limits.ts';
import { READER_HEADER } from '../../src/core/job/reader-header.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { submission } from '../core/job/jobs.ts';
import { jobToken } from '../http/deployment.ts';
import { call, objectOf, socketOf, submit, watch } from './client.ts';
import { advanceClock } from './faults.ts';

const READER = JSON.stringify({
	tenant: 'default',
	base: { origin: 'https://coatcheck.example', mayCancel: false },
});

describe('those who watch one job', () => {
	it('are as many as its object can tell, and the next is asked to come again', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const object = objectOf(document);
		const headers = { upgrade: 'websocket', [READER_HEADER]: READER };
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
		// Polling continues, and a client without a place to wait gets the status at once.
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

	it('make room when they were silent for minutes, the longest silent first, and only while there is none', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const object = objectOf(document);
		const headers = { upgrade: 'websocket', [READER_HEADER]: READER };
		const open = async () => {
			const response = await object.fetch('http://job/watch', { headers });
			const closed = vi.fn();
			response.webSocket?.addEventListener('close', ({ code }) => closed(code));
			response.webSocket?.accept();
			return { status: response.status, socket: response.webSocket, closed };
		};
		const watchers: Awaited<ReturnType<typeof open>>[] = [];
		while (watchers.length < MAX_WATCHERS) watchers.push(...(await Promise.all(Array.from({ length: 100 }, open))));
		// Silent, but not for long enough: the new client has to try again.
		expect((await open()).status).toBe(503);
		advanceClock(WATCHER_SILENT_MS + 1_000);
		const [first, ...others] = watchers;
		const cut = () => others.filter(({ closed }) => closed.mock.calls.length > 0);
		const pong = new Promise((resolve) => first?.socket?.addEventListener('message', resolve, { once: true }));
		vi.useRealTimers();
		await scheduler.wait(20);
		first?.socket?.send('ping');
		await pong;
		advanceClock(WATCHER_SILENT_MS);
		expect((await open()).status).toBe(101);
		await vi.waitFor(() => expect(cut()).toHaveLength(1), 10_000);
		expect(cut()[0]?.closed).toHaveBeenCalledWith(1013);
		expect(first?.closed).not.toHaveBeenCalled();
	});

	it('are not cut while there is room, however long they are silent', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const silent = await watch(document);
		advanceClock(30 * 60_000);
		const newcomer = await watch(document);
		newcomer.socket.send('ping');
		await call(document.links.self, { method: 'DELETE' });
		expect((await silent.closed).code).toBe(1000);
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
		const { [READER_HEADER]: reader = '' } = connect.mock.calls.find(([called]) => called === id)?.[2] ?? {};
		expect(reader).toMatch(/^[\x20-\x7e]+$/);
		expect(JSON.parse(reader)).toMatchObject({ tenant, base: { token } });
	});
});
