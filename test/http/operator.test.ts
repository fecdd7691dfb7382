/** What people on call read: the caller's rights, lanes, upstreams, inputs. */
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { BREAKER_FAILURES } from '../../src/core/upstream/limits.ts';
import { until } from '../flow/client.ts';
import { stopClock } from '../flow/faults.ts';
import { apiKeys, ask, bearer, DEPLOYED, KEYS, key, linkToken, refusal, submission, waitingJob } from './deployment.ts';

const read = (path: string, by = KEYS.read, variables = DEPLOYED) => ask(variables, path, { headers: bearer(by) });
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

describe('GET /v1/me', () => {
	it('says whose key it is and what it allows', async () => {
		expect(await (await read('/v1/me', KEYS.client)).json()).toEqual({
			tenant: 'acme',
			scopes: ['submit', 'read', 'cancel'],
			keyId: 'client',
		});
	});

	it('lists every scope for a key with "admin", which includes them', async () => {
		const { scopes } = await (await read('/v1/me', KEYS.admin)).json<{ scopes: string[] }>();
		expect(scopes).toEqual(['submit', 'read', 'cancel', 'operate', 'admin']);
	});

	it('names no key in an open deployment', async () => {
		const response = await ask({}, '/v1/me');
		expect(await response.json()).toEqual({
			tenant: 'default',
			scopes: ['submit', 'read', 'cancel', 'operate', 'admin'],
		});
	});
});

/** A queue with these metrics. */
const queueWith = (metrics: () => Promise<unknown>) => ({ metrics });
const AT = Date.parse('2026-06-01T10:00:00.000Z');

describe('GET /v1/lanes', () => {
	it('adds up the queues of each lane, and names the oldest message', async () => {
		stopClock();
		let calls = 0;
		const lanes = {
			LANE_SLOW_1: queueWith(async () => {
				calls++;
				return { backlogCount: 3, backlogBytes: 300, oldestMessageTimestamp: new Date(AT) };
			}),
			LANE_SLOW_2: queueWith(async () => ({
				backlogCount: 4,
				backlogBytes: 50,
				oldestMessageTimestamp: new Date(AT - 5_000),
			})),
			LANE_IDLE_1: queueWith(async () => ({ backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: new Date(0) })),
		};
		const variables = { ...DEPLOYED, ...lanes };
		for (let time = 0; time < 2; time++) {
			const { lanes: listed } = await (await read('/v1/lanes', KEYS.read, variables)).json<{ lanes: unknown[] }>();
			expect(listed).toContainEqual({
				name: 'slow',
				backlog: 7,
				backlogBytes: 350,
				oldestMessageAt: '2026-06-01T09:59:55.000Z',
			});
			expect(listed).toContainEqual({ name: 'idle', backlog: 0, backlogBytes: 0 });
		}
		// The second answer is from memory.
		expect(calls).toBe(1);
	});

	it('leaves out a lane whose queue does not answer, because its depth is unknown', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const broken = queueWith(async () => Promise.reject(new Error('overloaded')));
		const response = await read('/v1/lanes', KEYS.read, { ...DEPLOYED, LANE_SLOW_1: broken });
		const { lanes } = await response.json<{ lanes: { name: string }[] }>();
		const names = lanes.map(({ name }) => name);
		expect(names).toContain('jobs');
		expect(names).not.toContain('slow');
	});
});

describe('the upstreams', () => {
	const name = `u${crypto.randomUUID().slice(0, 8)}`;
	const limited = `${name}-limited`;
	const variables = {
		...DEPLOYED,
		UPSTREAMS: JSON.stringify({
			[name]: { baseUrl: 'https://reports.example' },
			[limited]: { baseUrl: 'https://reports.example', concurrency: 2 },
			theirs: { baseUrl: 'https://reports.example', tenants: ['globex'] },
		}),
	};
	const gate = env.GATES.getByName(name);

	it('are those that the tenant may use', async () => {
		const { upstreams } = await (await read('/v1/upstreams', KEYS.read, variables)).json<{ upstreams: unknown[] }>();
		expect(upstreams).toEqual([
			{ name, breaker: 'closed', recentFailures: 0 },
			{ name: limited, breaker: 'closed', recentFailures: 0, running: 0, limit: 2 },
		]);
	});

	it('show an open breaker, and a reset closes it', async () => {
		for (let job = 0; job < BREAKER_FAILURES; job++)
			await gate.reportExit({ pass: `${job}`, job: `${job}`, health: { isWell: false }, wellBefore: false });
		const { upstreams } = await (await read('/v1/upstreams', KEYS.read, variables)).json<{
			upstreams: { openUntil: string }[];
		}>();
		expect(upstreams[0]).toMatchObject({ name, breaker: 'open', recentFailures: BREAKER_FAILURES });
		expect(Date.parse(upstreams[0]?.openUntil ?? '')).toBeGreaterThan(Date.now());
		const reset = await ask(variables, `/v1/operator/upstreams/${name}/reset`, {
			method: 'POST',
			headers: bearer(KEYS.operate),
		});
		expect(await reset.json()).toEqual({ name, breaker: 'closed', recentFailures: 0 });
		const request = { job: 'next', name, pass: 'next', leaseMs: 1_000 };
		expect(await gate.enter(request)).toMatchObject({ admitted: true });
	});

	it('of other tenants can be neither seen nor reset', async () => {
		const response = await ask(variables, '/v1/operator/upstreams/theirs/reset', {
			method: 'POST',
			headers: bearer(KEYS.operate),
		});
		expect(await refusal(response)).toEqual([404, 'NotFound']);
	});
});

describe('GET /v1/jobs/{id}/input', () => {
	it('is the JSON that was submitted, to be saved and not to be shown', async () => {
		const { id } = await waitingJob();
		const response = await read(`/v1/jobs/${id}/input`);
		expect(response.status).toBe(200);
		expect(Object.fromEntries(response.headers)).toMatchObject({
			'content-type': 'application/json',
			'content-disposition': 'attachment',
			'cache-control': 'private, no-store',
			'x-content-type-options': 'nosniff',
			'cross-origin-resource-policy': 'same-origin',
			'content-length': '13',
		});
		expect(await response.text()).toBe('{"seconds":0}');
	});

	it('is the bytes of a forwarded request, also when they are many', async () => {
		const body = crypto.getRandomValues(new Uint8Array(60_000));
		const large = new Uint8Array(180_000).map((_, index) => body[index % body.length] ?? 0);
		const init = submission({ ...bearer(KEYS.client), 'content-type': 'application/x-report' });
		const submitted = await ask(DEPLOYED, '/v1/upstreams/reports/make', { ...init, body: large });
		const { id } = await submitted.json<StatusDocument>();
		const response = await read(`/v1/jobs/${id}/input`);
		expect(response.headers.get('content-type')).toBe('application/x-report');
		expect(await bytesOf(response)).toEqual(large);
		const head = await ask(DEPLOYED, `/v1/jobs/${id}/input`, { method: 'HEAD', headers: bearer(KEYS.read) });
		expect([head.status, head.headers.get('content-length')]).toEqual([200, String(large.length)]);
	});

	it('says why a job that succeeded has none', async () => {
		const init = submission(bearer(KEYS.client));
		const headers = { 'content-type': 'application/json', ...bearer(KEYS.client) };
		const submitted = await ask(DEPLOYED, '/v1/tasks/sleep/jobs', { ...init, headers });
		const document = await submitted.json<StatusDocument>();
		await until(document, 'succeeded');
		const response = await read(`/v1/jobs/${document.id}/input`);
		expect(response.status).toBe(404);
		expect(await response.json()).toMatchObject({ code: 'NotFound', detail: expect.stringContaining('succeeded') });
	});

	it('needs a key: a link shows the job, not what was put in', async () => {
		const { id, createdAt } = await waitingJob();
		const token = linkToken({ job: id, createdAt: Date.parse(createdAt), right: 'read' });
		expect(await refusal(await ask(DEPLOYED, `/v1/jobs/${id}/input?token=${token}`))).toEqual([403, 'Forbidden']);
		const beside = await read(`/v1/jobs/${id}/input?token=${token}`);
		expect(beside.status).toBe(200);
	});

	it('of another tenant does not exist', async () => {
		const { id } = await waitingJob();
		const theirs = key('theirs', 'initech', 'admin');
		const variables = { ...DEPLOYED, API_KEYS: apiKeys(theirs) };
		expect(await refusal(await read(`/v1/jobs/${id}/input`, theirs, variables))).toEqual([404, 'JobNotFound']);
	});
});
