/** Bulk actions, through the routes and the queues. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { awaitedMessage, type JobMessage } from '../../src/core/job/message.ts';
import type { EventsReading } from '../../src/core/job/object-api.ts';
import type { JobRecord } from '../../src/core/job/record.ts';
import { JobObject } from '../../src/object/job-object.ts';
import { type ActionDocument, deliver, failedJobs, tenantOfActions } from './action-client.ts';
import { objectOf } from './client.ts';
import { advanceClock, dropMessages, keepObjectsAway } from './faults.ts';

const NIGHT = { tag: 'night' };

afterEach(() => {
	vi.restoreAllMocks();
});

/** Number of times that each job was accepted, the retries included. */
async function timesAccepted(ids: readonly string[]): Promise<number[]> {
	return Promise.all(
		ids.map(async (id) => {
			const reading = (await objectOf({ id }).readEvents(
				{ tenant: await tenantIn(id) },
				{ after: 0 },
			)) as EventsReading;
			return 'events' in reading ? reading.events.filter(({ type }) => type === 'accepted').length : 0;
		}),
	);
}

/** The message that an action waits for. */
function nextMessage({ id }: { readonly id: string }): Promise<JobMessage | undefined> {
	return runInDurableObject(objectOf({ id }), (_, { storage }) => {
		const record = storage.kv.get<JobRecord>('job');
		return record && awaitedMessage(id, record);
	});
}

function tenantIn(id: string): Promise<string> {
	return runInDurableObject(
		objectOf({ id }),
		(_, { storage }) => storage.kv.get<{ tenant: string }>('job')?.tenant ?? '',
	);
}

describe('POST /v1/actions', () => {
	it('answers at once with 202 and a Location, and runs every failed job again, once', async () => {
		const tenant = tenantOfActions();
		const jobs = await failedJobs(tenant, 30);
		const other = await failedJobs(tenant, 1, 'day');
		const { response, document } = await tenant.act('retry', { status: 'failed', ...NIGHT });
		expect(response.status).toBe(202);
		expect(response.headers.get('location')).toBe(document.links.self);
		expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
		expect(document).toMatchObject({
			action: 'retry',
			filter: { status: 'failed', tag: ['night'] },
			status: 'pending',
			matched: 30,
			done: 0,
			refused: 0,
			percentComplete: 0,
		});
		const over = await tenant.actionUntil(document.id, 'succeeded');
		expect(over).toMatchObject({ matched: 30, done: 30, refused: 0, percentComplete: 100 });
		await Promise.all(jobs.map(({ id }) => tenant.jobUntil(id, 'failed')));
		expect(new Set(await timesAccepted(jobs.map(({ id }) => id)))).toEqual(new Set([2]));
		expect(await timesAccepted(other.map(({ id }) => id))).toEqual([1]);
	});

	it('cancels jobs that wait and jobs that run', async () => {
		const tenant = tenantOfActions();
		const waiting = await tenant.submit({ seconds: 0 }, { delaySeconds: 3_600, tags: ['night'] });
		const running = await tenant.submit({ seconds: 60 }, { tags: ['night'] });
		await tenant.jobUntil(running.id, 'running');
		await tenant.listed(NIGHT, 2);
		const { document } = await tenant.act('cancel', NIGHT);
		expect(await tenant.actionUntil(document.id, 'succeeded')).toMatchObject({ matched: 2, done: 2, refused: 0 });
		await tenant.jobUntil(waiting.id, 'canceled');
		await tenant.jobUntil(running.id, 'canceled');
	});

	it('purges jobs that have ended, and counts the others as refused, by the reason', async () => {
		const tenant = tenantOfActions();
		const [failed] = await failedJobs(tenant, 1);
		await tenant.submit({ seconds: 0 }, { delaySeconds: 3_600, tags: ['night'] });
		await tenant.listed(NIGHT, 2);
		const { document } = await tenant.act('purge', NIGHT);
		const over = await tenant.actionUntil(document.id, 'succeeded');
		expect(over).toMatchObject({ matched: 2, done: 1, refused: 1, refusals: { unfinished: 1 }, percentComplete: 100 });
		expect((await tenant.send(`/v1/jobs/${failed?.id}`)).status).toBe(410);
	});

	it('does not run a job again that succeeded', async () => {
		const tenant = tenantOfActions();
		const { id } = await tenant.submit({ seconds: 0 }, { tags: ['night'] });
		await tenant.jobUntil(id, 'succeeded');
		await tenant.listed({ ...NIGHT, status: 'succeeded' }, 1);
		const { document } = await tenant.act('retry', NIGHT);
		expect(await tenant.actionUntil(document.id, 'succeeded')).toMatchObject({ done: 0, refusals: { succeeded: 1 } });
	});

	it('ends at once when nothing matches', async () => {
		const { document } = await tenantOfActions().act('cancel', { task: 'nothing' });
		expect(document).toMatchObject({ matched: 0 });
	});

	it('answers a second equal request with the action in flight, and with a new one when that is over', async () => {
		const tenant = tenantOfActions();
		await failedJobs(tenant, 3);
		const [first, second] = await Promise.all([
			tenant.act('retry', { tag: ['night'], status: 'failed' }),
			tenant.act('retry', { status: 'failed', tag: 'night' }),
		]);
		expect(second.document.id).toBe(first.document.id);
		const replays = [first, second].map(({ response }) => response.headers.get('idempotent-replayed'));
		expect(replays.toSorted()).toEqual([null, 'true'].toSorted());
		const over = await tenant.actionUntil(first.document.id, 'succeeded');
		expect(over).toMatchObject({ done: 3 });
		const third = await tenant.act('retry', { status: 'failed', ...NIGHT });
		expect(third.response.headers.get('idempotent-replayed')).toBeNull();
		expect(third.document.createdAt > over.createdAt).toBe(true);
		await tenant.actionUntil(third.document.id, 'succeeded');
	});

	it('keeps tenants apart', async () => {
		const tenant = tenantOfActions();
		const { document } = await tenant.act('cancel', NIGHT);
		const stranger = tenantOfActions();
		const { document: theirs } = await stranger.act('cancel', NIGHT);
		expect(theirs.id).not.toBe(document.id);
		for (const method of ['GET', 'DELETE']) {
			const response = await stranger.send(`/v1/actions/${document.id}`, { method });
			expect(response.status).toBe(404);
			expect(await response.json()).toMatchObject({ code: 'ActionNotFound' });
		}
	});

	it.each([
		[{}, ['/action', '/filter']],
		[{ action: 'delete', filter: { task: 'sleep' } }, ['/action']],
		[{ action: 'retry', filter: {} }, ['/filter']],
		[{ action: 'retry', filter: { status: 'broken', phase: 'dead' } }, ['/filter/status', '/filter/phase']],
		[{ action: 'retry', filter: { tag: [] } }, ['/filter']],
		[{ action: 'retry', filter: 'all' }, ['/filter']],
		[{ action: 'retry', filter: { createdAfter: 'yesterday' } }, ['/filter/createdAfter']],
		[{ action: 'retry', filter: { id: 'a' } }, ['/filter/id']],
		[{ action: 'retry', filter: { task: 'sleep' }, dryRun: true }, ['/dryRun']],
	])('rejects %j, and names %j', async (body, pointers) => {
		const response = await tenantOfActions().post('/v1/actions', body);
		expect(response.status).toBe(400);
		const problem = await response.json<{ code: string; errors: { pointer: string; message: string }[] }>();
		expect(problem.code).toBe('InvalidRequest');
		expect(problem.errors.map(({ pointer }) => pointer)).toEqual(pointers);
		for (const { message } of problem.errors) expect(message).toMatch(/^(expected |unknown field)/);
	});
});

describe('an action', () => {
	it('is none of the tenant’s tasks, and no client can run it again', async () => {
		const tenant = tenantOfActions();
		const { tasks } = await tenant.read<{ tasks: { name: string }[] }>('/v1/tasks');
		expect(tasks.filter(({ name }) => name.startsWith('coatcheck'))).toEqual([]);
		const submitted = await tenant.post('/v1/jobs', { task: 'coatcheck.action', input: {} });
		expect(submitted.status).toBe(404);
		const { document } = await tenant.act('cancel', NIGHT);
		await tenant.actionUntil(document.id, 'succeeded');
		const retried = await tenant.send(`/v1/jobs/${document.id}/retry`, { method: 'POST' });
		expect(await retried.json()).toMatchObject({ status: 409, code: 'NotRetryable' });
	});

	it('is not found by the id of a job, and its DELETE cancels no job', async () => {
		const tenant = tenantOfActions();
		const { id } = await tenant.submit({ seconds: 0 }, { delaySeconds: 3_600 });
		for (const method of ['GET', 'DELETE'])
			expect(await (await tenant.send(`/v1/actions/${id}`, { method })).json()).toMatchObject({
				code: 'ActionNotFound',
			});
		expect(await tenant.jobUntil(id, 'pending')).toMatchObject({ seq: 1 });
	});

	it('shows its link to whoever has it, and tells its events', async () => {
		const tenant = tenantOfActions();
		await failedJobs(tenant, 2);
		const { document } = await tenant.act('retry', NIGHT);
		await tenant.actionUntil(document.id, 'succeeded');
		const { links } = document;
		const byLink = await tenant.send(links.self, { headers: { authorization: '' } });
		expect(await byLink.json()).toMatchObject({ status: 'succeeded', done: 2 });
		const { events } = await (await tenant.send(links.events)).json<{ events: { type: string }[] }>();
		expect(events.map(({ type }) => type)).toEqual(['accepted', 'started', 'succeeded']);
	});

	it('stops at the next job when it is deleted, and says what it has done', async () => {
		const tenant = tenantOfActions();
		const jobs = await failedJobs(tenant, 70);
		const { obeyAction } = JobObject.prototype;
		let obeyed = 0;
		let isDeleted = false;
		// The first jobs obey. The next ones wait for the request, however late it comes.
		JobObject.prototype.obeyAction = async function (...parameters) {
			while (obeyed > 0 && !isDeleted) await scheduler.wait(20);
			await scheduler.wait(600);
			obeyed++;
			return obeyAction.apply(this, parameters);
		};
		onTestFinished(() => {
			JobObject.prototype.obeyAction = obeyAction;
		});
		// Purged jobs need no room in a queue: the action stops for nothing else.
		const { document } = await tenant.act('purge', NIGHT);
		await vi.waitFor(() => expect(obeyed).toBeGreaterThan(0), { interval: 10, timeout: 30_000 });
		const response = await tenant.send(`/v1/actions/${document.id}`, { method: 'DELETE' });
		isDeleted = true;
		expect([response.status, (await response.json<{ phase: string }>()).phase]).toEqual([202, 'canceling']);
		const over = await tenant.actionUntil(document.id, 'canceled');
		expect(over.done).toBe(obeyed);
		expect(over.done).toBeLessThan(jobs.length);
		const responses = await Promise.all(jobs.map(({ id }) => tenant.send(`/v1/jobs/${id}`)));
		expect(responses.filter(({ status }) => status === 410)).toHaveLength(over.done);
		expect((await tenant.send(`/v1/actions/${document.id}`, { method: 'DELETE' })).status).toBe(200);
	});

	it('runs no job twice when its consumer is lost before it has written what it did', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const tenant = tenantOfActions();
		const jobs = await failedJobs(tenant, 40);
		const { completeAttempt } = JobObject.prototype;
		let lost = 0;
		// The first consumer disappears after its last job: its report never arrives.
		JobObject.prototype.completeAttempt = async function (...parameters) {
			if (parameters[0].reply.body?.mediaType !== 'application/json' || lost > 0)
				return completeAttempt.apply(this, parameters);
			lost++;
			return { refusal: 'settled' };
		};
		onTestFinished(() => {
			JobObject.prototype.completeAttempt = completeAttempt;
		});
		const { document } = await tenant.act('retry', NIGHT);
		await vi.waitFor(() => expect(lost).toBe(1), { timeout: 30_000, interval: 20 });
		// A consumer has a minute for a portion.
		advanceClock(61_000);
		expect(await deliver(tenant.deployment, await nextMessage(document))).toBe('acked');
		const over = await tenant.actionUntil(document.id, 'succeeded');
		expect(over).toMatchObject({ matched: 40, done: 40, refused: 0 });
		expect(new Set(await timesAccepted(jobs.map(({ id }) => id)))).toEqual(new Set([2]));
		log.mockRestore();
	});

	it('leaves jobs alone that came, or matched, after it was made', async () => {
		const tenant = tenantOfActions();
		const submit = () => tenant.submit({ seconds: 0 }, { delaySeconds: 3_600, tags: ['night'] });
		const before = [await submit(), await submit()];
		await tenant.listed(NIGHT, 2);
		const kept = keepMessages();
		const { document } = await tenant.act('cancel', NIGHT);
		await scheduler.wait(5);
		const after = await submit();
		await tenant.listed(NIGHT, 3);
		for (let portion = 0; portion < 9 && kept.actions.length > 0; portion++)
			await deliver(tenant.deployment, kept.actions.shift());
		expect(await tenant.actionUntil(document.id, 'succeeded')).toMatchObject({ matched: 2, done: 2, refused: 0 });
		for (const { id } of before) await tenant.jobUntil(id, 'canceled');
		expect(await tenant.jobUntil(after.id, 'pending')).toMatchObject({ seq: 1 });
	});

	it('comes back to jobs that could not be called', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const tenant = tenantOfActions();
		await failedJobs(tenant, 3);
		keepObjectsAway({ methods: ['obeyAction'], awayMs: 1_500 });
		const { document } = await tenant.act('retry', NIGHT);
		expect(await tenant.actionUntil(document.id, 'succeeded')).toMatchObject({ done: 3, refused: 0 });
		log.mockRestore();
	});
});

describe('the limits of actions', () => {
	it('let a tenant have so many unfinished actions, and show a replay all the same', async () => {
		const tenant = tenantOfActions({ MAX_ACTIONS: '1' });
		const lost = dropMessages();
		const { document } = await tenant.act('cancel', { task: 'a' });
		expect(lost(document)).toBe(1);
		const second = await tenant.act('cancel', { task: 'b' });
		expect(second.response.status).toBe(429);
		expect(Object.fromEntries(second.response.headers)).toMatchObject({
			'retry-after': expect.stringMatching(/^[5-9]$/),
			ratelimit: '"actions";r=0',
			'ratelimit-policy': '"actions";q=1;qu="concurrent-requests"',
		});
		const replay = await tenant.act('cancel', { task: 'a' });
		expect(replay.response.status).toBe(202);
		expect(replay.document.id).toBe(document.id);
		expect((await tenant.send(`/v1/actions/${document.id}`, { method: 'DELETE' })).status).toBe(200);
		const last = await vi.waitFor(
			async () => {
				const made = await tenant.act('cancel', { task: 'b' });
				expect(made.response.status).toBe(202);
				return made.document;
			},
			{ timeout: 20_000, interval: 50 },
		);
		await tenant.send(`/v1/actions/${last.id}`, { method: 'DELETE' });
	});

	it('let retried jobs wait for room in their quota, and skip none', async () => {
		const tenant = tenantOfActions({ MAX_JOBS_IN_FLIGHT: '5' });
		const jobs = [];
		for (let nth = 0; nth < 3; nth++) {
			jobs.push(...(await failedJobs(tenant, 4)));
			await vi.waitFor(async () => expect(await jobsInFlight(tenant.by.tenant)).toBe(0), { timeout: 20_000 });
		}
		await tenant.listed({ ...NIGHT, status: 'failed' }, 12);
		const kept = keepMessages();
		const { document } = await tenant.act('retry', NIGHT);
		const consume = () => deliver(tenant.deployment, kept.actions.shift());
		// An action rests earlier where jobs have waited for seconds, as on a machine that stood still.
		for (let portion = 0; portion < 20 && (await jobsInFlight(tenant.by.tenant)) < 5; portion++) await consume();
		const full = await tenant.read(`/v1/actions/${document.id}`);
		expect(full).toMatchObject({ status: 'running', done: 5, refused: 0 });
		expect(await jobsInFlight(tenant.by.tenant)).toBe(5);
		// Not before Retry-After, but this test's queue is impatient.
		for (let portion = 0; portion < 20 && kept.actions.length > 0; portion++) {
			for (const message of kept.jobs.splice(0)) await deliver(tenant.deployment, message);
			await vi.waitFor(async () => expect(await jobsInFlight(tenant.by.tenant)).toBeLessThan(5), { timeout: 20_000 });
			await consume();
		}
		expect(await tenant.actionUntil(document.id, 'succeeded')).toMatchObject({ done: 12, refused: 0 });
		expect(new Set(await timesAccepted(jobs.map(({ id }) => id)))).toEqual(new Set([2]));
	});
});

interface Log {
	readonly actions: readonly (ActionDocument & { readonly by?: string })[];
	readonly nextCursor?: string;
}

describe('GET /v1/actions', () => {
	it('lists who did what and what came of it, newest first, also when the action itself is deleted', async () => {
		const tenant = tenantOfActions();
		await failedJobs(tenant, 3);
		const { document: purge } = await tenant.act('purge', NIGHT);
		await tenant.actionUntil(purge.id, 'succeeded');
		const { document: none } = await tenant.act('cancel', { tag: 'none' });
		await tenant.actionUntil(none.id, 'succeeded');
		const log = await tenant.read<Log>('/v1/actions');
		expect(log.actions).toMatchObject([
			{ id: none.id, action: 'cancel', by: 'client', status: 'succeeded', matched: 0 },
			{ id: purge.id, action: 'purge', filter: { tag: ['night'] }, by: 'client', matched: 3, done: 3, refused: 0 },
		]);
		expect(log).not.toHaveProperty('nextCursor');
		const self = await tenant.send(log.actions[1]?.links.self ?? '');
		expect(await self.json()).toMatchObject({ id: purge.id, by: 'client' });
		expect((await tenant.post(`/v1/jobs/${purge.id}/purge`, {})).status).toBe(204);
		expect(await tenant.read<Log>('/v1/actions')).toEqual(log);
	});

	it('pages, and has an action that is at work with its counts of now', async () => {
		const tenant = tenantOfActions();
		const ended: string[] = [];
		for (const tag of ['a', 'b', 'c']) {
			const { document } = await tenant.act('cancel', { tag });
			await tenant.actionUntil(document.id, 'succeeded');
			ended.unshift(document.id);
		}
		const kept = keepMessages();
		const { document: atWork } = await tenant.act('cancel', NIGHT);
		expect(kept.actions.length).toBeGreaterThan(0);
		const ids: string[] = [];
		let cursor = '';
		do {
			const { actions, nextCursor } = await tenant.read<Log>(`/v1/actions?limit=2${cursor}`);
			if (cursor === '') expect(actions[0]).toMatchObject({ id: atWork.id, status: 'pending', percentComplete: 0 });
			ids.push(...actions.map(({ id }) => id));
			cursor = nextCursor === undefined ? '' : `&cursor=${nextCursor}`;
		} while (cursor !== '');
		expect(ids).toEqual([atWork.id, ...ended]);
	});

	it('has both of two actions with the same request, although the second took the place of the first', async () => {
		const tenant = tenantOfActions();
		for (let time = 0; time < 2; time++) {
			const { document } = await tenant.act('cancel', NIGHT);
			await tenant.actionUntil(document.id, 'succeeded');
		}
		const { actions } = await tenant.read<Log>('/v1/actions');
		expect(new Set(actions.map(({ id }) => id)).size).toBe(1);
		expect(new Set(actions.map(({ createdAt }) => createdAt)).size).toBe(2);
	});

	it('has an action whose report of its end was lost', async () => {
		const tenant = tenantOfActions();
		vi.spyOn(console, 'error').mockImplementation(() => {});
		const failedCalls = keepObjectsAway({ methods: ['settleAction'], awayMs: 60_000 });
		const { document } = await tenant.act('cancel', NIGHT);
		await tenant.actionUntil(document.id, 'succeeded');
		await vi.waitFor(() => expect(failedCalls()).toBe(1));
		expect((await tenant.read<Log>('/v1/actions')).actions).toMatchObject([{ id: document.id, status: 'succeeded' }]);
	});

	it('is each tenant’s own', async () => {
		const [tenant, other] = [tenantOfActions(), tenantOfActions()];
		await tenant.act('cancel', NIGHT);
		expect((await other.read<Log>('/v1/actions')).actions).toEqual([]);
	});

	it('says what is wrong with a query', async () => {
		const tenant = tenantOfActions();
		for (const [query, parameter] of [
			['limit=0', 'limit'],
			['limit=1&limit=2', 'limit'],
			['cursor=x', 'cursor'],
			['status=failed', 'status'],
		]) {
			const response = await tenant.send(`/v1/actions?${query}`);
			expect(response.status).toBe(400);
			expect(await response.json()).toMatchObject({ errors: [{ parameter }] });
		}
	});
});

/** Keeps the messages of actions, and of the jobs that they run again, from the queues. */
function keepMessages() {
	const prototype = Object.getPrototypeOf(env.LANE_LONG_1) as Queue;
	const kept = { actions: [] as unknown[], jobs: [] as unknown[] };
	let isFirst = true;
	const keep = (body: unknown) => {
		// The message that begins an action looks like any other.
		const isAction = isMessage(body) && (isFirst || body.ask !== undefined);
		isFirst = false;
		(isAction ? kept.actions : kept.jobs).push(body);
		return Promise.resolve({} as never);
	};
	const sends = vi.spyOn(prototype, 'send').mockImplementation(keep);
	const batches = vi.spyOn(prototype, 'sendBatch').mockImplementation((messages) => {
		for (const { body } of messages) void keep(body);
		return Promise.resolve({} as never);
	});
	onTestFinished(() => {
		sends.mockRestore();
		batches.mockRestore();
	});
	return kept;
}

function isMessage(body: unknown): body is JobMessage {
	return typeof body === 'object' && body !== null && 'epoch' in body;
}

function jobsInFlight(tenant: string): Promise<number> {
	return runInDurableObject(env.TENANTS.getByName(tenant), (_, { storage }) =>
		Number(storage.sql.exec('SELECT COUNT(*) AS rows FROM in_flight').one().rows),
	);
}
