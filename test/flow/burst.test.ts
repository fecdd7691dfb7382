import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { submit, until } from './client.ts';

/** The local queue holds at most this many delayed messages, and rejects all others: workers-sdk issue 15670. */
const DELAYED_AT_MOST = 10_000;
const AN_HOUR_SECONDS = 3_600;
const AT_ONCE = 100;

/** Sends messages that arrive long after the test, for jobs that don't exist. @returns whether the queue accepted them all. */
async function sendDelayed(queue: Queue, count: number): Promise<boolean> {
	const id = env.JOBS.newUniqueId().toString();
	const some = Array.from({ length: AT_ONCE }, () => ({ body: { v: 1, id, epoch: 1 }, delaySeconds: AN_HOUR_SECONDS }));
	try {
		for (let sent = 0; sent < count; sent += AT_ONCE) await queue.sendBatch(some);
		return true;
	} catch {
		return false;
	}
}

describe('a local queue that keeps as many delayed messages as it can', () => {
	it('delays no job: its messages go by the other queues of the lane', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		await sendDelayed(env.LANE_LONG_1, DELAYED_AT_MOST);
		expect(await sendDelayed(env.LANE_LONG_1, AT_ONCE)).toBe(false);
		const jobs = await Promise.all(
			Array.from({ length: 8 }, () => submit('sleep', { seconds: 0 }, { delaySeconds: 1 })),
		);
		for (const { document } of jobs) expect((await until(document, 'succeeded')).attempt).toBe(1);
		log.mockRestore();
	});
});
