/** An object that still runs the code of version 0.1.0, as for some time of a deploy. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { JobObjectApi } from '../../src/core/job/object-api.ts';
import type { Exit } from '../../src/core/upstream/gate.ts';
import { Gates } from '../../src/rpc/gates.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { isOutdated, isTransientFailure } from '../../src/rpc/retry-transient.ts';
import { call, objectOf, submit, until } from '../flow/client.ts';
import { advanceClock } from '../flow/faults.ts';
import { replaceStubs } from './stubs.ts';

const { JOBS_010, GATES_010 } = env as unknown as Record<'JOBS_010' | 'GATES_010', DurableObjectNamespace>;

const READER = { tenant: 'default' };

/** Objects of version 0.1.0 answer for this long, and at least so many calls. @returns the number of calls that they got. */
function deployTakes(ms: number, leastCalls = 0): () => number {
	let calls = 0;
	replaceStubs({ ms, isTooEarly: () => calls < leastCalls }, () => {
		calls++;
		return JOBS_010.getByName('busy');
	});
	return () => calls;
}

async function readFromOld(): Promise<unknown> {
	const jobs = new Jobs(JOBS_010);
	return jobs.callOnce(jobs.newId(), (job) => job.readJob(READER)).catch((error: unknown) => error);
}

describe('an object of version 0.1.0', () => {
	it('rejects a call of this version with the text that the runtime has for it', async () => {
		const error = await readFromOld();
		expect(error).toBeInstanceOf(TypeError);
		expect((error as Error).message).toBe('The RPC receiver does not implement the method "readJob".');
		expect([isOutdated(error), isTransientFailure(error)]).toEqual([true, true]);
	});

	it('is called again until it restarts with the code of this version', async () => {
		const { links } = (await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 })).document;
		// The clock stands still, so that nobody's patience ends while the machine does.
		advanceClock(0);
		const calls = deployTakes(400, 2);
		expect((await call(links.operation)).status).toBe(200);
		expect((await call(links.self, { method: 'DELETE' })).status).toBe(200);
		expect(calls()).toBeGreaterThan(1);
	});

	it('is called again by an attempt until its lease ends', async () => {
		const { id } = (await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 })).document;
		deployTakes(3_000);
		const jobs = new Jobs(env.JOBS).repeatingUntil(Date.now() + 60_000);
		const reply = { status: 204, headers: [] };
		const report = await jobs.call(id, (job) => job.completeAttempt({ fence: { epoch: 1, attempt: 1 }, reply }));
		expect(report).toEqual({ refusal: 'stale' });
	});

	it('is answered for with 503 and a Retry-After, when its deploy takes longer', async () => {
		const { id, links } = (await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 })).document;
		deployTakes(60_000);
		const response = await call(links.operation);
		expect(response.status).toBe(503);
		expect(response.headers.get('retry-after')).not.toBeNull();
		const retry = await call(`/v1/jobs/${id}/retry`, { method: 'POST' });
		expect(retry.status).toBe(503);
	});
});

describe('a gate of version 0.1.0', () => {
	it('is told of each finished request all the same, so that no slot is held for nothing', async () => {
		const name = crypto.randomUUID();
		const exit: Exit = { pass: 'pass', job: 'job', health: { isWell: false }, wellBefore: true };
		expect(await new Gates(GATES_010).reportExit(name, exit)).toEqual({ isCalm: true });
		const gate = GATES_010.getByName(name) as unknown as { exits(): Promise<unknown[]> };
		expect(await gate.exits()).toEqual([['pass', { isWell: false }, true, 'job']]);
	});
});

describe('an object of a later version that knows no texts', () => {
	it('sends a structure, and the poll is answered the same', async () => {
		const document = await until((await submit('sleep', { seconds: 0 })).document, 'succeeded');
		const read = async () => (await call(document.links.operation)).json();
		const answer = await read();
		const structure = await (objectOf(document) as unknown as JobObjectApi).readJob(READER);
		replaceStubs({ ms: 10_000 }, () => ({ readJob: async () => structure }) as unknown as DurableObjectStub);
		expect(await read()).toEqual(answer);
	});
});
