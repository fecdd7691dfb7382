/**
 * The service as it is deployed, with authentication, over a real network: `wrangler dev` with the settings of the README,
 * a key from `npm run key`, an identity provider on a port of this machine, and independent clients.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { configWith, localVariables } from '../../bench/configuration.ts';
import { type LocalWorker, startLocalWorker } from '../../demo/local-worker.ts';
import { createClient } from '../../src/client/index.ts';
import { type StatusDocument, until } from '../interop/jobs.ts';
import { newKey } from './new-key.ts';

/** As in `wrangler.toml`: high enough for the other tests, which use the same address. */
const REQUESTS_PER_ADDRESS = 300;

const endings: (() => Promise<unknown>)[] = [];
let worker: LocalWorker;
let apiKey: string;
let jwt: string;

beforeAll(async () => {
	const made = await newKey(['--tenant', 'acme', '--scopes', 'submit,read,cancel']);
	const provider = await identityProvider();
	apiKey = made.secret;
	jwt = await provider.jwt();
	const { SIGNING_KEYS = '' } = await localVariables();
	// A longer window than deployed, so that no test outlasts it.
	const config = await configWith('src/index.ts', (toml) =>
		toml
			.replace(`limit = ${REQUESTS_PER_ADDRESS}, period = 10`, `limit = ${REQUESTS_PER_ADDRESS}, period = 60`)
			.replace(`"${REQUESTS_PER_ADDRESS}/10s"`, `"${REQUESTS_PER_ADDRESS}/60s"`),
	);
	endings.push(config.remove);
	const variables = {
		SIGNING_KEYS,
		API_KEYS: `[${made.line}]`,
		JWT_ISSUER: provider.origin,
		JWT_AUDIENCE: 'coatcheck',
		JWT_JWKS_URL: `${provider.origin}/certs`,
		// The provider of this test has no certificate.
		ALLOW_PRIVATE_TARGETS: 'true',
	};
	const settings = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]);
	worker = await startLocalWorker({ args: ['--config', config.path, ...settings] });
	endings.push(worker.stop);
});

afterAll(async () => {
	for (const end of endings.reverse()) await end();
});

async function identityProvider() {
	const { privateKey, publicKey } = await generateKeyPair('ES256');
	const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }];
	const server = createServer((_, response) => response.end(JSON.stringify({ keys })));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	endings.push(() => new Promise((resolve) => server.close(resolve)));
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const sign = () =>
		new SignJWT({ tenant: 'globex', scope: 'submit read' })
			.setProtectedHeader({ alg: 'ES256', kid: 'k1' })
			.setIssuer(origin)
			.setAudience('coatcheck')
			.setExpirationTime('1h')
			.sign(privateKey);
	return { origin, jwt: sign };
}

const withKey = (secret: string) => ({ authorization: `Bearer ${secret}` });

async function submitted(secret: string, seconds = 0) {
	const response = await fetch(`${worker.origin}/v1/tasks/sleep/jobs`, {
		method: 'POST',
		headers: { ...withKey(secret), 'content-type': 'application/json' },
		body: JSON.stringify({ seconds }),
	});
	expect(response.status).toBe(202);
	return (await response.json()) as StatusDocument;
}

describe('a closed deployment', () => {
	it('lets nobody in without a key', async () => {
		expect((await fetch(`${worker.origin}/healthz`)).status).toBe(200);
		const response = await fetch(`${worker.origin}/v1/tasks`);
		expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
	});

	it('takes a key to submit, and then its links alone, through the redirect to the result', async () => {
		const job = await until(await submitted(apiKey), 'succeeded');
		const result = await fetch(job.links.self);
		expect(result.redirected).toBe(true);
		expect(await result.json()).toMatchObject({ sleptSeconds: 0 });
	});

	it('works with the typed client and its API key', async () => {
		const client = createClient({ baseUrl: worker.origin, apiKey });
		expect(await client.submit('sleep', { seconds: 0 }).result()).toMatchObject({ sleptSeconds: 0 });
	});

	it('takes the JWT of an identity provider, whose tenant sees nothing of the other', async () => {
		const theirs = await submitted(jwt);
		const mine = await submitted(apiKey);
		const asked = async (id: string, secret: string) =>
			(await fetch(`${worker.origin}/v1/operations/${id}`, { headers: withKey(secret) })).status;
		expect(await asked(theirs.id, jwt)).toBe(200);
		expect(await asked(mine.id, apiKey)).toBe(200);
		expect(await asked(theirs.id, apiKey)).toBe(404);
		expect(await asked(mine.id, jwt)).toBe(404);
	});

	it('takes the token of a socket as a subprotocol, and answers with its own', async () => {
		const { links } = await submitted(apiKey, 30);
		const url = new URL(links.socket);
		const token = url.searchParams.get('token');
		url.search = '';
		const socket = new WebSocket(url, ['coatcheck.v1', `coatcheck.token.${token}`]);
		const event = await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
		expect(JSON.parse(String(event))).toMatchObject({ type: 'snapshot' });
		expect(socket.protocol).toBe('coatcheck.v1');
		socket.terminate();
		const refused = new WebSocket(url, ['coatcheck.v1', 'coatcheck.token.a.b.c']);
		const error = await new Promise((resolve) => refused.once('error', resolve));
		expect(String(error)).toContain('401');
	});

	it('answers 429 to who goes on guessing, while a key goes on working', async () => {
		const statuses: number[] = [];
		for (let guess = 0; guess < 2 * REQUESTS_PER_ADDRESS + 1; guess++) {
			const response = await fetch(`${worker.origin}/v1/tasks`, { headers: withKey(`ck_guess-${guess}`) });
			statuses.push(response.status);
			await response.body?.cancel();
		}
		expect(statuses[0]).toBe(401);
		expect(statuses).toContain(429);
		expect((await fetch(`${worker.origin}/v1/tasks`, { headers: withKey(apiKey) })).status).toBe(200);
	});
});
