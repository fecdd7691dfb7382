/** Tasks that do their worst, in the production bundle with real queues: their neighbours end well, and in time. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestHarness } from 'wrangler';
import { configWith, localVariables, type TemporaryConfig } from '../../bench/configuration.ts';
import { type StatusDocument, statusOf, submit } from '../interop/jobs.ts';

process.env.WRANGLER_LOG ??= 'none';

let config: TemporaryConfig;
let harness: ReturnType<typeof createTestHarness>;
let origin: string;
beforeAll(async () => {
	config = await configWith('test/worker.ts');
	harness = createTestHarness({ workers: [{ configPath: config.path, secrets: await localVariables() }] });
	({ origin } = (await harness.listen()).url);
});
afterAll(async () => {
	await harness.close();
	await config.remove();
});

/** The value of `maxAttempts` without lost attempts. */
const ATTEMPTS = 4;

/** Half of the time that the job has which never settles. A neighbour takes a third of a second. */
const DEAF_SECONDS = 10;

interface Ended extends StatusDocument {
	readonly attempt: number;
	readonly maxAttempts: number;
	readonly startedAt: string;
	readonly finishedAt: string;
	readonly error?: { readonly code: string };
}

const job = (task: string, input: unknown = {}, options: object = {}) =>
	submit(origin, JSON.stringify({ task, input, options }));
const innocents = (count: number) => Array.from({ length: count }, () => job('innocent'));

async function ended(submitted: Promise<StatusDocument>): Promise<Ended> {
	const document = await submitted;
	return vi.waitFor(
		async () => {
			const now = await statusOf(document);
			expect(['succeeded', 'failed']).toContain(now.status);
			return now as Ended;
		},
		{ timeout: 90_000, interval: 200 },
	);
}

describe('a job', () => {
	it('that throws, never settles, returns what is no result or too much, or reports without end harms only itself', async () => {
		const before = innocents(12);
		const poison = {
			leak: job('leak'),
			deaf: job('deaf', {}, { timeoutSeconds: 2 * DEAF_SECONDS }),
			odd: job('odd', 'function'),
			produce: job('produce', { bytes: 33 * 1_024 * 1_024 }),
			chatty: job('chatty'),
		};
		const neighbours = await Promise.all([...before, ...innocents(12)].map(ended));
		for (const { status, attempt } of neighbours) expect([status, attempt]).toEqual(['succeeded', 1]);
		const deaf = await ended(poison.deaf);
		// One that starts just before the end of the deaf job may end after it.
		const afterMs = ({ startedAt }: Ended) => Date.parse(startedAt) - Date.parse(deaf.startedAt);
		const beside = neighbours.filter((job) => afterMs(job) >= 0 && afterMs(job) < DEAF_SECONDS * 1_000);
		for (const { finishedAt } of beside) expect(finishedAt < deaf.finishedAt).toBe(true);
		const codes = Object.entries(poison).map(async ([task, submitted]) => [task, (await ended(submitted)).error?.code]);
		expect(Object.fromEntries(await Promise.all(codes))).toEqual({
			leak: 'TaskFailed',
			deaf: 'ExecutionTimeout',
			odd: 'InvalidOutput',
			produce: 'InvalidOutput',
			chatty: undefined,
		});
	});

	it('that kills its consumer costs each neighbour one attempt at most, which is given back, and then runs alone', async () => {
		const before = innocents(20);
		const killer = job('killer', { attempts: 2 });
		const neighbours = await Promise.all([...before, ...innocents(20)].map(ended));
		const lost = neighbours.map(({ maxAttempts }) => maxAttempts - ATTEMPTS);
		for (const { status } of neighbours) expect(status).toBe('succeeded');
		// It had a neighbour the first time, and none the second.
		expect(Math.max(...lost)).toBe(1);
		for (const { attempt, maxAttempts } of neighbours) expect(attempt).toBe(1 + maxAttempts - ATTEMPTS);
		expect(await ended(killer)).toMatchObject({ status: 'succeeded', attempt: 3, maxAttempts: ATTEMPTS + 2 });
	});

	it('that kills the Worker that accepted it is answered before, and made again by the queue', async () => {
		const killer = await job('at-once', { kills: 1 });
		const { status, error } = await ended(Promise.resolve(killer));
		expect({ status, error }).toEqual({ status: 'succeeded', error: undefined });
	});
});
