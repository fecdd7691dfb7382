/**
 * Bulk actions under random faults, on the real runtime: consumers that die in the middle of a portion, answers that are lost, a list
 * that fails, objects that are evicted, messages that are lost or come twice, and a client that runs the same jobs again.
 */
import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { JobNews } from '../../src/core/job/news.ts';
import { JobObject } from '../../src/object/job-object.ts';
import { TopicObject } from '../../src/object/topic-object.ts';
import { type ActionTenant, deliver, failedJobs, tenantOfActions } from '../flow/action-client.ts';
import { objectOf } from '../flow/client.ts';
import { advanceClock, fireAlarm } from '../flow/faults.ts';
import { topicObject } from '../topics/client.ts';

const SCHEDULES = 60;
const JOBS = 7;
const OVER = ['succeeded', 'failed', 'canceled'];

type Step =
	| {
			readonly do: 'deliver' | 'deliver twice' | 'lose a message' | 'a client runs a job again';
			readonly which: number;
	  }
	| { readonly do: 'consumer dies' | 'answers are lost' | 'list fails'; readonly calls: number }
	| { readonly do: 'evict the action' | 'evict the list' | 'wait' | 'alarm' };

const step: fc.Arbitrary<Step> = fc.oneof(
	fc.record({
		do: fc.constantFrom('deliver', 'deliver twice', 'lose a message', 'a client runs a job again'),
		which: fc.nat(JOBS - 1),
	}),
	fc.record({ do: fc.constantFrom('consumer dies', 'answers are lost', 'list fails'), calls: fc.nat(JOBS) }),
	fc.record({ do: fc.constantFrom('evict the action', 'evict the list', 'wait', 'alarm') }),
);

/** Faults that wait for the calls that they change. */
const faults = { obeyedBeforeDeath: Number.POSITIVE_INFINITY, isDead: false, lostAnswers: 0, failedPages: 0 };

function installFaults(): void {
	const { obeyAction, continuePolling, completeAttempt } = JobObject.prototype;
	const { listJobs } = TopicObject.prototype;
	const unlessDead = <T extends unknown[], R>(call: (this: JobObject, ...given: T) => Promise<R>) =>
		async function (this: JobObject, ...given: T): Promise<R> {
			return faults.isDead ? ({ refusal: 'settled' } as R) : call.apply(this, given);
		};
	JobObject.prototype.obeyAction = async function (...given) {
		if (faults.obeyedBeforeDeath-- <= 0) faults.isDead = true;
		if (faults.isDead) throw new Error('The consumer is dead');
		const change = await obeyAction.apply(this, given);
		if (faults.lostAnswers-- > 0) throw new Error('The answer was lost');
		return change;
	};
	JobObject.prototype.continuePolling = unlessDead(continuePolling);
	JobObject.prototype.completeAttempt = unlessDead(completeAttempt);
	TopicObject.prototype.listJobs = async function (...given) {
		if (faults.failedPages-- > 0) throw new Error('The list failed');
		return listJobs.apply(this, given);
	};
	onTestFinished(() => {
		Object.assign(JobObject.prototype, { obeyAction, continuePolling, completeAttempt });
		TopicObject.prototype.listJobs = listJobs;
	});
}

/** Sent messages that were not delivered. */
function holdMessages(): unknown[] {
	const mail: unknown[] = [];
	const prototype = Object.getPrototypeOf(env.LANE_LONG_1) as Queue;
	const sends = vi.spyOn(prototype, 'send').mockImplementation(async (body: unknown) => {
		mail.push(body);
		return {} as never;
	});
	const batches = vi.spyOn(prototype, 'sendBatch').mockImplementation(async (messages) => {
		for (const { body } of messages) mail.push(body);
		return {} as never;
	});
	onTestFinished(() => {
		sends.mockRestore();
		batches.mockRestore();
	});
	return mail;
}

class Bench {
	readonly touched = new Map<string, number>();
	readonly done = new Map<string, number>();
	readonly #tenant: ActionTenant;
	readonly #jobs: readonly { readonly id: string }[];
	readonly #mail: unknown[];

	constructor(tenant: ActionTenant, jobs: readonly { readonly id: string }[], mail: unknown[]) {
		this.#tenant = tenant;
		this.#jobs = jobs;
		this.#mail = mail;
	}

	async run(steps: readonly Step[]): Promise<void> {
		this.touched.clear();
		const epochs = await this.#epochs();
		const { document: action } = await this.#tenant.act('retry', { status: 'failed', tag: 'night' });
		expect(action.matched).toBe(JOBS);
		for (const next of steps) {
			advanceClock(1_000);
			await this.#carryOut(next, action);
			this.done.set(next.do, (this.done.get(next.do) ?? 0) + 1);
		}
		await this.#settle(action);
		const { status, matched, done, refused } = await this.#tenant.read(`/v1/actions/${action.id}`);
		const after = await this.#epochs();
		const reran = this.#jobs.map(({ id }, nth) => (after[nth] ?? 0) - (epochs[nth] ?? 0) - (this.touched.get(id) ?? 0));
		expect([status, matched, done + refused], JSON.stringify(reran)).toEqual(['succeeded', JOBS, JOBS]);
		// The action has run each job again once, or a client had before: then the job has changed.
		for (const [nth, times] of reran.entries())
			expect(this.touched.has(this.#jobs[nth]?.id ?? '') ? [0, 1] : [1]).toContain(times);
		expect(reran.reduce((sum, times) => sum + times, 0)).toBe(done);
	}

	async #carryOut(next: Step, action: { readonly id: string }): Promise<void> {
		switch (next.do) {
			case 'deliver':
				return this.#deliver(next.which);
			case 'deliver twice': {
				const body = this.#mail[next.which % Math.max(1, this.#mail.length)];
				await this.#deliver(next.which);
				if (body !== undefined) this.#mail.push(body);
				return this.#deliver(this.#mail.length - 1);
			}
			case 'lose a message':
				this.#mail.splice(next.which, 1);
				return;
			case 'a client runs a job again':
				return this.#touch(this.#jobs[next.which]?.id ?? '');
			case 'consumer dies':
				faults.obeyedBeforeDeath = next.calls;
				await this.#deliver(0);
				faults.obeyedBeforeDeath = Number.POSITIVE_INFINITY;
				faults.isDead = false;
				return;
			case 'answers are lost':
				faults.lostAnswers = next.calls;
				return;
			case 'list fails':
				faults.failedPages = next.calls;
				return;
			case 'evict the action':
				await objectOf(action).readNews();
				return evictDurableObject(objectOf(action));
			case 'evict the list': {
				const list = topicObject('jobs', this.#tenant.by.tenant);
				await list.lastSeq();
				return evictDurableObject(list);
			}
			case 'wait':
				return advanceClock(61_000);
			case 'alarm':
				await fireAlarm(action);
		}
	}

	async #deliver(which: number): Promise<void> {
		const [body] = this.#mail.splice(which % Math.max(1, this.#mail.length), 1);
		if (body === undefined) return;
		if ((await deliver(this.#tenant.deployment, body)) === 'handed back') this.#mail.push(body);
	}

	async #touch(id: string): Promise<void> {
		const response = await this.#tenant.send(`/v1/jobs/${id}/retry`, { method: 'POST' });
		await response.text();
		if (response.status === 202) this.touched.set(id, (this.touched.get(id) ?? 0) + 1);
	}

	/** Ends the faults: messages arrive, alarms fire, time passes. Every job fails again, and the list hears of it. */
	async #settle(action: { readonly id: string }): Promise<void> {
		Object.assign(faults, { lostAnswers: 0, failedPages: 0 });
		const all = [action, ...this.#jobs];
		for (let round = 0; round < 60; round++) {
			// A message that is handed back waits for its time.
			for (let left = this.#mail.length; left > 0; left--) await this.#deliver(0);
			if (this.#mail.length > 0) advanceClock(2_000);
			const statuses = (await this.#news(all)).map(({ job }) => job?.status ?? '');
			if (statuses.every((status) => OVER.includes(status))) break;
			advanceClock(61_000);
			for (const job of all) await fireAlarm(job);
		}
		advanceClock(1_000);
		await topicObject('jobs', this.#tenant.by.tenant).tell(await this.#news(this.#jobs));
	}

	async #epochs(): Promise<number[]> {
		return (await this.#news(this.#jobs)).map(({ epoch }) => epoch);
	}

	async #news(jobs: readonly { readonly id: string }[]): Promise<JobNews[]> {
		const news: (JobNews | undefined)[] = await Promise.all(jobs.map((job) => objectOf(job).readNews()));
		return news.filter((one) => one !== undefined);
	}
}

it('an action ends, and runs each job that matched again once, whatever fails on the way', async () => {
	vi.spyOn(console, 'error').mockImplementation(() => {});
	const tenant = tenantOfActions();
	const jobs = await failedJobs(tenant, JOBS);
	const bench = new Bench(tenant, jobs, holdMessages());
	installFaults();
	const schedules = fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 10 }), (steps) => bench.run(steps));
	await fc.assert(schedules, { numRuns: SCHEDULES, seed: 16, endOnFailure: true });
	expect([...bench.done.keys()].sort()).toHaveLength(11);
	vi.restoreAllMocks();
});
