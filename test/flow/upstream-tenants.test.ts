import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { ask, bearer, DEPLOYED, KEYS, type Key } from '../http/deployment.ts';
import { receiver } from '../webhook/receiver.ts';
import { until } from './client.ts';

const baseUrl = 'https://private.example';
const OPEN = { ...DEPLOYED, UPSTREAMS: JSON.stringify({ private: { baseUrl }, shared: { baseUrl } }) };
const CLOSED = {
	...DEPLOYED,
	UPSTREAMS: JSON.stringify({
		private: { baseUrl, tenants: ['acme'], paths: ['/secret-reports/*'] },
		shared: { baseUrl },
	}),
};

async function answer(variables: typeof CLOSED, by: Key, path: string) {
	const response = await ask(variables, `/v1/upstreams/${path}`, { headers: bearer(by) });
	return { status: response.status, ...(await response.json<{ detail: string; instance: string }>()) };
}

describe('an upstream of some tenants', () => {
	it('is used by them', async () => {
		receiver('private.example', () => new Response('ok'));
		const headers = bearer(KEYS.client);
		const response = await ask(CLOSED, '/v1/upstreams/private/secret-reports/1', { headers });
		expect(response.status).toBe(202);
		await until(await response.json<StatusDocument>(), 'succeeded');
	});

	it('is to the others as one that does not exist, and neither its name nor its paths are listed', async () => {
		const foreign = await answer(CLOSED, KEYS.other, 'private/x');
		const unknown = await answer(CLOSED, KEYS.other, 'missing/x');
		expect(foreign.detail).toBe('Unknown upstream "private", expected one of: shared');
		const renamed = JSON.parse(JSON.stringify(foreign).replaceAll('private', 'missing')) as object;
		expect({ ...unknown, correlationId: '' }).toEqual({ ...renamed, correlationId: '' });
		expect((await answer(CLOSED, KEYS.client, 'missing/x')).detail).toContain('expected one of: private, shared');
	});

	it('gets no request of another tenant that was accepted under other rules', async () => {
		const received = receiver('private.example', () => new Response('ok'));
		const response = await ask(OPEN, '/v1/upstreams/private/x', { headers: bearer(KEYS.other) });
		expect(response.status).toBe(202);
		const job = await until(await response.json<StatusDocument>(), 'failed');
		expect(job).toMatchObject({ error: { code: 'UnknownTask', retryable: false } });
		expect(received).toEqual([]);
	});
});
