/**
 * Loaded before every test file that shares its deployment with others, so that their order means nothing. No job of a file
 * works on or wakes after it, in the way of those of the next. How long a task usually takes and how long jobs wait is learnt from jobs,
 * and told by `Retry-After`: here each task takes a second again, and none waits.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { afterAll, beforeAll, vi } from 'vitest';
import { recordDuration } from '../src/http/typical-duration.ts';
import { JobObject } from '../src/object/job-object.ts';
import { noteWait } from '../src/queue/pressure.ts';
import { ORIGIN } from './flow/client.ts';

/** The newest job weighs a fifth. */
const ENOUGH = 60;

const LANES = ['jobs', 'long', 'alone', 'now'];

// The codec of `@jsquash/png` takes a Worker for a page and gives it an empty location, which `@cfworker/json-schema` then reads as its base.
Reflect.deleteProperty(globalThis, 'location');

const accepted = new Set<string>();
const { accept } = JobObject.prototype;

beforeAll(async () => {
	JobObject.prototype.accept = function (this: { readonly ctx: DurableObjectState } & JobObject, ...parameters) {
		accepted.add(this.ctx.id.toString());
		return accept.apply(this, parameters);
	};
	const response = await exports.default.fetch(`${ORIGIN}/v1/tasks`);
	const { tasks } = await response.json<{ tasks: { name: string }[] }>();
	// Seen too long ago to be news.
	for (const lane of LANES) noteWait(lane, 0, 0);
	const startedAt = new Date(Date.now() - 1_000).toISOString();
	const finishedAt = new Date(Date.parse(startedAt) + 1_000).toISOString();
	for (const { name } of tasks) {
		for (let nth = 0; nth < ENOUGH; nth++)
			recordDuration({ id: crypto.randomUUID(), task: name, startedAt, finishedAt });
	}
});

afterAll(async () => {
	vi.restoreAllMocks();
	JobObject.prototype.accept = accept;
	await Promise.allSettled([...accepted].map(stop));
});

async function stop(id: string): Promise<void> {
	const job = env.JOBS.get(env.JOBS.idFromString(id));
	await job.cancelJob({});
	await runInDurableObject(job, (_, { storage }) => storage.deleteAlarm());
}
