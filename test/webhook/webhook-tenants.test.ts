import { env } from 'cloudflare:workers';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { Tenants } from '../../src/rpc/tenants.ts';
import { Connections } from '../../src/webhook/connections.ts';
import { deliver } from '../../src/webhook/deliver.ts';
import { dropMessages } from '../flow/faults.ts';
import { ask, bearer, DEPLOYED, KEYS, submission, type Variables } from '../http/deployment.ts';
import { receiver } from './receiver.ts';

const secret = (letter: string) => `whsec_${btoa(letter.repeat(32))}`;
const [ACME, GLOBEX, SHARED] = [secret('a'), secret('g'), secret('s')];

const TENANTS = { acme: KEYS.client, globex: KEYS.other };

function deployedWith(secrets: unknown): Variables {
	return { ...DEPLOYED, WEBHOOK_SECRETS: JSON.stringify(secrets) };
}

function submit(variables: Variables, tenant: keyof typeof TENANTS, url: string): Promise<Response> {
	const headers = { ...bearer(TENANTS[tenant]), 'coatcheck-webhook-url': url, 'coatcheck-webhook-events': 'accepted' };
	return ask(variables, '/v1/tasks/sleep/jobs', submission(headers));
}

/** The secret that verifies a tenant's message; none for a tenant that is rejected. */
async function signedFor(variables: Variables, tenant: keyof typeof TENANTS): Promise<string[]> {
	dropMessages();
	const host = `${crypto.randomUUID()}.example`;
	const received = receiver(host);
	const response = await submit(variables, tenant, `https://${host}/`);
	if (response.status === 400) return [];
	const { id } = await response.json<StatusDocument>();
	await deliver(
		{
			...readConfig({ ...env, ...variables }),
			jobs: new Jobs(env.JOBS),
			tenants: new Tenants(env.TENANTS),
			connections: new Connections(1),
		},
		{ v: 1, id, seq: 1 },
	);
	expect(received).toHaveLength(1);
	return Object.entries({ ACME, GLOBEX, SHARED })
		.filter(([, secret]) => {
			try {
				return new Webhook(secret).verify(received[0]?.body ?? '', received[0]?.headers ?? {});
			} catch {
				return false;
			}
		})
		.map(([name]) => name);
}

describe('a webhook of a deployment with tenants', () => {
	it.each([
		['its own', { acme: [ACME], globex: [GLOBEX] }, { acme: ['ACME'], globex: ['GLOBEX'] }],
		['all of its own', { acme: [ACME, SHARED], globex: [GLOBEX] }, { acme: ['ACME', 'SHARED'], globex: ['GLOBEX'] }],
		["everybody's, where it has none", { acme: [ACME], '*': [SHARED] }, { acme: ['ACME'], globex: ['SHARED'] }],
		["everybody's, given as a list", [SHARED], { acme: ['SHARED'], globex: ['SHARED'] }],
		['none, and so is refused, where it has none', { acme: [ACME] }, { acme: ['ACME'], globex: [] }],
		['none, where its list is empty', { globex: [], '*': [SHARED] }, { acme: ['SHARED'], globex: [] }],
	])('is signed with %s', async (_, secrets, expected) => {
		const variables = deployedWith(secrets);
		expect({ acme: await signedFor(variables, 'acme'), globex: await signedFor(variables, 'globex') }).toEqual(
			expected,
		);
	});

	it('is never sent unsigned, also when its secret was taken away', async () => {
		dropMessages();
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const host = `${crypto.randomUUID()}.example`;
		const received = receiver(host);
		const { id } = await (await submit(deployedWith([SHARED]), 'acme', `https://${host}/`)).json<StatusDocument>();
		const config = readConfig({ ...env, ...deployedWith({ globex: [GLOBEX] }) });
		const { retryInMs } = await deliver(
			{ ...config, jobs: new Jobs(env.JOBS), tenants: new Tenants(env.TENANTS), connections: new Connections(1) },
			{ v: 1, id, seq: 1 },
		);
		expect(received).toHaveLength(0);
		expect(retryInMs).toBeGreaterThan(0);
		expect(String(log.mock.calls)).toContain('WEBHOOK_SECRETS');
		log.mockRestore();
	});

	it('is not configured with what is no secret, and the log says where', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		for (const [secrets, place] of [
			[{ acme: ['whsec_short'] }, 'WEBHOOK_SECRETS.acme.0'],
			[{ acme: ACME }, 'WEBHOOK_SECRETS.acme'],
			['whsec', 'WEBHOOK_SECRETS: expected '],
		] as const) {
			log.mockClear();
			expect((await ask(deployedWith(secrets), '/v1/tasks')).status).toBe(503);
			expect(String(log.mock.calls)).toContain(place);
			expect(String(log.mock.calls)).not.toContain(ACME);
		}
		log.mockRestore();
	});
});
