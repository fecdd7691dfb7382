import { describe, expect, it } from 'vitest';
import { identityIn010 } from '../../../src/core/upstream/identity-010.ts';
import { mayFollow, requestFault, requestIdentity } from '../../../src/core/upstream/request.ts';
import { readUpstreams, type Upstream } from '../../../src/core/upstream/settings.ts';

function upstream(settings: Record<string, unknown> = {}): Upstream {
	const { upstreams } = readUpstreams({ report: { baseUrl: 'https://api.example', ...settings } }, {}, false);
	const made = upstreams.get('report');
	if (!made) throw new Error('not configured');
	return made;
}

describe('requestFault', () => {
	it('finds nothing wrong with any method and path where nothing was said of them', () => {
		for (const method of ['GET', 'POST', 'PROPFIND', 'OPTIONS'])
			expect(requestFault(upstream(), { method, path: '/x' })).toBeUndefined();
	});

	it('never lets TRACE or CONNECT through', () => {
		for (const method of ['TRACE', 'CONNECT'])
			expect(requestFault(upstream(), { method, path: '/x' })).toMatchObject({ type: 'method' });
	});

	it('holds to the methods and paths that are configured, and says which they are', () => {
		const strict = upstream({ methods: ['POST'], paths: ['/reports/*'] });
		expect(requestFault(strict, { method: 'GET', path: '/reports/1' })).toEqual({
			type: 'method',
			message: '"report" takes POST, got: GET',
		});
		expect(requestFault(strict, { method: 'POST', path: '/admin' })).toEqual({
			type: 'rules',
			message: 'This path is not forwarded to "report": expected one of /reports/*',
		});
		expect(requestFault(strict, { method: 'POST', path: '/reports/%2e%2e/admin' })).toMatchObject({ type: 'path' });
	});
});

describe('identityOf', () => {
	const request = { method: 'POST', path: '/x', query: '?a', headers: [] };
	const headers = [
		['Accept', 'text/csv'],
		['X-Stainless-Retry-Count', '1'],
		['Authorization', 'Bearer x'],
	] as const;

	it('is method, path and query, whatever headers a gateway or SDK sets', () => {
		expect(requestIdentity(request, headers, upstream())).toEqual({
			method: 'POST',
			path: '/x',
			query: '?a',
			headers: [],
		});
	});

	it('has the headers that are configured, whether they are forwarded or not', () => {
		const configured = upstream({ fingerprintHeaders: ['Accept', 'authorization'] });
		expect(requestIdentity(request, headers, configured).headers).toEqual([
			['accept', 'text/csv'],
			['authorization', 'Bearer x'],
		]);
	});
});

describe('identityIn010', () => {
	it('is what version 0.1.0 made of a request: the headers that it forwarded, without what traces it', () => {
		const headers = [
			...['Accept', 'Idempotency-Key', 'Range', 'X-Functions-Key', 'X-Remote-User', 'Authorization', 'X-Hop'],
			...['Host', 'Prefer', 'Coatcheck-Tags', 'X-Forwarded-For', 'X-Api-Key', 'User-Agent', 'X-Request-Id', 'Origin'],
		].map((name) => [name, 'x'] as const);
		const request = { method: 'GET', path: '/x', query: '', headers: [] };
		expect(identityIn010(request, [...headers, ['Connection', 'X-Hop']], ['authorization'])).toEqual({
			method: 'GET',
			path: '/x',
			query: '',
			headers: ['accept', 'idempotency-key', 'range', 'x-functions-key', 'x-remote-user', 'authorization'].map(
				(name) => [name, 'x'],
			),
		});
	});
});

describe('mayFollow', () => {
	const strict = upstream({ baseUrl: 'https://api.example/v1', methods: ['POST'], paths: ['/reports/*'] });
	const follows = (to: string, method = 'POST') => mayFollow(strict, new URL(to), method);

	it('keeps to methods, paths and base URL on the origin of the upstream', () => {
		expect(follows('https://api.example/v1/reports/1?x')).toBe(true);
		expect(follows('https://api.example/v1/reports/1', 'GET')).toBe(false);
		for (const path of ['/v1/admin', '/reports/1', '/v1', '/v10/reports/1', '/v1/reports/%252e%252e/admin'])
			expect([path, follows(`https://api.example${path}`)]).toEqual([path, false]);
	});

	it('leaves other origins alone, which get nothing that was configured', () => {
		expect(follows('https://elsewhere.example/admin', 'GET')).toBe(true);
		expect(follows('http://api.example/v1/admin')).toBe(true);
	});
});
