import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { ORIGIN } from '../flow/client.ts';
import { advanceClock, stopClock } from '../flow/faults.ts';
import { ask, bearer, DEPLOYED, inAnHour, KEYS, refusal, submission, type Variables } from './deployment.ts';

const ISSUER = 'https://id.example';
const AUDIENCE = 'coatcheck';

/** Each test has its own settings, so that no test uses another's cache. */
function settings(more: Variables = {}): Variables {
	return {
		...DEPLOYED,
		API_KEYS: undefined,
		JWT_ISSUER: ISSUER,
		JWT_AUDIENCE: AUDIENCE,
		JWT_JWKS_URL: `${ISSUER}/certs`,
		...more,
	};
}

interface Signer {
	readonly kid: string;
	readonly alg: string;
	readonly publicJwk: object;
	sign(claims?: JWTPayload, header?: Record<string, unknown>): Promise<string>;
}

async function signer(kid: string, alg = 'RS256'): Promise<Signer> {
	const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
	const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
	const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'user-1', tenant: 'acme', scope: 'openid submit read' };
	return {
		kid,
		alg,
		publicJwk,
		sign: (claims = {}, header = {}) =>
			new SignJWT({ ...usual, exp: inAnHour(), ...claims })
				.setProtectedHeader({ alg, kid, ...header })
				.sign(privateKey),
	};
}

/** The provider, in place of the network: it returns its keys, or any other given response. @returns the number of requests. */
function provider(answer: () => Response | Promise<Response>): () => number {
	let requests = 0;
	const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
		if (String(input) !== `${ISSUER}/certs`) throw new Error(`No network to ${String(input)}`);
		requests++;
		return answer();
	});
	onTestFinished(() => spy.mockRestore());
	return () => requests;
}

const publishing = (...signers: readonly Signer[]) =>
	provider(() => Response.json({ keys: signers.map(({ publicJwk }) => publicJwk) }));

const tasksAs = (variables: Variables, jwt: string) =>
	ask(variables, '/v1/tasks', { headers: bearer({ secret: jwt }) });

function quiet(): () => string {
	const log = vi.spyOn(console, 'error').mockImplementation(() => {});
	onTestFinished(() => log.mockRestore());
	return () => log.mock.calls.map(String).join('\n');
}

describe('a JWT of the identity provider', () => {
	it.each([
		'RS256',
		'PS256',
		'ES256',
		'EdDSA',
	])('signed with %s does what its scopes say, for its tenant', async (alg) => {
		const user = await signer('k1', alg);
		publishing(user);
		const variables = settings();
		const headers = bearer({ secret: await user.sign() });
		const response = await ask(variables, '/v1/tasks/sleep/jobs', submission(headers));
		expect(response.status).toBe(202);
		const { id } = await response.json<StatusDocument>();
		expect((await ask(variables, `/v1/jobs/${id}`, { headers })).status).toBe(200);
		expect((await ask(variables, `/v1/jobs/${id}/cancel`, { method: 'POST', headers })).status).toBe(403);
		const stranger = bearer({ secret: await user.sign({ tenant: 'globex' }) });
		expect(await refusal(await ask(variables, `/v1/jobs/${id}`, { headers: stranger }))).toEqual([404, 'JobNotFound']);
	});

	it('is checked without asking the provider again', async () => {
		const user = await signer('k1');
		stopClock();
		const asked = publishing(user);
		const variables = settings();
		for (let time = 0; time < 5; time++) expect((await tasksAs(variables, await user.sign())).status).toBe(200);
		expect(asked()).toBe(1);
	});

	it("signed with a key that is new at the provider is taken, and made-up keys don't make us ask for each", async () => {
		const [old, fresh] = await Promise.all([signer('k1'), signer('k2')]);
		stopClock();
		const published = [old];
		const asked = provider(() => Response.json({ keys: published.map(({ publicJwk }) => publicJwk) }));
		const variables = settings();
		expect((await tasksAs(variables, await old.sign())).status).toBe(200);
		published.push(fresh);
		advanceClock(31_000);
		expect((await tasksAs(variables, await fresh.sign())).status).toBe(200);
		for (const kid of ['x', 'y', 'z']) expect((await tasksAs(variables, await old.sign({}, { kid }))).status).toBe(401);
		expect(asked()).toBe(2);
	});

	it('is no longer taken some minutes after its key was taken back', async () => {
		const [old, fresh] = await Promise.all([signer('k1'), signer('k2')]);
		let published = [old, fresh];
		provider(() => Response.json({ keys: published.map(({ publicJwk }) => publicJwk) }));
		const variables = settings();
		const jwt = await old.sign();
		expect((await tasksAs(variables, jwt)).status).toBe(200);
		published = [fresh];
		advanceClock(11 * 60_000);
		expect((await tasksAs(variables, jwt)).status).toBe(401);
	});

	it.each([
		['for another audience', { aud: 'another' }],
		['of another issuer', { iss: 'https://evil.example' }],
		['that has expired', { exp: inAnHour() - 3_700 }],
		['that never expires', { exp: undefined }],
		['that is not valid yet', { nbf: inAnHour() }],
	])('%s is refused with 401', async (_, claims) => {
		const user = await signer('k1');
		publishing(user);
		const response = await tasksAs(settings(), await user.sign(claims as JWTPayload));
		expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
		expect(await refusal(response)).toEqual([401, 'Unauthorized']);
	});

	it('that is forged is refused with 401: by another key, with none, or with the public key for a secret', async () => {
		const [user, forger] = await Promise.all([signer('k1'), signer('k1')]);
		const asked = publishing(user);
		const variables = settings();
		const claims = { iss: ISSUER, aud: AUDIENCE, tenant: 'acme', scope: 'read', exp: inAnHour() };
		const publicKey = new TextEncoder().encode(JSON.stringify(user.publicJwk));
		const confused = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(publicKey);
		for (const jwt of [new UnsecuredJWT(claims).encode(), await confused, 'a.b.c', 'nonsense'])
			expect((await tasksAs(variables, jwt)).status).toBe(401);
		// A token that no key could have signed causes no request to the provider.
		expect(asked()).toBe(0);
		expect((await tasksAs(variables, await forger.sign())).status).toBe(401);
		expect((await tasksAs(variables, await user.sign())).status).toBe(200);
	});

	it('that names no tenant is refused with 403, which says what is missing', async () => {
		const user = await signer('k1');
		publishing(user);
		for (const tenant of [undefined, '', 7, ['acme']]) {
			const response = await tasksAs(settings(), await user.sign({ tenant }));
			expect(response.status).toBe(403);
			expect(await response.text()).toContain('\\"tenant\\"');
		}
	});

	it('may say its tenant and scopes elsewhere', async () => {
		const user = await signer('k1');
		publishing(user);
		const nested = settings({ JWT_TENANT_CLAIM: 'custom.org', JWT_SCOPES_CLAIM: 'https://acme.example/roles' });
		const claims = { tenant: undefined, custom: { org: 'acme' } };
		const withRoles = (roles: unknown) => user.sign({ ...claims, 'https://acme.example/roles': roles });
		expect((await tasksAs(nested, await withRoles(['read', 'other']))).status).toBe(200);
		expect((await tasksAs(nested, await withRoles(['admin']))).status).toBe(200);
		expect((await tasksAs(nested, await withRoles([]))).status).toBe(403);
		expect((await tasksAs(nested, await withRoles({ read: true }))).status).toBe(403);
	});

	it('that says nothing of scopes has those of the deployment, which are none unless it says so', async () => {
		const user = await signer('k1');
		publishing(user);
		const jwt = await user.sign({ scope: undefined });
		expect((await tasksAs(settings(), jwt)).status).toBe(403);
		expect((await tasksAs(settings({ JWT_DEFAULT_SCOPES: 'submit, read' }), jwt)).status).toBe(200);
		// A scope claim takes precedence, even if it is empty.
		expect((await tasksAs(settings({ JWT_DEFAULT_SCOPES: 'read' }), await user.sign({ scope: '' }))).status).toBe(403);
	});

	it('goes beside API keys', async () => {
		const user = await signer('k1');
		const asked = publishing(user);
		const variables = settings({ API_KEYS: DEPLOYED.API_KEYS });
		expect((await ask(variables, '/v1/tasks', { headers: bearer(KEYS.read) })).status).toBe(200);
		expect(asked()).toBe(0);
		expect((await tasksAs(variables, await user.sign())).status).toBe(200);
	});

	it('is not taken for a job token, nor a job token for one', async () => {
		const user = await signer('k1');
		publishing(user);
		const variables = settings();
		const response = await ask(variables, '/v1/tasks/sleep/jobs', submission(bearer({ secret: await user.sign() })));
		const { id, links } = await response.json<StatusDocument>();
		expect((await ask(variables, `/v1/jobs/${id}?token=${await user.sign({ sub: id })}`)).status).toBe(401);
		const token = new URL(links.self).searchParams.get('token') ?? '';
		expect((await ask(variables, `/v1/jobs/${id}`, { headers: bearer({ secret: token }) })).status).toBe(401);
	});
});

describe('an identity provider that cannot be asked', () => {
	it.each([
		['is down', () => Promise.reject(new TypeError('connection refused'))],
		['answers with an error', () => new Response('oops', { status: 500 })],
		['answers with a redirect', () => Response.redirect('https://elsewhere.example/certs')],
		['answers with nonsense', () => new Response('oops')],
		['answers with no keys', () => Response.json({ keys: 'none' })],
	])('because it %s is no fault of the caller: 503, and try again', async (_, answer) => {
		quiet();
		const user = await signer('k1');
		provider(answer);
		const response = await tasksAs(settings(), await user.sign());
		expect(response.headers.get('retry-after')).not.toBeNull();
		expect(await refusal(response)).toEqual([503, 'IdentityProviderUnavailable']);
	});

	it('is left alone for some seconds, whoever calls, and then asked again', async () => {
		const output = quiet();
		const user = await signer('k1');
		stopClock();
		let isUp = false;
		const asked = provider(() => {
			if (!isUp) throw new TypeError('connection refused');
			return Response.json({ keys: [user.publicJwk] });
		});
		const variables = settings();
		for (let time = 0; time < 5; time++) expect((await tasksAs(variables, await user.sign())).status).toBe(503);
		expect(asked()).toBe(1);
		expect(output()).toContain('fetching the keys of the identity provider failed');
		isUp = true;
		advanceClock(6_000);
		expect((await tasksAs(variables, await user.sign())).status).toBe(200);
	});

	it('keeps nobody out whose keys are known, and nobody who has an API key or a link', async () => {
		quiet();
		const user = await signer('k1');
		let isUp = true;
		provider(() => {
			if (!isUp) throw new TypeError('connection refused');
			return Response.json({ keys: [user.publicJwk] });
		});
		const variables = settings({ API_KEYS: DEPLOYED.API_KEYS });
		const response = await ask(variables, '/v1/tasks/sleep/jobs', submission(bearer({ secret: await user.sign() })));
		const { links } = await response.json<StatusDocument>();
		isUp = false;
		advanceClock(60_000);
		expect((await tasksAs(variables, await user.sign({}, { kid: 'unknown' }))).status).toBe(503);
		expect((await tasksAs(variables, await user.sign())).status).toBe(200);
		expect((await ask(variables, links.operation)).status).toBe(200);
		expect((await ask(variables, '/v1/tasks', { headers: bearer(KEYS.read) })).status).toBe(200);
	});
});

describe('the assertion of Cloudflare Access', () => {
	const asserted = (jwt: string, headers: Record<string, string> = {}) => ({
		headers: { 'cf-access-jwt-assertion': jwt, ...headers },
	});

	/** Access sends neither tenant nor scopes. Here a whole team is one tenant. */
	const ACCESS = settings({ JWT_TENANT_CLAIM: 'iss', JWT_DEFAULT_SCOPES: 'submit read cancel' });

	async function access(): Promise<string> {
		const team = await signer('k1');
		publishing(team);
		return team.sign({ tenant: undefined, scope: undefined, aud: [AUDIENCE], email: 'me@acme.example', type: 'app' });
	}

	it('lets in whom Access has let through', async () => {
		const jwt = await access();
		const variables = { ...ACCESS };
		expect((await ask(variables, '/v1/tasks', asserted(jwt))).status).toBe(200);
		expect((await ask(variables, '/v1/tasks', asserted(`${jwt.slice(0, -4)}AAAA`))).status).toBe(401);
		expect((await ask(variables, '/v1/tasks')).status).toBe(401);
	});

	it('is nothing where no identity provider is configured', async () => {
		expect((await ask(DEPLOYED, '/v1/tasks', asserted(await access()))).status).toBe(401);
	});

	it('yields to a key that is sent on purpose', async () => {
		const jwt = await access();
		const variables = { ...ACCESS, API_KEYS: DEPLOYED.API_KEYS };
		expect((await ask(variables, '/v1/tasks', asserted(jwt, bearer(KEYS.cancel)))).status).toBe(403);
		expect((await ask(variables, '/v1/tasks', asserted(jwt, { authorization: 'Bearer wrong' }))).status).toBe(401);
	});

	it('is not taken for what another site made the browser send, unless that site is one of ours', async () => {
		const jwt = await access();
		const variables = { ...ACCESS, CORS_ORIGINS: 'https://app.example' };
		const statusFrom = async (headers: Record<string, string>) => {
			const init = submission(asserted(jwt, headers).headers);
			return (await ask(variables, '/v1/tasks/sleep/jobs', init)).status;
		};
		expect(await statusFrom({ origin: 'https://evil.example' })).toBe(403);
		expect(await statusFrom({ origin: 'null' })).toBe(403);
		expect(await statusFrom({ 'sec-fetch-site': 'cross-site' })).toBe(403);
		expect(await statusFrom({ 'sec-fetch-site': 'same-site' })).toBe(403);
		expect(await statusFrom({ origin: ORIGIN, 'sec-fetch-site': 'same-origin' })).toBe(202);
		expect(await statusFrom({ origin: 'https://app.example', 'sec-fetch-site': 'cross-site' })).toBe(202);
		expect(await statusFrom({ 'sec-fetch-site': 'none' })).toBe(202);
		const anywhere = { ...variables, CORS_ORIGINS: '*' };
		expect((await ask(anywhere, '/v1/tasks', asserted(jwt, { origin: 'https://evil.example' }))).status).toBe(403);
	});
});
