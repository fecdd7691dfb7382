import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestHarness, unstable_readConfig } from 'wrangler';
import { configWith, localVariables } from '../../bench/configuration.ts';
import { another } from '../../deploy/another.ts';
import { queuePurpose } from '../../src/queue/purpose.ts';
import { submit, until } from '../interop/jobs.ts';

const CONFIG = fileURLToPath(new URL('../../wrangler.toml', import.meta.url));
const NAME = 'staging-coatcheck';

/** The parts of a configuration that are read. */
interface WranglerConfig {
	readonly name?: string | undefined;
	readonly queues: {
		readonly producers?: readonly { readonly queue: string }[] | undefined;
		readonly consumers?:
			| readonly { readonly queue: string; readonly dead_letter_queue?: string | undefined }[]
			| undefined;
	};
	readonly ratelimits: readonly { readonly namespace_id: string }[];
}

/** The names in which two deployments could collide: Worker, queues and rate limiters. */
function sharedNamesOf(config: string): string[] {
	const { name, queues, ratelimits }: WranglerConfig = unstable_readConfig({ config });
	return [
		`${name}`,
		...(queues.producers ?? []).map(({ queue }) => queue),
		...(queues.consumers ?? []).flatMap(({ queue, dead_letter_queue }) => [queue, dead_letter_queue ?? queue]),
		...ratelimits.map(({ namespace_id }) => namespace_id),
	];
}

async function configOfAnother(main: string): Promise<string> {
	const config = await configWith(main, (toml) => another(toml, NAME));
	onTestFinished(config.remove);
	return config.path;
}

describe('a deployment beside the first', () => {
	it('shares no Worker, no queue and no rate limiter with it', async () => {
		const first = new Set(sharedNamesOf(CONFIG));
		const second = sharedNamesOf(await configOfAnother('src/index.ts'));
		expect(second).toHaveLength(sharedNamesOf(CONFIG).length);
		expect(second.filter((name) => first.has(name))).toEqual([]);
		expect(await readFile(CONFIG, 'utf8')).not.toContain(NAME);
	});

	it('knows what each of its queues is for, as the first does', async () => {
		const lanes = new Map(['jobs', 'long', 'alone', 'webhooks'].map((lane) => [lane, []]));
		for (const config of [CONFIG, await configOfAnother('src/index.ts')]) {
			const { queues }: WranglerConfig = unstable_readConfig({ config });
			for (const { queue, dead_letter_queue } of queues.consumers ?? []) {
				expect(queuePurpose(queue, lanes), queue).not.toEqual({ type: 'unknown' });
				const isLane = queuePurpose(queue, lanes).type === 'lane';
				if (isLane) expect(queuePurpose(dead_letter_queue ?? '', lanes)).toEqual({ type: 'dead letters' });
			}
		}
	});

	it('runs jobs, and runs again alone one that lost an attempt', async () => {
		const configPath = await configOfAnother('test/worker.ts');
		const harness = createTestHarness({ workers: [{ configPath, secrets: await localVariables() }] });
		onTestFinished(() => harness.close());
		const { origin } = (await harness.listen()).url;
		const short = await submit(origin, JSON.stringify({ task: 'sleep', input: { seconds: 0 } }));
		expect(await until(short, 'succeeded')).toMatchObject({ attempt: 1 });
		const lost = await submit(origin, JSON.stringify({ task: 'killer', input: { attempts: 1 } }));
		expect(await until(lost, 'succeeded')).toMatchObject({ attempt: 2, maxAttempts: 5 });
	});
});
