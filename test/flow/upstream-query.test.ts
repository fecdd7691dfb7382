import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { ask, bearer, DEPLOYED, KEYS } from '../http/deployment.ts';
import { receiver } from '../webhook/receiver.ts';
import { call, until } from './client.ts';

const UPSTREAM = { ...DEPLOYED, UPSTREAMS: JSON.stringify({ report: { baseUrl: 'https://report.example' } }) };
const SEARCH = '?a=1&token=of-the-upstream&b=a%20b+c&&%74oken=2';

describe('a query parameter "token" on the route of an upstream', () => {
	it("is the upstream's own: it reaches the upstream as it was spelled, and the key decides", async () => {
		const received = receiver('report.example', () => new Response('ok'));
		const response = await ask(UPSTREAM, `/v1/upstreams/report/x${SEARCH}`, { headers: bearer(KEYS.client) });
		expect(response.status).toBe(202);
		await until(await response.json<StatusDocument>(), 'succeeded');
		expect(received.map(({ url }) => url)).toEqual([`https://report.example/x${SEARCH}`]);
	});

	it('reaches the upstream of an open deployment too', async () => {
		const received = receiver('report.example', () => new Response('ok'));
		const response = await call('/v1/upstreams/report/x?token=of-the-upstream');
		expect(response.status).toBe(202);
		await until(await response.json<StatusDocument>(), 'succeeded');
		expect(received.map(({ url }) => url)).toEqual(['https://report.example/x?token=of-the-upstream']);
	});

	it('is no credential', async () => {
		expect((await ask(UPSTREAM, `/v1/upstreams/report/x${SEARCH}`)).status).toBe(401);
	});
});
