import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ReceivedMessage } from '../../src/core/job/message.ts';
import type { Upstream } from '../../src/core/upstream/settings.ts';
import type { Gates } from '../../src/rpc/gates.ts';
import { handleMessage } from '../../src/work/handle-message.ts';
import { dependenciesWith, leaseFor, MESSAGE, recordingJobs } from './attempt-parts.ts';

const REFUSED = { started: false, refusal: 'finished' };
const DENIED = { admitted: false, waitMs: 3_000, message: 'no slot' };
const UPSTREAM_MESSAGE = { ...MESSAGE, upstream: { name: 'narrow', timeoutSeconds: 60 } };

/** Handles a message, at a deployment with one upstream that takes one request at a time. */
async function handle(
	message: ReceivedMessage['message'],
	{ answers = {}, entry = { admitted: true, isCalm: true } as unknown } = {},
) {
	const gateCalls: unknown[][] = [];
	const gate = {
		enter: async () => {
			gateCalls.push(['enter']);
			return entry;
		},
	};
	const reportExit: Gates['reportExit'] = async (_, { health }) => {
		gateCalls.push(['leave', health]);
		return { isCalm: true };
	};
	const { jobs, methods } = recordingJobs({ startAttempt: REFUSED, ...answers });
	const gates = { of: () => gate, reportExit } as unknown as Gates;
	const upstreams = new Map([['narrow', { name: 'narrow', concurrency: 1 } as Upstream]]);
	const received = { message, isRepeat: false, isShared: false };
	const report = handleMessage(dependenciesWith(jobs, [], { upstreams, gates }), received);
	return { report: await report.catch((error: unknown) => error), gateCalls, methods: methods() };
}

describe('the message of a task', () => {
	it('starts an attempt, and asks no gate', async () => {
		expect(await handle(MESSAGE)).toEqual({ report: {}, gateCalls: [], methods: ['startAttempt'] });
	});
});

describe('the message of a forwarded request', () => {
	it('asks the gate first, and reports to it when the attempt has ended', async () => {
		const { gateCalls, methods } = await handle(UPSTREAM_MESSAGE);
		expect(gateCalls).toEqual([['enter'], ['leave', undefined]]);
		expect(methods).toEqual(['startAttempt']);
	});

	it('defers the job if the gate denies it, and starts no attempt', async () => {
		const answers = { deferAttempt: { retryInMs: 3_000 } };
		const { report, gateCalls, methods } = await handle(UPSTREAM_MESSAGE, { entry: DENIED, answers });
		expect(report).toEqual({ retryInMs: 3_000 });
		expect(methods).toEqual(['deferAttempt']);
		expect(gateCalls).toEqual([['enter']]);
	});

	it('asks a denied job that may not start yet when it may, and has no slot to give back', async () => {
		const answers = {
			deferAttempt: { refusal: 'early' },
			startAttempt: { started: false, refusal: 'early', waitMs: 500 },
		};
		const { report, gateCalls, methods } = await handle(UPSTREAM_MESSAGE, { entry: DENIED, answers });
		expect(report).toEqual({ retryInMs: 500 });
		expect(methods).toEqual(['deferAttempt', 'startAttempt']);
		expect(gateCalls).toEqual([['enter']]);
	});

	it('gives its slot back when the job cannot be reached', async () => {
		const away = new Error('The object is away');
		const { report, gateCalls } = await handle(UPSTREAM_MESSAGE, { answers: { startAttempt: away } });
		expect(report).toBe(away);
		expect(gateCalls).toEqual([['enter'], ['leave', undefined]]);
	});

	it('asks no gate for an upstream that is no longer configured', async () => {
		const message = { ...MESSAGE, upstream: { name: 'removed', timeoutSeconds: 60 } };
		expect(await handle(message)).toEqual({ report: {}, gateCalls: [], methods: ['startAttempt'] });
	});
});

describe('the message for a poll', () => {
	it('asks the job whether it is due, and starts no attempt', async () => {
		const answers = { startPoll: { asking: false, refusal: 'stale' } };
		const message = { ...MESSAGE, ask: { attempt: 1, asks: 0 } };
		expect(await handle(message, { answers })).toEqual({ report: {}, gateCalls: [], methods: ['startPoll'] });
	});

	it('fails the job if its upstream is no longer configured, and logs that with the correlation id', async () => {
		const lines: string[] = [];
		const log = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line));
		onTestFinished(() => log.mockRestore());
		const lease = leaseFor('upstreams/removed');
		const following = { operation: {}, answers: 0, failures: 0, asks: 0 };
		const answers = { startPoll: { asking: true, lease, following, since: Date.now() } };
		const { methods } = await handle({ ...MESSAGE, ask: { attempt: 1, asks: 0 } }, { answers });
		expect(methods).toEqual(['startPoll', 'failAttempt']);
		expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
			{ message: 'operation not polled', job: MESSAGE.id, correlationId: lease.options.correlationId },
		]);
	});
});
