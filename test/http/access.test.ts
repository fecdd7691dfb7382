import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { call, ORIGIN, submit, until } from '../flow/client.ts';
import { advanceClock } from '../flow/faults.ts';
import { receiver } from '../webhook/receiver.ts';
import worker from '../worker.ts';
import { ask, bearer, DEPLOYED, KEYS, rightIn, submission } from './deployment.ts';

const LOCAL_KEY = Uint8Array.from(atob(JSON.parse(env.SIGNING_KEYS).local), (char) => char.charCodeAt(0));

/** Sends a request to a deployment with other variables than in local development. */
function callWith(
	variables: Record<string, string | undefined>,
	path: string,
	init: RequestInit = {},
): Promise<Response> {
	const request = new Request(new URL(path, ORIGIN), init) as Parameters<typeof worker.fetch>[0];
	return worker.fetch(request, { ...env, ...variables } as typeof env, createExecutionContext());
}

function jwt(claims: Record<string, unknown>, key = LOCAL_KEY, header: Record<string, unknown> = {}): Promise<string> {
	return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'local', ...header }).sign(key);
}

const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

describe('a wrong setting', () => {
	it.each([
		['AUTH', 'off'],
		['SIGNING_KEYS', '{"k":"c2hvcnQ="}'],
		['SIGNING_KEYS', 'not json'],
		['SIGNING_KEYS', '{}'],
		['MAX_INPUT_BYTES', 'lots'],
		['MAX_RESULT_BYTES', '-1'],
		['PUBLIC_URL', 'jobs.example'],
		['PUBLIC_URL', 'https://jobs.example, gate.example'],
		['PUBLIC_URL', 'https://jobs.example?a=b'],
		['ALLOW_PRIVATE_TARGETS', 'yes'],
		['SIGNING_KEYS', `{"new":"${btoa('n'.repeat(32))}","1":"${btoa('o'.repeat(32))}"}`],
		['SIGNING_KEYS', `[{"id":"a","key":"${btoa('n'.repeat(32))}"},{"id":"a","key":"${btoa('o'.repeat(32))}"}]`],
		['SIGNING_KEYS', '[]'],
		['CORS_ORIGINS', 'https://a.example/'],
		['CORS_ORIGINS', 'a.example'],
		['CORS_ORIGINS', 'https://a.example:443'],
		['CORS_ORIGINS', 'https://A.example'],
		['CORS_ORIGINS', 'https://a.example, null'],
	])('%s=%s stops with a message that names it, to the log and to the client, and never its value', async (name, value) => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		// A generated correlation id may contain the value by chance.
		const response = await callWith({ [name]: value }, '/v1/tasks', { headers: { 'x-correlation-id': 'of-the-test' } });
		expect(response.status).toBe(503);
		const body = await response.text();
		expect(body).toContain(name);
		expect(body).not.toContain(value);
		expect(log.mock.calls.map(String).join('\n')).toContain(name);
		log.mockRestore();
	});
});

describe('a token', () => {
	it('opens nothing when its time is over, also for a reader it has let in before', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const token = await jwt({ sub: document.id, tenant: 'default', scope: 'read', exp: inAnHour() });
		const ask = () => call(`/v1/operations/${document.id}?token=${token}`);
		expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
		advanceClock(3_601_000);
		expect((await ask()).status).toBe(401);
	});

	it('that was let in is still for its own job and scopes only', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const token = await jwt({ sub: document.id, tenant: 'default', scope: 'read', exp: inAnHour() });
		expect((await call(`/v1/operations/${document.id}?token=${token}`)).status).toBe(200);
		const cancel = `/v1/jobs/${document.id}?token=${token}`;
		expect((await ask(DEPLOYED, cancel, { method: 'DELETE' })).status).toBe(403);
		const { document: other } = await submit('sleep', { seconds: 0 });
		expect((await call(`/v1/operations/${other.id}?token=${token}`)).status).toBe(403);
	});

	it('opens every link of its job, and survives the redirect to the result', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		for (const url of [document.links.operation, document.links.events, document.links.result]) {
			expect((await callWith({ AUTH: 'none' }, url)).status).toBe(200);
		}
		const { searchParams } = new URL((await call(document.links.self)).headers.get('location') ?? '');
		expect(searchParams.get('token')).toBe(new URL(document.links.self).searchParams.get('token'));
	});

	it.each([
		['forged', (claims: Record<string, unknown>) => jwt(claims, new Uint8Array(32).fill(7))],
		['signed with an unknown key', (claims: Record<string, unknown>) => jwt(claims, LOCAL_KEY, { kid: 'other' })],
		['of another algorithm', (claims: Record<string, unknown>) => jwt(claims, LOCAL_KEY, { alg: 'HS512' })],
		['with no signature', async (claims: Record<string, unknown>) => new UnsecuredJWT(claims).encode()],
		['that has expired', (claims: Record<string, unknown>) => jwt({ ...claims, exp: inAnHour() - 7_200 })],
		['without an expiry', ({ exp: _, ...claims }: Record<string, unknown>) => jwt(claims)],
		['that is none', async () => 'nonsense'],
		['that is empty', async () => ''],
	])('%s is refused with 401, although everybody may come in', async (_, make) => {
		const { document } = await submit('sleep', { seconds: 0 });
		const token = await make({ sub: document.id, tenant: 'default', scope: 'read cancel', exp: inAnHour() });
		const response = await call(`/v1/jobs/${document.id}?token=${token}`);
		expect(response.status).toBe(401);
		expect(response.headers.get('www-authenticate')).toContain('Bearer');
		expect(await response.json()).toMatchObject({ code: 'Unauthorized' });
	});

	it('for another job, or without the scope, is refused with 403', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const other = await submit('sleep', { seconds: 0 });
		const ofOther = await jwt({ sub: other.document.id, tenant: 'default', scope: 'read', exp: inAnHour() });
		expect((await call(`/v1/jobs/${document.id}?token=${ofOther}`)).status).toBe(403);
		// A current token does not name its job.
		const { search } = new URL(other.document.links.self);
		expect((await call(`/v1/jobs/${document.id}${search}`)).status).toBe(401);
		const readOnly = await jwt({ sub: document.id, tenant: 'default', scope: 'read', exp: inAnHour() });
		const cancel = `/v1/jobs/${document.id}/cancel?token=${readOnly}`;
		expect((await ask(DEPLOYED, cancel, { method: 'POST' })).status).toBe(403);
		expect((await call(`/v1/jobs/${document.id}?token=${readOnly}`)).status).toBe(200);
		await call(document.links.self, { method: 'DELETE' });
	});

	it('gives its reader links that can do no more than it can', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const readOnly = await jwt({ sub: document.id, tenant: 'default', scope: 'read', exp: inAnHour() });
		const { links } = await (await call(`/v1/jobs/${document.id}?token=${readOnly}`)).json<StatusDocument>();
		expect(links).not.toHaveProperty('cancel');
		for (const link of Object.values(links)) expect(rightIn(link)).toBe('read');
		await call(document.links.self, { method: 'DELETE' });
	});

	it('of another tenant finds nothing', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const foreign = await jwt({ sub: document.id, tenant: 'acme', scope: 'read cancel', exp: inAnHour() });
		for (const path of ['', '/result', '/events']) {
			expect((await call(`/v1/jobs/${document.id}${path}?token=${foreign}`)).status).toBeOneOf([404, 410]);
		}
	});

	it('works while the signing key is being changed', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const fresh = btoa('x'.repeat(32));
		const both = JSON.stringify({ k2: fresh, local: JSON.parse(env.SIGNING_KEYS).local });
		expect((await callWith({ SIGNING_KEYS: both }, document.links.operation)).status).toBe(200);
		const signed = await (
			await callWith({ SIGNING_KEYS: both }, `/v1/operations/${document.id}`)
		).json<StatusDocument>();
		expect((await callWith({ SIGNING_KEYS: both }, signed.links.operation)).status).toBe(200);
		expect((await callWith({ SIGNING_KEYS: JSON.stringify({ k2: fresh }) }, document.links.operation)).status).toBe(
			401,
		);
	});

	it('is signed with the first key of a list, whatever its id', async () => {
		const fresh = new Uint8Array(32).fill(1);
		const keys = JSON.stringify([
			{ id: '2', key: btoa(String.fromCharCode(...fresh)) },
			{ id: '1', key: JSON.parse(env.SIGNING_KEYS).local },
		]);
		const { document } = await submit('sleep', { seconds: 0 });
		const path = `/v1/operations/${document.id}`;
		const { links } = await (await callWith({ SIGNING_KEYS: keys }, path)).json<StatusDocument>();
		const onlyFresh = JSON.stringify({ 2: btoa(String.fromCharCode(...fresh)) });
		expect((await callWith({ SIGNING_KEYS: onlyFresh }, links.operation)).status).toBe(200);
	});

	it('expires with its job', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { retainSeconds: 60, startWithinSeconds: 60 });
		await until(document, 'succeeded');
		// The link was issued before the job's duration was known.
		advanceClock(100 * 86_400_000);
		expect((await call(document.links.operation)).status).toBe(401);
	});
});

describe('a deployment without signing keys', () => {
	it('gives out links without tokens', async () => {
		const response = await callWith({ SIGNING_KEYS: undefined }, '/v1/tasks/sleep/jobs', {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: '{"seconds":0}',
		});
		const { links, id } = await response.json<StatusDocument>();
		expect(links.self).toBe(`${ORIGIN}/v1/jobs/${id}`);
	});
});

describe('links', () => {
	it('start with PUBLIC_URL behind a gateway', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const local = `http://localhost:8787/v1/operations/${document.id}`;
		const response = await callWith({ PUBLIC_URL: 'https://gate.example/jobs/' }, local);
		const { links } = await response.json<StatusDocument>();
		expect(links.self).toMatch(/^https:\/\/gate\.example\/jobs\/v1\/jobs\//);
		expect(links.socket).toMatch(/^wss:\/\/gate\.example\/jobs\/v1\/jobs\//);
	});

	it.each([
		['https://b.example', 'https://b.example/jobs/v1/jobs/'],
		['https://a.example', 'https://a.example/v1/jobs/'],
		// A gateway that calls the deployment by another name.
		['https://coatcheck.workers.dev', 'https://a.example/v1/jobs/'],
	])('that are asked for at %s start with %s where there are several public addresses', async (origin, start) => {
		const variables = { ...DEPLOYED, PUBLIC_URL: 'https://a.example, https://b.example/jobs/' };
		const init = submission(bearer(KEYS.client));
		const response = await ask(variables, `${origin}/v1/tasks/sleep/jobs`, init);
		const { links } = await response.json<StatusDocument>();
		expect(links.self.startsWith(start), links.self).toBe(true);
		expect(response.headers.get('location')).toBe(links.self);
	});
});

describe('CORS', () => {
	const from = (origin: string) => ({ headers: { origin } });

	it('lets the configured origins read what a client needs', async () => {
		const variables = { CORS_ORIGINS: 'https://a.example, https://b.example' };
		const response = await callWith(variables, '/v1/tasks', from('https://b.example'));
		expect(response.headers.get('access-control-allow-origin')).toBe('https://b.example');
		expect(response.headers.get('vary')).toContain('Origin');
		for (const header of [
			'Location',
			'Operation-Location',
			'Retry-After',
			'ETag',
			'X-Correlation-ID',
			'Idempotent-Replayed',
		]) {
			expect(response.headers.get('access-control-expose-headers')).toContain(header);
		}
		expect(
			(await callWith(variables, '/v1/tasks', from('https://evil.example'))).headers.get('access-control-allow-origin'),
		).toBeNull();
	});

	it('lets listed origins send the cookie of Cloudflare Access, and no other', async () => {
		const credentialsFor = async (origins: string, origin: string) =>
			(await callWith({ CORS_ORIGINS: origins }, '/v1/tasks', from(origin))).headers.get(
				'access-control-allow-credentials',
			);
		expect(await credentialsFor('https://a.example', 'https://a.example')).toBe('true');
		expect(await credentialsFor('https://a.example, *', 'https://a.example')).toBe('true');
		expect(await credentialsFor('https://a.example', 'https://evil.example')).toBeNull();
		expect(await credentialsFor('*', 'https://evil.example')).toBeNull();
		expect(await credentialsFor('*', '*')).toBeNull();
		const preflight = await callWith({ CORS_ORIGINS: 'https://a.example' }, '/v1/jobs', {
			method: 'OPTIONS',
			headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
		});
		expect(preflight.headers.get('access-control-allow-credentials')).toBe('true');
		expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
	});

	it("exposes a result's own headers", async () => {
		receiver('report.example', () => new Response('ok', { headers: { 'x-rows': '3', 'content-language': 'de' } }));
		const document = await (await call('/v1/upstreams/report/x')).json<StatusDocument>();
		await until(document, 'succeeded');
		const result = await callWith(
			{ CORS_ORIGINS: 'https://a.example' },
			document.links.result,
			from('https://a.example'),
		);
		expect(result.headers.get('x-rows')).toBe('3');
		const exposed = result.headers.get('access-control-expose-headers')?.split(', ') ?? [];
		expect(exposed).toEqual(expect.arrayContaining(['x-rows', 'content-language', 'Location']));
		expect(new Set(exposed.map((name) => name.toLowerCase())).size).toBe(exposed.length);
	});

	it.each([
		'capacitor://localhost',
		'http://localhost:3000',
		'https://a.example,,',
	])('takes %s for origins', async (origins) => {
		const origin = origins.replace(/,+$/, '');
		const response = await callWith({ CORS_ORIGINS: origins }, '/v1/tasks', from(origin));
		expect(response.headers.get('access-control-allow-origin')).toBe(origin);
	});

	it('covers refusals too, for a page must be able to read why', async () => {
		const response = await callWith({ CORS_ORIGINS: '*' }, '/nowhere', from('https://a.example'));
		expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, '*']);
	});

	it('answers a preflight', async () => {
		const response = await callWith({ CORS_ORIGINS: '*' }, '/v1/jobs', {
			method: 'OPTIONS',
			headers: {
				origin: 'https://a.example',
				'access-control-request-method': 'POST',
				'access-control-request-headers': 'content-type,idempotency-key',
			},
		});
		expect(response.status).toBe(204);
		expect(response.headers.get('access-control-allow-origin')).toBe('*');
		expect(response.headers.get('access-control-allow-methods')).toContain('POST');
		expect(response.headers.get('access-control-allow-headers')).toBe('content-type,idempotency-key');
	});

	it('is off when nothing is configured', async () => {
		const response = await call('/v1/tasks', from('https://a.example'));
		expect(response.headers.get('access-control-allow-origin')).toBeNull();
	});
});
