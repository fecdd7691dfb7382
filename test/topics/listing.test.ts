/** `GET /v1/topics`. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Tenants } from '../../src/rpc/tenants.ts';
import { advanceClock } from '../flow/faults.ts';
import { apiKeys, ask, bearer, DEPLOYED, key } from '../http/deployment.ts';
import { topicObject } from './client.ts';

interface Page {
	readonly topics: readonly { readonly name: string }[];
	readonly nextCursor?: string;
}

const WEBHOOK_SECRETS = JSON.stringify([`whsec_${btoa('x'.repeat(32))}`]);

/** A tenant of one test only. */
function createTenant(more: object = {}) {
	const by = key('client', crypto.randomUUID(), 'submit', 'read', 'operate');
	const variables = { ...DEPLOYED, WEBHOOK_SECRETS, ...more, API_KEYS: apiKeys(by) };
	const get = (query = '') => ask(variables, `/v1/topics${query}`, { headers: bearer(by) });
	const headers = { ...bearer(by), 'content-type': 'application/json', 'coatcheck-event-type': 'made' };
	const send = async (path: string, init: RequestInit) => {
		const response = await ask(variables, path, { headers, ...init });
		expect([response.ok, await response.text()]).toEqual([true, expect.any(String)]);
	};
	return {
		name: by.tenant,
		get,
		page: async (query = '') => (await get(query)).json<Page>(),
		publish: (topic: string) => send(`/v1/topics/${topic}/events`, { method: 'POST', body: '1' }),
		subscribe: (topic: string) => {
			const body = JSON.stringify({ webhook: { url: 'https://receiver.example/' }, from: 'now' });
			return send(`/v1/topics/${topic}/subscriptions/one`, { method: 'PUT', body });
		},
	};
}

const names = ({ topics }: Page) => topics.map(({ name }) => name);

describe('the list of topics', () => {
	it('has the topics with events or subscriptions, by name, after the topic of the jobs', async () => {
		const tenant = createTenant();
		expect(names(await tenant.page())).toEqual(['jobs']);
		await tenant.publish('pictures');
		await tenant.publish('Orders');
		await tenant.subscribe('mails');
		await tenant.subscribe('jobs');
		expect(await tenant.page()).toEqual({
			topics: [{ name: 'jobs' }, { name: 'Orders' }, { name: 'mails' }, { name: 'pictures' }],
		});
		expect(names(await createTenant().page())).toEqual(['jobs']);
	});

	it.each([1, 2, 3, 4])('has pages of at most %i topics, which together have each topic once', async (limit) => {
		const tenant = createTenant();
		for (const topic of ['a', 'b', 'z']) await tenant.publish(topic);
		await tenant.subscribe('jobs');
		const found: string[] = [];
		let cursor = '';
		do {
			const page = await tenant.page(`?limit=${limit}${cursor}`);
			expect(page.topics.length).toBeLessThanOrEqual(limit);
			found.push(...names(page));
			cursor = page.nextCursor === undefined ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
		} while (cursor !== '');
		expect(found).toEqual(['jobs', 'a', 'b', 'z']);
	});

	it('forgets a topic that has been without events for a month, although the call that gave its share back was lost', async () => {
		const tenant = createTenant();
		await tenant.publish('pictures');
		const { returnAllowance } = Tenants.prototype;
		let lost = 0;
		const spy = vi.spyOn(Tenants.prototype, 'returnAllowance').mockImplementation(async function (
			this: Tenants,
			...args
		) {
			if (args[0] === tenant.name && lost++ === 0) return;
			return returnAllowance.apply(this, args);
		});
		onTestFinished(() => spy.mockRestore());
		await runInDurableObject(topicObject('pictures', tenant.name), async (object, { storage }) => {
			for (const hours of [25, 30 * 24 + 1]) {
				advanceClock(hours * 3_600_000);
				await storage.deleteAlarm();
				await object.alarm();
			}
			expect(await storage.getAlarm()).toBeNull();
		});
		expect(lost).toBeGreaterThan(0);
		expect(names(await tenant.page())).toEqual(['jobs']);
	});

	it('has no topic of the jobs where the list is off', async () => {
		const tenant = createTenant({ LIST: 'off' });
		await tenant.publish('pictures');
		expect(names(await tenant.page())).toEqual(['pictures']);
	});

	it.each([
		['?limit=0', 'limit', 'expected a whole number from 1 to 100, got: 0'],
		['?limit=1&limit=2', 'limit', 'expected one value, got several'],
		['?cursor=a%20b', 'cursor', 'expected the nextCursor of an earlier page, got: a b'],
		['?prefix=a', 'prefix', 'expected one of limit, cursor'],
	])('says of %s what is wrong', async (query, parameter, message) => {
		const response = await createTenant().get(query);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ code: 'InvalidRequest', errors: [{ parameter, message }] });
	});

	it('needs the objects of tenants', async () => {
		const response = await createTenant({ TENANTS: undefined }).get();
		expect(response.status).toBe(503);
		expect(await response.json()).toMatchObject({ code: 'NotConfigured' });
	});
});
