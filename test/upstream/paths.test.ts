import { describe, expect, it } from 'vitest';
import { isAllowedPath, pathRefusalOf, targetOf } from '../../src/upstream/paths.ts';

describe('pathRefusalOf', () => {
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
		])
			expect([path, pathRefusalOf(path)]).toEqual([path, undefined]);
	});

	const ESCAPES = {
		'a parent': ['/..', '/../x', '/a/../b', '/a/..'],
		'a parent, encoded': ['/%2e%2e/x', '/.%2E/x', '/%2e./x'],
		'a parent, encoded twice and more': ['/%252e%252e/x', '/%25252e./x', '/%25%32%65%2e/x'],
		'a parent with parameters or spaces': ['/..;/x', '/..;a=b/x', '/..%3b/x', '/..%20/x', '/%20../x'],
		'a parent in other letters': ['/%EF%BC%8E%EF%BC%8E/x', '/%E2%80%A5/x'],
		'where it is': ['/./x', '/%2e/x', '/.'],
		'an encoded slash': ['/a%2fb', '/..%2F..%2Fx', '/a%252fb', '/%2f%2fhost'],
		'a backslash': ['/a\\b', '/..%5c..%5Cx', '/a%255cb'],
		'another host': ['//evil.example', '//evil.example/x'],
		'a control character': ['/a%00b', '/a%0d%0aX: y', '/a%7f', '/a%250a', '/a%C2%85'],
		'half an escape': ['/a%', '/a%2', '/a%zz', '/%u002e%u002e/x', '/%25u002e%25u002e/x'],
		'no UTF-8': ['/%c0%ae%c0%ae/x', '/%c0%af', '/%e0%80%ae', '/%ff', '/%25c0%25ae'],
		'an encoding without end': [`/${'%25'.repeat(1)}${'25'.repeat(20)}41`],
	};
	for (const [what, paths] of Object.entries(ESCAPES)) {
		it(`refuses ${what}`, () => {
			for (const path of paths)
				expect([path, pathRefusalOf(path)]).toEqual([path, expect.stringContaining('expected')]);
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

	it('takes the base URL itself for a slash', () => {
		expect(isAllowedPath('', ['/*'])).toBe(true);
		expect(isAllowedPath('', ['/'])).toBe(true);
	});
});

describe('targetOf', () => {
	it('puts the path behind that of the base URL, as it was spelled', () => {
		const target = (path: string, query = '') => targetOf('https://api.example/v1', { path, query }).href;
		expect(target('/a%20b/c;d', '?q=a%20b&q=+&x')).toBe('https://api.example/v1/a%20b/c;d?q=a%20b&q=+&x');
		expect(target('')).toBe('https://api.example/v1');
		expect(target('/')).toBe('https://api.example/v1/');
		expect(targetOf('https://api.example', { path: '/x', query: '' }).href).toBe('https://api.example/x');
	});

	it('never leaves the base URL, even for a path that nobody judged', () => {
		for (const path of ['/../x', '/%2e%2e/x', '@evil.example/', '.evil.example/', ':99/', '/..\\..\\x'])
			expect(() => targetOf('https://api.example/v1/base', { path, query: '' }), path).toThrow(TypeError);
		for (const path of ['@evil.example/', '.evil.example/', ':99/'])
			expect(() => targetOf('https://api.example', { path, query: '' }), path).toThrow(TypeError);
	});
});
