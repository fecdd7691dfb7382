import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { NotConfigured } from '../../../src/config/not-configured.ts';
import { readUpstreams } from '../../../src/core/upstream/settings.ts';

const BASE = { baseUrl: 'https://api.example/v1/' };

/** A reference to a secret in a header. */
const secret = (name: string) => `\${${name}}`;

/** The faults found in one upstream, or in the whole setting. */
function faultsOf(settings: unknown, env: Record<string, unknown> = {}): string[] {
	return readUpstreams(settings, env, false).faults.map(({ message }) => message);
}

describe('upstreams', () => {
	it('have a default for everything but their base URL', () => {
		const { upstreams, faults } = readUpstreams(JSON.stringify({ report: BASE }), {}, false);
		expect(faults).toEqual([]);
		expect(upstreams.get('report')).toEqual({
			name: 'report',
			baseUrl: 'https://api.example/v1',
			tenants: undefined,
			methods: undefined,
			paths: ['/*'],
			headers: [],
			timeoutSeconds: 300,
			maxAttempts: 4,
			resend: false,
			lane: 'long',
			concurrency: undefined,
			followRedirects: false,
			follow: false,
			followSeconds: 86_400,
			forward: [],
			forwardOnly: undefined,
			fingerprintHeaders: [],
			description: undefined,
			mcp: false,
		});
	});

	it('are none where nothing is said', () => {
		expect(readUpstreams(undefined, {}, false)).toEqual({ upstreams: new Map(), faults: [] });
	});

	it('can be an object of wrangler.toml as well as JSON', () => {
		expect(readUpstreams({ report: BASE }, {}, false).upstreams.size).toBe(1);
	});

	it('have the secrets that their headers name', () => {
		const settings = {
			report: {
				...BASE,
				headers: { 'X-Key': `Bearer ${secret('REPORT_KEY')}/${secret('OTHER')}`, 'X-Plain': '$5 {a}' },
			},
		};
		const { upstreams } = readUpstreams(settings, { REPORT_KEY: 's3cret', OTHER: 'b' }, false);
		expect(upstreams.get('report')?.headers).toEqual([
			['X-Key', 'Bearer s3cret/b'],
			['X-Plain', '$5 {a}'],
		]);
	});

	it.each([
		[
			{ report: { ...BASE, paths: ['reports'] } },
			'UPSTREAMS.report.paths[0]: expected a path that begins with a slash, exact or with one * at its end, as in "/reports/*"',
		],
		[{ report: { ...BASE, paths: ['/a/../b'] } }, 'UPSTREAMS.report.paths[0]: expected no "." or ".." segment'],
		[{ report: { ...BASE, description: '' } }, 'UPSTREAMS.report.description: expected text'],
		[{ report: { ...BASE, mcp: 'yes' } }, 'UPSTREAMS.report.mcp: expected true or false'],
		[{ report: { ...BASE, tenants: 'acme' } }, 'UPSTREAMS.report.tenants: expected a list of tenants'],
		[{ report: { ...BASE, tenants: [] } }, 'UPSTREAMS.report.tenants: expected at least one tenant'],
		[{ report: { ...BASE, forwardOnly: ['a b'] } }, 'UPSTREAMS.report.forwardOnly[0]: expected the name of a header'],
		[{ report: { ...BASE, paths: [] } }, 'UPSTREAMS.report.paths: expected at least one path'],
		[
			{ report: { ...BASE, methods: ['get'] } },
			'UPSTREAMS.report.methods[0]: expected a method in upper case, as in "GET"',
		],
		[
			{ report: { ...BASE, methods: ['TRACE'] } },
			'UPSTREAMS.report.methods[0]: expected a method other than CONNECT and TRACE, which are never forwarded',
		],
		[{ report: {} }, 'UPSTREAMS.report.baseUrl: expected an http(s) URL, as in "https://api.example/v1"'],
		[
			{ report: { baseUrl: 'ftp://api.example' } },
			'UPSTREAMS.report.baseUrl: expected an http(s) URL, as in "https://api.example/v1"',
		],
		[
			{ report: { baseUrl: 'https://a:b@api.example' } },
			'UPSTREAMS.report.baseUrl: expected a URL without credentials',
		],
		[
			{ report: { baseUrl: 'https://api.example/?key=1' } },
			'UPSTREAMS.report.baseUrl: expected a URL without query and fragment',
		],
		[
			{ report: { ...BASE, timeoutSeconds: 900 } },
			'UPSTREAMS.report.timeoutSeconds: expected a whole number of seconds from 1 to 840',
		],
		[
			{ report: { ...BASE, retry: { maxAttempts: 0 } } },
			'UPSTREAMS.report.retry.maxAttempts: expected a whole number of attempts from 1 to 50',
		],
		[{ report: { ...BASE, retry: { resend: 'yes' } } }, 'UPSTREAMS.report.retry.resend: expected true or false'],
		[{ report: { ...BASE, lane: 'fast' } }, 'UPSTREAMS.report.lane: expected "jobs" or "long"'],
		[
			{ report: { ...BASE, concurrency: 0 } },
			'UPSTREAMS.report.concurrency: expected a whole number of requests from 1 to 200',
		],
		[
			{ report: { ...BASE, forward: ['Host'] } },
			'UPSTREAMS.report.forward[0]: expected another header, because this one is set by Coatcheck',
		],
		[{ report: { ...BASE, headers: { 'a b': 'x' } } }, 'UPSTREAMS.report.headers.a b: expected the name of a header'],
		[
			{ report: { ...BASE, headers: { 'X-A': 'a\r\nX-B: b' } } },
			'UPSTREAMS.report.headers.X-A: expected ASCII text without line breaks and control characters',
		],
		[{ report: { ...BASE, path: '/x' } }, 'UPSTREAMS.report.path: is not a known setting'],
		[
			{ Report: BASE },
			'UPSTREAMS.Report: expected a name of 1–64 characters of a–z, 0–9 and -, beginning with a letter',
		],
		['{"report"', 'UPSTREAMS: expected an object: { "<name>": { "baseUrl": … } }'],
		['[]', 'UPSTREAMS: expected an object: { "<name>": { "baseUrl": … } }'],
	])('are refused by name: %j', (settings, message) => {
		expect(faultsOf(settings)).toContain(message);
	});

	it.each([
		'http://api.example',
		'https://localhost',
		'https://127.0.0.1',
		'https://2130706433',
		'https://0x7f.1',
		'https://[::1]',
		'https://[::ffff:10.0.0.1]',
		'https://169.254.169.254',
		'https://10.1.2.3',
		'https://service.internal',
	])('are refused at %s, unless private addresses are allowed', (baseUrl) => {
		expect(faultsOf({ report: { baseUrl } })).toEqual([
			expect.stringMatching(/^UPSTREAMS\.report\.baseUrl: expected a public https URL: /),
		]);
		expect(readUpstreams({ report: { baseUrl } }, {}, true).faults).toEqual([]);
	});
});

describe('a deployment', () => {
	const ENV = { AUTH: 'none' };
	const problem = (env: Record<string, unknown>): NotConfigured => {
		try {
			readConfig({ ...ENV, ...env });
		} catch (error) {
			if (error instanceof NotConfigured) return error;
			throw error;
		}
		throw new Error('It is configured');
	};

	it('is not configured while a secret is missing that an upstream names, and says which', () => {
		const UPSTREAMS = JSON.stringify({ report: { ...BASE, headers: { 'X-Key': secret('REPORT_KEY') } } });
		const { variables, message } = problem({ UPSTREAMS });
		expect(variables).toEqual(['REPORT_KEY']);
		expect(message).toContain('UPSTREAMS.report.headers.X-Key: the secret REPORT_KEY is not set');
		expect(readConfig({ ...ENV, UPSTREAMS, REPORT_KEY: 'x' }).upstreams.size).toBe(1);
	});

	it('never tells the value of a secret', () => {
		const UPSTREAMS = JSON.stringify({ report: { ...BASE, headers: { 'X-Key': secret('REPORT_KEY') } } });
		const { variables, message } = problem({ UPSTREAMS, REPORT_KEY: 'hunter2\n' });
		expect(variables).toEqual(['REPORT_KEY']);
		expect(message).not.toContain('hunter2');
	});
});
