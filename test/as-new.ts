/**
 * Loaded before every test file that shares its deployment with others, so that their order does not matter. No job of a file
 * continues after it and delays jobs of the next file. `Retry-After` depends on durations and waits that were learned from jobs.
 * This resets them: each task takes a second again, and no job waits.
 */
import { env, exports } from 'cloudflare:workers';
import { afterAll, beforeAll, vi } from 'vitest';
import { learn } from '../src/http/usual.ts';
import { JobObject } from '../src/object/job-object.ts';
import { noteWait } from '../src/queue/pressure.ts';
import { ORIGIN } from './flow/client.ts';

/** The newest job has a weight of a fifth. */
const ENOUGH = 60;

const LANES = ['jobs', 'long', 'alone'];

const accepted = new Set<string>();
const { accept } = JobObject.prototype;

beforeAll(async () => {
	JobObject.prototype.accept = function (this: { readonly ctx: DurableObjectState } & JobObject, ...parameters) {
		accepted.add(this.ctx.id.toString());
		return accept.apply(this, parameters);
	};
	const response = await exports.default.fetch(`${ORIGIN}/v1/tasks`);
	const { tasks } = await response.json<{ tasks: { name: string }[] }>();
	// Seen too long ago to count.
	for (const lane of LANES) noteWait(lane, 0, 0);
	const startedAt = new Date(Date.now() - 1_000).toISOString();
	const finishedAt = new Date(Date.parse(startedAt) + 1_000).toISOString();
	for (const { name } of tasks) {
		for (let nth = 0; nth < ENOUGH; nth++) learn({ id: crypto.randomUUID(), task: name, startedAt, finishedAt });
	}
});

afterAll(async () => {
	vi.restoreAllMocks();
	JobObject.prototype.accept = accept;
	await Promise.allSettled([...accepted].map((id) => env.JOBS.get(env.JOBS.idFromString(id)).cancel(undefined)));
});
