import { describe, expect, it } from 'vitest';
import { isPage } from '../../src/http/dashboard.ts';
import { type PageFiles, servePage } from '../../src/http/serve-page.ts';
import { ask, DEPLOYED } from './deployment.ts';

/** The files of the page, as the platform's binding has them. */
const ASSETS = {
	fetch: async () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html', etag: '"1"' } }),
} satisfies PageFiles;

const on = { ...DEPLOYED, ASSETS };

describe('the dashboard', () => {
	it.each([
		'/',
		'/jobs',
		'/jobs?status=failed',
		'/jobs/1',
		'/jobs/1/wire',
		'/topics/a',
		'/submit/sleep',
		'/actions/1',
	])('%s is its page, without a key', async (path) => {
		const response = await ask(on, path);
		expect(response.status).toBe(200);
		expect(await response.text()).toBe('<!doctype html>');
	});

	it('has a policy that loads nothing from elsewhere and nothing inline', async () => {
		const { headers } = await ask(on, '/');
		const policy = headers.get('content-security-policy') ?? '';
		expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
		expect(policy).toContain("frame-ancestors 'none'; require-trusted-types-for 'script'");
		expect(policy).not.toContain('unsafe');
		expect(headers.get('referrer-policy')).toBe('no-referrer');
		expect(headers.get('x-content-type-options')).toBe('nosniff');
		expect(headers.get('cache-control')).toBe('no-cache');
	});

	it.each(['/nowhere', '/jobs/1/2', '/jobs/1/wire/2', '/index.html', '/v1'])('%s is no page', async (path) => {
		const response = await ask(on, path);
		expect(response.status).toBe(404);
		expect(response.headers.get('content-type')).toBe('application/problem+json');
	});

	it('takes no method but GET and HEAD', async () => {
		expect((await ask(on, '/', { method: 'POST' })).status).toBe(404);
		const head = await ask(on, '/', { method: 'HEAD' });
		expect([head.status, await head.text()]).toEqual([200, '']);
	});

	it('is away with DASHBOARD=off, and in a deployment without its files', async () => {
		expect((await ask({ ...on, DASHBOARD: 'off' }, '/')).status).toBe(404);
		expect((await ask({ ...on, ASSETS: undefined }, '/')).status).toBe(404);
	});

	it('is answered 503 like everything else while nothing is configured', async () => {
		const response = await ask({ ...on, API_KEYS: undefined, AUTH: undefined }, '/');
		expect(response.status).toBe(503);
	});

	it('is answered 503 for a wrong value of DASHBOARD', async () => {
		expect((await ask({ ...on, DASHBOARD: 'yes' }, '/')).status).toBe(503);
	});

	it('asks the files only for the page itself, with the validator of the browser', async () => {
		const asked: unknown[] = [];
		const files: PageFiles = {
			fetch: async ({ href }, { headers }) => {
				asked.push([href, headers]);
				return new Response(null, { status: 304 });
			},
		};
		const headers = new Headers({ 'if-none-match': '"1"', cookie: 'a=b' });
		expect((await servePage(files, { url: 'https://jobs.example/jobs/1?a=b', headers })).status).toBe(304);
		expect(asked).toEqual([['https://jobs.example/', { 'if-none-match': '"1"' }]]);
	});

	it('takes no path with a trailing slash', () => {
		expect(isPage(new URL('https://jobs.example/jobs/'))).toBe(false);
	});
});
