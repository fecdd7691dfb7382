import { env } from 'cloudflare:workers';
import { parseList } from 'structured-headers';
import { describe, expect, it, vi } from 'vitest';
import { ORIGIN } from '../flow/client.ts';
import { apiKeys, ask, bearer, DEPLOYED, KEYS, key, type Variables, waitingJob } from './deployment.ts';

/** The platform's own limiter, with three requests a minute. Each test counts under its own names. */
const { LIMITER_OF_THREE } = env as unknown as { LIMITER_OF_THREE: RateLimit };
const LIMITED: Variables = {
	...DEPLOYED,
	LIMITER_PER_KEY: LIMITER_OF_THREE,
	LIMITER_PER_ADDRESS: LIMITER_OF_THREE,
	RATE_LIMIT_PER_KEY: '3/60s',
	RATE_LIMIT_PER_ADDRESS: '3/60s',
};

/** Far enough above the limit to exceed it, even if a minute ends in between. */
const MANY = 8;

async function askOften(path: string, headers: () => Record<string, string>): Promise<Response[]> {
	const responses: Response[] = [];
	for (let time = 0; time < MANY; time++) responses.push(await ask(LIMITED, path, { headers: headers() }));
	return responses;
}

/** The result of `work`, once no minute of the limiter ended meanwhile. */
async function withinMinute<T>(work: () => Promise<T>): Promise<T> {
	for (;;) {
		const minute = Math.floor(Date.now() / 60_000);
		const result = await work();
		if (Math.floor(Date.now() / 60_000) === minute) return result;
	}
}

const statuses = (responses: readonly Response[]) => [...new Set(responses.map(({ status }) => status))];
const refusedOf = (responses: readonly Response[]) => responses.find(({ status }) => status === 429);
const from = (address: string) => ({ 'cf-connecting-ip': address });

describe('requests are limited', () => {
	it('by key, wherever they come from, and the answer says when to come again', async () => {
		let last = 0;
		const responses = await askOften('/v1/tasks', () => ({ ...bearer(KEYS.read), ...from(`192.0.2.${last++}`) }));
		expect(statuses(responses)).toEqual([200, 429]);
		const refused = refusedOf(responses);
		expect(await refused?.json()).toMatchObject({ code: 'RateLimited', status: 429 });
		expect(refused?.headers.get('retry-after')).toBe('60');
		const neighbour = await ask(LIMITED, '/v1/tasks', { headers: bearer(KEYS.client) });
		expect(neighbour.status).toBe(200);
	});

	it('by what they cost: a look-up by key among many tasks and upstreams counts as more than one', async () => {
		const names = Array.from({ length: 40 }, (_, nth) => [`u${nth}`, { baseUrl: 'https://report.example' }]);
		const variables = { ...LIMITED, UPSTREAMS: JSON.stringify(Object.fromEntries(names)) };
		const askTwice = async () => {
			const by = key(crypto.randomUUID(), 'looks-up', 'read');
			const lookUp = (task: string) =>
				ask({ ...variables, API_KEYS: apiKeys(by) }, `/v1/jobs?idempotencyKey=k${task}`, { headers: bearer(by) });
			const answers = [await lookUp('&task=sleep'), await lookUp(''), await lookUp('')];
			return answers.map(({ status }) => status);
		};
		// The first one counts as one, the others as two, and three are allowed in one minute, which may end in between.
		expect(await withinMinute(askTwice)).toEqual([200, 200, 429]);
	});

	it('with headers that are structured fields (RFC 9651)', async () => {
		const responses = await askOften('/v1/tasks', () => bearer(KEYS.admin));
		const policies = responses.map(({ headers }) => parseList(headers.get('ratelimit-policy') ?? ''));
		const policy = [['key', new Map(Object.entries({ q: 3, w: 60 }))]];
		expect(policies).toEqual(responses.map(() => policy));
		const told = responses.map(({ status, headers }) => [status, headers.get('ratelimit')]);
		expect(told).toContainEqual([200, null]);
		expect(told).toContainEqual([429, '"key";r=0;t=60']);
	});

	it('by address, for who guesses: first 401, then 429', async () => {
		const responses = await askOften('/v1/tasks', () => ({
			...bearer({ secret: crypto.randomUUID() }),
			...from('198.51.100.1'),
		}));
		expect(statuses(responses)).toEqual([401, 429]);
		expect(refusedOf(responses)?.headers.get('ratelimit')).toBe('"address";r=0;t=60');
	});

	it('by address, for who looks around, with a key or without: first 404 or 405, then 429', async () => {
		expect(statuses(await askOften('/v1/nowhere', () => from('198.51.100.11')))).toEqual([404, 429]);
		expect(statuses(await askOften('/v1/batch', () => ({ ...bearer(KEYS.submit), ...from('198.51.100.12') })))).toEqual(
			[404, 429],
		);
		expect(statuses(await askOften('/v1/batches', () => from('198.51.100.13')))).toEqual([405, 429]);
		expect(statuses(await askOften('/healthz', () => from('198.51.100.13')))).toEqual([200]);
	});

	it('by network, for who has a new IPv6 address each time', async () => {
		let last = 0;
		const responses = await askOften('/v1/tasks', () => from(`2001:db8:1:2::${(last++).toString(16)}`));
		expect(statuses(responses)).toEqual([401, 429]);
		expect((await ask(LIMITED, '/v1/tasks', { headers: from('2001:db8:1:3::1') })).status).toBe(401);
	});

	it('by job, for readers of links: behind one address, the links of one job take nothing from those of another', async () => {
		const [first, second] = [await waitingJob(), await waitingJob()];
		const responses = await askOften(first.links.operation, () => from('198.51.100.2'));
		expect(statuses(responses)).toEqual([200, 429]);
		expect(refusedOf(responses)?.headers.get('ratelimit')).toBe('"link";r=0;t=60');
		expect((await ask(LIMITED, second.links.operation, { headers: from('198.51.100.2') })).status).toBe(200);
		// Another reader of the same link is not delayed.
		expect((await ask(LIMITED, first.links.operation, { headers: from('198.51.100.20') })).status).toBe(200);
		const withKey = { ...bearer(KEYS.cancel), ...from('198.51.100.2') };
		const cancel = `/v1/jobs/${first.id}/cancel`;
		expect((await ask(LIMITED, cancel, { method: 'POST', headers: withKey })).status).toBe(200);
	});

	it('by job, for links, also where those who guess have used up their address', async () => {
		const { links } = await waitingJob();
		const guesses = await askOften('/v1/tasks', () => ({ ...bearer({ secret: 'x' }), ...from('198.51.100.4') }));
		expect(statuses(guesses)).toEqual([401, 429]);
		expect((await ask(LIMITED, links.operation, { headers: from('198.51.100.4') })).status).toBe(200);
	});

	it('by key, for a good key that may not do this: its address is not used up', async () => {
		const responses = await askOften('/v1/tasks', () => ({ ...bearer(KEYS.cancel), ...from('198.51.100.5') }));
		expect(statuses(responses)).toEqual([403, 429]);
		expect(refusedOf(responses)?.headers.get('ratelimit')).toBe('"key";r=0;t=60');
		expect((await ask(LIMITED, '/v1/tasks', { headers: from('198.51.100.5') })).status).toBe(401);
	});

	it('not at all, when everybody is let in', async () => {
		const open = { ...LIMITED, AUTH: 'none', API_KEYS: undefined, PUBLIC_URL: ORIGIN };
		const responses = [];
		for (let time = 0; time < MANY; time++)
			responses.push(await ask(open, '/v1/tasks', { headers: from('198.51.100.3') }));
		expect(statuses(responses)).toEqual([200]);
		expect(responses[0]?.headers.has('ratelimit-policy')).toBe(false);
	});

	it('as long as somebody counts: when that fails, requests are answered, and the log says so', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const broken = { limit: () => Promise.reject(new Error('no counter')) };
		const variables = { ...LIMITED, LIMITER_PER_KEY: broken };
		expect((await ask(variables, '/v1/tasks', { headers: bearer(KEYS.read) })).status).toBe(200);
		expect(log.mock.calls.map(String).join('\n')).toContain('rate limit not applied');
		log.mockRestore();
	});
});
