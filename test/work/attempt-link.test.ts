import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Jobs } from '../../src/rpc/jobs.ts';
import { AttemptLink } from '../../src/work/attempt-link.ts';
import { advanceClock } from '../flow/faults.ts';

/** The object's end of every opened socket, and the messages that it received. */
function objectSide(breakSend = false) {
	const sockets: { server: WebSocket; told: unknown[] }[] = [];
	const connect = async () => {
		const { 0: client, 1: server } = new WebSocketPair();
		const told: unknown[] = [];
		server.accept();
		server.addEventListener('message', ({ data }) => {
			told.push((JSON.parse(String(data)) as { progress: unknown }).progress);
		});
		if (breakSend && sockets.length === 0) {
			client.send = () => {
				throw new TypeError("Can't call WebSocket send() after close().");
			};
		}
		sockets.push({ server, told });
		return { webSocket: client } as unknown as Response;
	};
	return { sockets, jobs: { connect } as unknown as Jobs };
}

const FENCE = { epoch: 1, attempt: 1 };

describe('the link of an attempt', () => {
	it('opens no socket for an attempt that is over at once and says nothing', async () => {
		const { sockets, jobs } = objectSide();
		const link = new AttemptLink({ jobs, id: 'a', fence: FENCE, onAbort: vi.fn() });
		expect(link.endProgress()).toBeUndefined();
		link.close();
		// A link that is not closed opens its socket after a second.
		await scheduler.wait(1_200);
		expect(sockets).toHaveLength(0);
	});

	it('sends the first progress at once, then the newest of each second, and hands back what has not gone out', async () => {
		const { sockets, jobs } = objectSide();
		const link = new AttemptLink({ jobs, id: 'a', fence: FENCE, onAbort: vi.fn() });
		link.report({ percentComplete: 10 });
		await vi.waitFor(() => expect(sockets[0]?.told).toEqual([{ percentComplete: 10 }]));
		for (const percentComplete of [20, 30, 40]) link.report({ percentComplete });
		await vi.waitFor(() => expect(sockets[0]?.told.at(-1)).toEqual({ percentComplete: 40 }));
		// If the machine stood still for a second, the 20 was sent at once. The 30 is never sent.
		expect(sockets[0]?.told).not.toContainEqual({ percentComplete: 30 });
		// However long the machine stands still here: a second has not passed.
		advanceClock(-60_000);
		link.report({ percentComplete: 90, message: 'nearly' });
		expect(link.endProgress()).toEqual({ percentComplete: 90, message: 'nearly' });
	});

	it('says everything again over a new socket when the old one breaks, and never throws at its task', async () => {
		const { sockets, jobs } = objectSide(true);
		const link = new AttemptLink({ jobs, id: 'a', fence: FENCE, onAbort: vi.fn() });
		expect(() => link.report({ percentComplete: 10 })).not.toThrow();
		await vi.waitFor(() => expect(sockets[1]?.told).toEqual([{ percentComplete: 10 }]), { timeout: 4_000 });
		sockets[1]?.server.close();
		await vi.waitFor(() => expect(sockets[2]?.told).toEqual([{ percentComplete: 10 }]), { timeout: 4_000 });
		link.close();
	});

	it('says data alone again over a new socket, too', async () => {
		const { sockets, jobs } = objectSide();
		const link = new AttemptLink({ jobs, id: 'a', fence: FENCE, onAbort: vi.fn() });
		link.report({ data: { page: 7 } });
		await vi.waitFor(() => expect(sockets[0]?.told).toEqual([{ data: { page: 7 } }]));
		sockets[0]?.server.close();
		await vi.waitFor(() => expect(sockets[1]?.told).toEqual([{ data: { page: 7 } }]), { timeout: 4_000 });
		link.close();
	});

	it('sends no step of less than one percent, with or without a message before', async () => {
		const { sockets, jobs } = objectSide();
		const link = new AttemptLink({ jobs, id: 'a', fence: FENCE, onAbort: vi.fn() });
		link.report({ percentComplete: 10, message: 'reading' });
		await vi.waitFor(() => expect(sockets[0]?.told).toHaveLength(1));
		link.report({ percentComplete: 10.4 });
		expect(link.endProgress()).toBeUndefined();
		link.close();
	});

	it('passes on the order to stop', async () => {
		const { sockets, jobs } = objectSide();
		const onAbort = vi.fn();
		const link = new AttemptLink({ jobs, id: 'a', fence: FENCE, onAbort });
		link.report({ percentComplete: 1 });
		await vi.waitFor(() => expect(sockets).toHaveLength(1));
		sockets[0]?.server.send('{"type":"abort","reason":"canceled"}');
		await vi.waitFor(() => expect(onAbort).toHaveBeenCalledWith('canceled'));
		link.close();
	});

	it('asks for an object that is away after growing waits, however much there is to say', async () => {
		const timesMs: number[] = [];
		const jobs = {
			connect: async () => {
				timesMs.push(Date.now());
				throw new Error('The object is away');
			},
		} as unknown as Jobs;
		const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => logged.mockRestore());
		const link = new AttemptLink({ jobs, id: 'a', fence: FENCE, onAbort: vi.fn() });
		let percentComplete = 0;
		const talking = setInterval(() => link.report({ percentComplete: percentComplete++ }), 5);
		await vi.waitFor(() => expect(timesMs.length).toBeGreaterThanOrEqual(4), { timeout: 15_000 });
		clearInterval(talking);
		link.close();
		const waitsMs = timesMs.slice(1).map((ms, index) => ms - (timesMs[index] ?? 0));
		// At least half of 0.5, 1 and 2 s: a busy machine only makes the waits longer.
		for (const [index, leastMs] of [250, 500, 1_000].entries()) {
			expect(waitsMs[index]).toBeGreaterThanOrEqual(leastMs - 5);
		}
		expect(logged).toHaveBeenCalledTimes(1);
	});
});
