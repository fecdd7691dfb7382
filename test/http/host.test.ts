/** The host names and origins that a deployment accepts. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { receiver } from '../webhook/receiver.ts';
import { ask, bearer, DEPLOYED, KEYS, refusal, submission, type Variables } from './deployment.ts';

const LOCAL = 'http://localhost:8787';
/** Local development, as `.dev.vars` sets it. */
const OPEN: Variables = { PUBLIC_URL: undefined };

const submitting = (origin: string, headers: Record<string, string> = {}, variables = OPEN) =>
	ask(variables, `${origin}/v1/tasks/sleep/jobs`, submission(headers));

describe('a deployment that lets everybody in', () => {
	it.each([
		LOCAL,
		'http://127.0.0.1:8787',
		'http://127.1.2.3',
		'http://[::1]:8787',
		'http://[::ffff:127.0.0.1]:8787',
		'http://LOCALHOST.:8787',
		'http://coatcheck.localhost',
	])('answers under a name of the machine: %s', async (origin) => {
		const response = await submitting(origin);
		expect(response.status).toBe(202);
		const { links } = await response.json<StatusDocument>();
		expect(links.self.startsWith(new URL(origin).origin)).toBe(true);
	});

	it.each([
		'http://evil.example:8787',
		'http://localhost.evil.example',
		'http://evillocalhost',
		'http://127.0.0.1.evil.example',
		'http://0.0.0.0:8787',
		'http://192.168.0.2:8787',
		'http://[fd00::1]:8787',
	])('refuses a name that any page can point at the machine: %s', async (origin) => {
		const sameOrigin = { origin, 'sec-fetch-site': 'same-origin' };
		expect(await refusal(await submitting(origin, sameOrigin))).toEqual([421, 'MisdirectedRequest']);
		expect((await ask(OPEN, `${origin}/v1/tasks`)).status).toBe(421);
	});

	it('answers under the hosts of PUBLIC_URL', async () => {
		const variables = { PUBLIC_URL: 'https://tunnel.example/jobs, http://192.168.0.2:8787' };
		expect((await submitting('http://192.168.0.2:8787', {}, variables)).status).toBe(202);
		expect((await submitting('https://tunnel.example', {}, variables)).status).toBe(202);
		expect((await submitting('http://192.168.0.2:8788', {}, variables)).status).toBe(421);
	});

	it.each<[string, Record<string, string>]>([
		['a form of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
		['a page of another port', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
		['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
		['a browser that says only where from', { origin: 'https://evil.example' }],
		[
			'a picture of another site',
			{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
		],
	])('lets %s neither submit nor read', async (_, headers) => {
		expect(await refusal(await submitting(LOCAL, headers))).toEqual([403, 'Forbidden']);
		expect(await refusal(await ask(OPEN, `${LOCAL}/v1/tasks`, { headers }))).toEqual([403, 'Forbidden']);
	});

	it('calls no upstream because another site has a link, a picture or a form', async () => {
		const received = receiver('report.example', () => new Response('ok'));
		const follows = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
		const path = `/${crypto.randomUUID()}`;
		const upstream = `${LOCAL}/v1/upstreams/report${path}`;
		expect((await ask(OPEN, upstream, { headers: follows })).status).toBe(403);
		expect((await ask(OPEN, upstream, { method: 'POST', headers: { origin: 'https://evil.example' } })).status).toBe(
			403,
		);
		// Requests of other tests may still be on their way.
		expect(received.filter(({ url }) => url.includes(path))).toEqual([]);
	});

	it('answers its own pages, programs that are no browser, and a user who follows a link', async () => {
		expect((await submitting(LOCAL, { origin: LOCAL, 'sec-fetch-site': 'same-origin' })).status).toBe(202);
		expect((await submitting(LOCAL, { 'sec-fetch-mode': 'cors' })).status).toBe(202);
		const follows = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
		expect((await ask(OPEN, `${LOCAL}/v1/tasks`, { headers: follows })).status).toBe(200);
		const framed = { ...follows, 'sec-fetch-dest': 'iframe' };
		expect((await ask(OPEN, `${LOCAL}/v1/tasks`, { headers: framed })).status).toBe(403);
	});

	it('answers the pages that CORS_ORIGINS lists, and every page where that is *', async () => {
		const page = { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' };
		const listed = { ...OPEN, CORS_ORIGINS: 'http://localhost:3000' };
		expect((await submitting(LOCAL, page, listed)).status).toBe(202);
		expect((await submitting(LOCAL, { origin: 'https://evil.example' }, listed)).status).toBe(403);
		expect((await submitting(LOCAL, page, { ...OPEN, CORS_ORIGINS: '*' })).status).toBe(202);
	});

	it('answers a link with a token in any page: the token is what opens it', async () => {
		const { links } = await (await submitting(LOCAL)).json<StatusDocument>();
		const headers = { origin: 'https://a.example', 'sec-fetch-site': 'cross-site' };
		expect((await ask(OPEN, links.operation, { headers })).status).toBe(200);
	});
});

describe('a deployment with keys', () => {
	it('refuses http: before it looks at a key or a token, and says that they are to be replaced', async () => {
		const response = await submitting('http://coatcheck.example', bearer(KEYS.client), DEPLOYED);
		const problem = await response.json<{ code: string; detail: string }>();
		expect([response.status, problem.code]).toEqual([403, 'HttpsRequired']);
		expect(problem.detail).toContain('replace the ones in this request');
		const anonymous = await submitting('http://coatcheck.example', {}, DEPLOYED);
		expect(await refusal(anonymous)).toEqual([403, 'HttpsRequired']);
		const withToken = await ask(DEPLOYED, 'http://coatcheck.example/v1/operations/x?token=y');
		expect(await refusal(withToken)).toEqual([403, 'HttpsRequired']);
	});

	it.each([LOCAL, 'http://127.0.0.1:8787', 'https://coatcheck.example'])('answers at %s', async (origin) => {
		expect((await submitting(origin, bearer(KEYS.client), DEPLOYED)).status).toBe(202);
	});

	it('takes no PUBLIC_URL with http:, unless that never leaves the machine or private addresses are allowed', async () => {
		const statusWith = async (variables: Variables) =>
			(await ask({ ...DEPLOYED, ...variables }, '/v1/tasks', { headers: bearer(KEYS.read) })).status;
		expect(await statusWith({ PUBLIC_URL: 'https://gate.example, http://other.example' })).toBe(503);
		expect(await statusWith({ PUBLIC_URL: 'http://localhost:8787' })).toBe(200);
		expect(await statusWith({ PUBLIC_URL: 'http://coatcheck:8787', ALLOW_PRIVATE_TARGETS: 'true' })).toBe(200);
		const inside = { ...DEPLOYED, PUBLIC_URL: 'http://coatcheck:8787', ALLOW_PRIVATE_TARGETS: 'true' };
		expect((await submitting('http://coatcheck:8787', bearer(KEYS.client), inside)).status).toBe(202);
		expect((await submitting('http://other:8787', bearer(KEYS.client), inside)).status).toBe(403);
	});

	it('says that it is alive under every name', async () => {
		for (const variables of [OPEN, DEPLOYED, env as unknown as Variables])
			expect((await ask(variables, 'http://10.0.0.1/healthz')).status).toBe(200);
	});
});
