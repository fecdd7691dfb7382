import { describe, expect, it } from 'vitest';
import { isAllowedPath, pathRefusal, upstreamUrl } from '../../../src/core/upstream/paths.ts';

describe('pathRefusal', () => {
	it('lets through what a path may have', () => {
		for (const path of [
			'',
			'/',
			'/reports/2026',
			'/a%20b',
			'/caf%C3%A9',
			'/a;v=1/b',
			'/a..b/...c',
			'/%3Fx',
			'/100%25',
			'/a//b',
			'/~u/@x:y',
			'/files/50%25uptime',
			'/files/100%25.pdf',
			'/a%25b5',
			'/caf%E9',
			'/%C1rbol/%80%92',
			'/%ff',
			'/a%ef%bb%bfb',
			'/projects/group%2Fproject/issues',
			'/@scope%2fname',
			'/a%252fb',
			'/C%3A%5Cfiles',
			'/50%25u00e9',
			'/.well-known/x',
			'/...',
		])
			expect([path, pathRefusal(path)]).toEqual([path, undefined]);
	});

	const ESCAPES = {
		'a parent': ['/..', '/../x', '/a/../b', '/a/..'],
		'a parent, encoded': ['/%2e%2e/x', '/.%2E/x', '/%2e./x'],
		'a parent, encoded twice and more': ['/%252e%252e/x', '/%25252e./x', '/%25%32%65%2e/x'],
		'a parent with parameters or spaces': ['/..;/x', '/..;a=b/x', '/..%3b/x', '/..%20/x', '/%20../x'],
		'a parent in other letters': ['/%EF%BC%8E%EF%BC%8E/x', '/%E2%80%A5/x'],
		'where it is': ['/./x', '/%2e/x', '/.'],
		'a parent before a decoded query': ['/..%3fx', '/..%23', '/%252e%252e%253f'],
		'a parent behind an encoded slash': ['/..%2F..%2Fx', '/a%2f..', '/a%252f%252e%252e/x', '/a%ef%bc%8f..'],
		'a parent behind a backslash': ['/..%5c..%5Cx', '/a\\..\\b', '/a%255c..', '/a%ef%bc%bc..'],
		'another host': [
			'//evil.example',
			'//evil.example/x',
			'/%2f%2fhost',
			'/%2fhost',
			'/%5chost',
			'/%252fhost',
			'/\\host',
		],
		'a control character': ['/a%00b', '/a%0d%0aX: y', '/a%7f', '/a%250a', '/a%C2%85'],
		'half an escape': ['/a%', '/a%2', '/a%zz', '/%u002e%u002e/x'],
		'a parent in units of UTF-16': ['/%25u002e%25u002e/x', '/%25uff0e%25uff0e/x'],
		'a character in too many bytes': [
			'/%c0%ae%c0%ae/x',
			'/%c0%af',
			'/%e0%80%ae',
			'/%f0%80%80%ae',
			'/%25c0%25ae',
			'/%c0%25ae',
		],
		'an encoding without end': [`/${'%25'.repeat(1)}${'25'.repeat(20)}41`],
	};
	for (const [what, paths] of Object.entries(ESCAPES)) {
		it(`refuses ${what}`, () => {
			for (const path of paths) expect([path, pathRefusal(path)]).toEqual([path, expect.stringContaining('expected')]);
		});
	}
});

describe('isAllowedPath', () => {
	it('takes prefixes and exact paths, and nothing else', () => {
		const patterns = ['/reports/*', '/health'];
		const allowed = ['/reports/', '/reports/1/pages', '/health', '/%72eports/1'];
		expect(allowed.filter((path) => !isAllowedPath(path, patterns))).toEqual([]);
		const refused = ['', '/', '/reports', '/reportsx', '/health/', '/healthz', '/Reports/1', '/x/reports/1'];
		expect(refused.filter((path) => isAllowedPath(path, patterns))).toEqual([]);
	});

	it('takes an encoded slash, percent sign or byte for no other spelling of the pattern', () => {
		const patterns = ['/a/b', '/c/*', '/caf%E9', '/d%2Fe/*', '/é'];
		const allowed = ['/a/b', '/c/x%2fy', '/caf%e9', '/d%2fe/x', '/%C3%A9'];
		expect(allowed.filter((path) => !isAllowedPath(path, patterns))).toEqual([]);
		const refused = ['/a%2fb', '/c%2fx', '/caf%EA', '/caf%C3%A9', '/d/e/x', '/d%252fe/x', '/%E9'];
		expect(refused.filter((path) => isAllowedPath(path, patterns))).toEqual([]);
	});

	it('takes the base URL itself for a slash', () => {
		expect(isAllowedPath('', ['/*'])).toBe(true);
		expect(isAllowedPath('', ['/'])).toBe(true);
	});
});

describe('upstreamUrl', () => {
	it('puts the path behind that of the base URL, as it was spelled', () => {
		const target = (path: string, query = '') => upstreamUrl('https://api.example/v1', { path, query }).href;
		expect(target('/a%20b/c;d', '?q=a%20b&q=+&x')).toBe('https://api.example/v1/a%20b/c;d?q=a%20b&q=+&x');
		expect(target('')).toBe('https://api.example/v1');
		expect(target('/')).toBe('https://api.example/v1/');
		expect(upstreamUrl('https://api.example', { path: '/x', query: '' }).href).toBe('https://api.example/x');
	});

	it('never leaves the base URL, even for a path that nobody judged', () => {
		for (const path of ['/../x', '/%2e%2e/x', '@evil.example/', '.evil.example/', ':99/', '/..\\..\\x'])
			expect(() => upstreamUrl('https://api.example/v1/base', { path, query: '' }), path).toThrow(TypeError);
		for (const path of ['@evil.example/', '.evil.example/', ':99/'])
			expect(() => upstreamUrl('https://api.example', { path, query: '' }), path).toThrow(TypeError);
	});
});
