/** `client.actions` against the Worker, with a key that may do nothing else. */
import { describe, expect, it } from 'vitest';
import { createClient, type ProblemError } from '../../src/client/index.ts';
import { failedJobs, tenantOfActions } from '../flow/action-client.ts';
import { dropMessages } from '../flow/faults.ts';
import { apiKeys, ask, key } from '../http/deployment.ts';
import { BASE, ID, json, play, problem, scripted } from './script.ts';

/** A client whose key has only the scope `operate`. */
function operator() {
	const tenant = tenantOfActions();
	const by = key('operator', tenant.by.tenant, 'operate');
	const deployment = { ...tenant.deployment, API_KEYS: apiKeys(tenant.by, by) };
	const client = createClient({
		baseUrl: 'https://coatcheck.example',
		apiKey: by.secret,
		fetch: (url, init) => ask(deployment, url, init),
	});
	return { tenant, client };
}

describe('client.actions', () => {
	it('makes an action and waits for its end', async () => {
		const { tenant, client } = operator();
		await failedJobs(tenant, 3);
		const action = await client.actions.create('retry', { status: 'failed', tag: 'night' });
		expect(action).toMatchObject({ action: 'retry', status: 'pending', matched: 3 });
		const seen: string[] = [];
		const over = await client.actions.wait(action, { onProgress: ({ status }) => void seen.push(status) });
		expect(over).toMatchObject({ id: action.id, status: 'succeeded', done: 3, refused: 0, percentComplete: 100 });
		expect(seen.at(-1)).toBe('succeeded');
		expect(await client.actions.get(action.links.self)).toEqual(over);
	});

	it('stops an action with the key, though its link may only read', async () => {
		const { client } = operator();
		dropMessages();
		const action = await client.actions.create('cancel', { createdBefore: new Date() });
		expect(await client.actions.stop(action)).toMatchObject({ status: 'canceled', phase: 'canceled' });
		expect(await client.actions.wait(action)).toMatchObject({ status: 'canceled' });
	});

	it('says what is wrong with a filter', async () => {
		const { client } = operator();
		const refused = await client.actions.create('purge', {}).catch((error: unknown) => error as ProblemError);
		expect(refused).toMatchObject({ status: 400, code: 'InvalidRequest', errors: [{ pointer: '/filter' }] });
	});

	it('polls as Retry-After says, by the id too', async () => {
		const document = (status: string) =>
			json({ id: ID, status, done: 0, lastUpdatedAt: 'a' }, { headers: { 'retry-after': '7' } });
		const answers = { [ID]: [document('running'), problem(503, 'Overloaded'), document('succeeded')] };
		const { client, asked, timesOf } = scripted({ answers });
		expect((await play(client.actions.wait(ID))).value).toMatchObject({ status: 'succeeded' });
		expect(asked[0]?.url.href).toBe(`${BASE}/v1/actions/${ID}`);
		expect(timesOf(ID)[1]).toBeGreaterThanOrEqual(7_000);
		expect(timesOf(ID)).toHaveLength(3);
	});
});
