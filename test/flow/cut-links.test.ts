/** The links of attempts break again and again, on the runtime's own sockets. */
import { env, exports } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { JobObject } from '../../src/object/job-object.ts';
import { RELAYED_JOB } from '../relayed-job.ts';
import { call, eventsOf, post, until } from './client.ts';

const JOBS = 40;
const CUTS_A_JOB = 5;
/** The waits before a link is opened again take about five seconds. */
const PATIENCE_MS = 60_000;

/** Each link leads through an invocation that soon ends, the given number of times. @returns the links of each job so far. */
function cutLinks(times: number): ReadonlyMap<string, number> {
	const links = new Map<string, number>();
	const { Relay } = exports as unknown as { readonly Relay: Fetcher };
	const namespace = Object.getPrototypeOf(env.JOBS) as DurableObjectNamespace<JobObject>;
	const original = namespace.get;
	const spy = vi.spyOn(namespace, 'get').mockImplementation(function (this: typeof namespace, ...args) {
		const stub = original.apply(this, args);
		const id = args[0].toString();
		const fetch = (url: string, init: RequestInit) => {
			const headers = new Headers(init.headers);
			if (new URL(url).pathname !== '/attempt' || headers.has(RELAYED_JOB)) return stub.fetch(url, init);
			const link = (links.get(id) ?? 0) + 1;
			links.set(id, link);
			headers.set(RELAYED_JOB, id);
			return link > times ? stub.fetch(url, init) : Relay.fetch(url, { headers });
		};
		return new Proxy(stub, { get: (target, name) => (name === 'fetch' ? fetch : Reflect.get(target, name)) });
	});
	onTestFinished(() => spy.mockRestore());
	return links;
}

describe('an attempt', () => {
	it(`is not lost if its link breaks ${CUTS_A_JOB} times: no attempt of ${JOBS}`, async () => {
		const links = cutLinks(CUTS_A_JOB);
		// Together: locally a queue has one batch at work at a time, and other messages wait for it.
		const submissions = Array.from({ length: JOBS }, () => ({ task: 'patient', input: {} }));
		const batch = await (await post('/v1/batches', { jobs: submissions })).json<{ jobs: StatusDocument[] }>();
		const jobs = await Promise.all(
			batch.jobs.map(async ({ links: { self } }) => (await call(self)).json<StatusDocument>()),
		);
		const uncut = () => [...links.values()].filter((count) => count > CUTS_A_JOB);
		await vi.waitFor(() => expect(uncut()).toHaveLength(JOBS), PATIENCE_MS);
		// The order to stop reaches each attempt over its last link.
		for (const { links } of jobs) await call(links.self, { method: 'DELETE' });
		for (const job of jobs) {
			expect((await until(job, 'canceled')).attempt).toBe(1);
			const types = (await eventsOf(job, 0)).map(({ type }) => type);
			expect(types).not.toContain('retrying');
		}
	});
});
