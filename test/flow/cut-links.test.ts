/** The links of attempts break again and again, on the runtime's own sockets. */
import { env, exports } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { JobObject } from '../../src/object/job-object.ts';
import { RELAYED_JOB } from '../relayed-job.ts';
import { call, eventsOf, post, until } from './client.ts';

const JOBS = 40;
const CUTS_A_JOB = 5;
/** The waits before a link is opened again take about five seconds, on a quiet machine. */
const PATIENCE_MS = 100_000;

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

/** The order to stop reaches the attempt over its last link. @returns the job's last status. */
async function cancelOverLastLink(job: StatusDocument, links: ReadonlyMap<string, number>): Promise<StatusDocument> {
	await vi.waitFor(() => expect(links.get(job.id), `links of job ${job.id}`).toBe(CUTS_A_JOB + 1), PATIENCE_MS);
	await call(job.links.self, { method: 'DELETE' });
	return until(job, 'canceled');
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
		// Each as soon as its last link is open: a job that shares its queue with others starts when they have ended.
		const ended = await Promise.all(jobs.map(async (job) => cancelOverLastLink(job, links)));
		for (const { attempt } of ended) expect(attempt).toBe(1);
		for (const job of jobs) {
			const types = (await eventsOf(job, 0)).map(({ type }) => type);
			expect(types).not.toContain('retrying');
		}
	});
});
