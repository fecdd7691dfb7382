/**
 * Whatever clients do and whatever is lost: no tenant ever exceeds its quotas, and after all jobs have ended it
 * has its whole capacity again.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { JobObjectApi } from '../../src/core/job/object-api.ts';
import type { TenantObject } from '../../src/object/tenant-object.ts';
import { objectOf } from '../flow/client.ts';
import { apiKeys, ask, bearer, DEPLOYED, key } from '../http/deployment.ts';

const MAX_JOBS = 4;
const MAX_BYTES = 1_000;
const RUNS = 40;
const SEED = 20_261_121;
const DAY_MS = 86_400_000;

type Step =
	| {
			readonly do: 'submit';
			readonly bytes: number;
			readonly task: 'echo' | 'stumble';
			readonly delay: number;
			readonly key?: string;
	  }
	| { readonly do: 'submit many'; readonly bytes: number }
	| { readonly do: 'cancel' | 'retry' | 'purge'; readonly job: number }
	/** A caller reserved capacity, and died before it submitted a job. */
	| { readonly do: 'vanish'; readonly bytes: number }
	| { readonly do: 'pass time'; readonly seconds: number }
	| { readonly do: 'lose'; readonly call: 'settle' | 'release' }
	| { readonly do: 'restart' };

const sizes = fc.integer({ min: 0, max: 600 });

const step: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record(
			{
				do: fc.constant('submit' as const),
				bytes: sizes,
				task: fc.constantFrom('echo' as const, 'stumble' as const),
				delay: fc.constantFrom(0, 0, 3_600),
				key: fc.constantFrom('a', 'b'),
			},
			{ requiredKeys: ['do', 'bytes', 'task', 'delay'] },
		),
	},
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('submit many' as const), bytes: sizes }) },
	{
		weight: 5,
		arbitrary: fc.record({
			do: fc.constantFrom('cancel' as const, 'retry' as const, 'purge' as const),
			job: fc.nat(9),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('vanish' as const), bytes: sizes }) },
	{
		weight: 3,
		arbitrary: fc.record({ do: fc.constant('pass time' as const), seconds: fc.constantFrom(2, 90, 1_000, 90_000) }),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			do: fc.constant('lose' as const),
			call: fc.constantFrom('settle' as const, 'release' as const),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

/** A tenant of this test only, and the usage that it was shown. */
class Tenant {
	readonly #key = key('client', crypto.randomUUID(), 'submit', 'read', 'cancel');
	readonly #variables = {
		...DEPLOYED,
		API_KEYS: apiKeys(this.#key),
		MAX_JOBS_IN_FLIGHT: String(MAX_JOBS),
		MAX_STORED_BYTES: String(MAX_BYTES),
	};
	readonly #jobs = new Set<string>();

	get object(): DurableObjectStub<TenantObject> {
		return env.TENANTS.getByName(this.#key.tenant);
	}

	async take(step: Step): Promise<void> {
		switch (step.do) {
			case 'submit':
				return void (await this.submit(step));
			case 'submit many':
				return void (await Promise.all(
					Array.from({ length: 8 }, () => this.submit({ ...step, task: 'echo', delay: 3_600 })),
				));
			case 'vanish': {
				const wanted = { name: `0-${crypto.randomUUID()}`, job: env.JOBS.newUniqueId().toString(), bytes: step.bytes };
				return void (await this.object.reserve(wanted, { maxJobsInFlight: MAX_JOBS, maxStoredBytes: MAX_BYTES }));
			}
			case 'pass time':
				return pass(step.seconds * 1_000);
			case 'lose':
				return loseNext(this.object, step.call);
			case 'restart':
				return restart(this.object);
			default: {
				const id = [...this.#jobs][step.job];
				if (id !== undefined) await this.#ask(`/v1/jobs/${id}/${step.do}`);
			}
		}
	}

	/** @returns whether it was accepted. */
	async submit({ bytes, task, delay, key }: Omit<Extract<Step, { do: 'submit' }>, 'do'>): Promise<boolean> {
		const headers = {
			'content-type': 'text/plain',
			'content-length': String(bytes),
			'coatcheck-delay-seconds': String(delay),
			...(key !== undefined && { 'idempotency-key': key }),
		};
		const response = await this.#ask(`/v1/tasks/${task}/jobs`, { headers, body: 'x'.repeat(bytes) });
		const answer = await response.json<StatusDocument & { code: string }>();
		if (response.status === 202) this.#jobs.add(answer.id);
		else expect(['QuotaExceeded', 'IdempotencyKeyReused', 'Overloaded']).toContain(answer.code);
		return response.status === 202;
	}

	/** The usage according to its jobs, which is the truth for the quotas. */
	async had(): Promise<{ jobs: number; bytes: number }> {
		const claims = await Promise.all(
			[...this.#jobs].map((id) => (objectOf({ id }) as unknown as JobObjectApi).claim()),
		);
		return {
			jobs: claims.filter((claim) => claim?.isInFlight).length,
			bytes: claims.reduce((sum, claim) => sum + (claim?.bytes ?? 0), 0),
		};
	}

	async endAll(): Promise<void> {
		for (const id of this.#jobs) await this.#ask(`/v1/jobs/${id}/cancel`);
	}

	#ask(path: string, { headers, ...init }: RequestInit = {}): Promise<Response> {
		const all = { ...bearer(this.#key), ...(headers as Record<string, string>) };
		return ask(this.#variables, path, { method: 'POST', ...init, headers: all });
	}
}

function pass(ms: number): void {
	vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}

/** The next such call is lost, without an error. */
async function loseNext(object: DurableObjectStub<TenantObject>, call: 'settle' | 'release'): Promise<void> {
	const prototype = await runInDurableObject(object, (instance) => Object.getPrototypeOf(instance) as TenantObject);
	vi.spyOn(prototype, call).mockResolvedValueOnce(undefined);
}

async function restart(object: DurableObjectStub<TenantObject>): Promise<void> {
	await runInDurableObject(object, () => {});
	await evictDurableObject(object);
}

afterEach(() => {
	vi.useRealTimers();
	vi.restoreAllMocks();
});

describe('a tenant with quotas', () => {
	it('never has more than they allow, and all of its room when everything is over', async () => {
		const steps = fc.array(step, { minLength: 5, maxLength: 30 });
		await fc.assert(
			fc.asyncProperty(steps, async (steps) => {
				const tenant = new Tenant();
				for (const step of steps) {
					await tenant.take(step);
					const { jobs, bytes } = await tenant.had();
					expect(jobs).toBeLessThanOrEqual(MAX_JOBS);
					expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
				}
				await tenant.endAll();
				pass(2 * DAY_MS);
				const sizes = Array.from({ length: MAX_JOBS }, () => MAX_BYTES / MAX_JOBS);
				const waiting = { task: 'echo', delay: 3_600 } as const;
				for (const bytes of sizes) expect(await admittedInTime(tenant, { bytes, ...waiting })).toBe(true);
				expect(await tenant.submit({ bytes: 0, ...waiting })).toBe(false);
			}),
			{ numRuns: RUNS, seed: SEED },
		);
	});
});

/** A rejected client tries again until everything that may have been lost has been verified. */
async function admittedInTime(tenant: Tenant, submission: Parameters<Tenant['submit']>[0]): Promise<boolean> {
	for (let tries = 0; tries < 5; tries++) {
		if (await tenant.submit(submission)) return true;
		pass(2_000);
	}
	return false;
}
