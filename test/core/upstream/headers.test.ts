import { describe, expect, it } from 'vitest';
import { keptHeaders } from '../../../src/core/upstream/reply-headers.ts';
import { forwardedHeaders, plainHeaders } from '../../../src/core/upstream/request-headers.ts';

const namesOf = (headers: readonly (readonly [string, string])[]) => headers.map(([name]) => name);
/** The settings of an upstream without any for headers. */
const DEFAULT = { forward: [] };
const from = (...names: string[]) => names.map((name) => [name, 'x'] as const);

describe('forwardedHeaders', () => {
	it('lets through what says what is wanted', () => {
		const wanted = [
			'Accept',
			'Accept-Language',
			'Content-Type',
			'Content-Encoding',
			'If-Match',
			'X-Custom',
			'X-Request-Id',
			'X-User-Agent',
			'User-Agent',
			'X-Amz-Target',
			'OpenAI-Organization',
			'X-GitHub-Api-Version',
			'X-CDN',
			'From',
		];
		expect(namesOf(forwardedHeaders(from(...wanted), 'GET', DEFAULT))).toEqual(
			wanted.map((name) => name.toLowerCase()),
		);
	});

	const DROPPED = {
		'what is between two neighbours': [
			'Connection',
			'Keep-Alive',
			'TE',
			'Trailer',
			'Transfer-Encoding',
			'Upgrade',
			'Proxy-Authorization',
			'Proxy-Connection',
			'Expect',
		],
		'what is made anew': ['Host', 'Content-Length', 'Accept-Encoding', 'X-Correlation-ID', 'traceparent'],
		'what is ours': ['Coatcheck-Delay-Seconds', 'Coatcheck-Job-Id', 'Coatcheck-Attempt', 'Prefer'],
		'cookies and credentials': [
			'Cookie',
			'Authorization',
			'X-Api-Key',
			'Api-Key',
			'X-Auth-Token',
			'X-Session-Id',
			'X-Amz-Security-Token',
			'Cf-Access-Jwt-Assertion',
			'X-CSRF-Token',
			'X-Client-Secret',
			'Ocp-Apim-Subscription-Key',
			'X-Functions-Key',
			'Fastly-Key',
			'X-Storage-Access-Key',
			'Authentication',
			'X-OTP',
		],
		'proofs and signatures': ['DPoP', 'Signature', 'Signature-Input', 'Signature-Agent', 'X-Ca-Signature'],
		'who a proxy says that the caller is': [
			'Remote-User',
			'X-Remote-User',
			'X-Remote-Group',
			'X-Remote-Extra-Scopes',
			'Impersonate-User',
			'X-Goog-Authenticated-User-Email',
			'X-Goog-Authenticated-User-Id',
			'X-Goog-IAP-JWT-Assertion',
			'X-MS-Client-Principal',
			'X-MS-Client-Principal-Name',
			'X-MS-Token-AAD-Id-Token',
			'X-Amzn-Oidc-Data',
			'X-Amzn-Oidc-Identity',
			'X-Auth-Request-User',
			'X-Auth-Request-Groups',
			'X-Authentik-Username',
			'X-Pomerium-Claim-Email',
			'Tailscale-User-Login',
			'X-Consumer-Id',
			'X-Consumer-Username',
			'X-Authenticated-UserId',
			'X-Userinfo',
			'X-WebAuth-User',
			'X-Proxy-User',
			'X-User',
			'X-User-Id',
			'X-User-Roles',
			'X-Trino-User',
			'X-Scope-OrgID',
			'X-Hasura-Role',
			'X-SSL-Client-S-DN',
			'SSL-Client-Cert',
			'X-ARR-ClientCert',
			'SM_USER',
			'Iv-User',
			'Iv-Creds',
			'$WSRU',
		],
		'the same with underscores, which CGI takes for dashes': [
			'X_Remote_User',
			'X_Api_Key',
			'X_Forwarded_For',
			'Coatcheck_Job_Id',
		],
		'the way to us': [
			'Forwarded',
			'X-Forwarded-For',
			'X-Forwarded-Host',
			'X-Real-IP',
			'CF-Connecting-IP',
			'Via',
			'Origin',
			'Referer',
			'Sec-Fetch-Site',
			'Access-Control-Request-Method',
			'X-Original-Host',
			'X-Original-Forwarded-For',
			'X-Envoy-Original-Path',
			'X-Appengine-User-Email',
			'X-Azure-FDID',
			'Fly-Client-IP',
			'Front-End-Https',
			'X-Internal-Request',
		],
		'what would make another request of it': [
			'X-HTTP-Method-Override',
			'X-Original-URL',
			'X-Rewrite-URL',
			'X-Middleware-Subrequest',
			'X-Accel-Mapping',
			'X-Sendfile-Type',
			'Proxy',
		],
	};
	for (const [what, names] of Object.entries(DROPPED)) {
		it(`keeps back ${what}`, () => {
			expect(namesOf(forwardedHeaders(from(...names), 'POST', DEFAULT))).toEqual([]);
		});
	}

	const CONDITIONAL = ['Range', 'If-Range', 'If-None-Match', 'If-Modified-Since', 'A-IM'];
	it.each(['GET', 'HEAD'])('asks for the whole of it, whatever a %s has already', (method) => {
		expect(namesOf(forwardedHeaders(from(...CONDITIONAL, 'If-Match'), method, DEFAULT))).toEqual(['if-match']);
	});

	it('keeps the preconditions of a write', () => {
		const preconditions = ['if-match', 'if-none-match', 'if-unmodified-since', 'if-modified-since'];
		for (const method of ['PUT', 'PATCH', 'DELETE', 'POST'])
			expect(namesOf(forwardedHeaders(from(...preconditions), method, DEFAULT))).toEqual(preconditions);
	});

	it('lets nothing but a list through, and what describes the body, where there is a list', () => {
		const headers = from('Accept', 'X-Custom', 'Authorization', 'Cookie', 'Content-Type', 'Host');
		const passed = (rules: { forward: string[]; forwardOnly: string[] }) =>
			namesOf(forwardedHeaders(headers, 'POST', rules));
		expect(passed({ forward: [], forwardOnly: ['x-custom', 'host'] })).toEqual(['x-custom', 'content-type']);
		expect(passed({ forward: ['cookie'], forwardOnly: [] })).toEqual(['cookie', 'content-type']);
		expect(passed({ forward: [], forwardOnly: ['authorization'] })).toEqual(['authorization', 'content-type']);
	});

	it('keeps back what Connection names', () => {
		const headers = [['Connection', 'close, X-Hop'], ...from('X-Hop', 'X-Kept')] as const;
		expect(namesOf(forwardedHeaders(headers, 'POST', DEFAULT))).toEqual(['x-kept']);
	});

	it("keeps the caller's idempotency key back unless it is named", () => {
		const headers = from('Idempotency-Key', 'Accept');
		expect(namesOf(forwardedHeaders(headers, 'POST', DEFAULT))).toEqual(['accept']);
		expect(namesOf(forwardedHeaders(headers, 'POST', { forward: ['idempotency-key'] }))).toEqual([
			'idempotency-key',
			'accept',
		]);
		expect(namesOf(plainHeaders(forwardedHeaders(headers, 'POST', { forward: ['idempotency-key'] })))).toEqual([
			'accept',
		]);
	});

	it('lets credentials through that are named, and nothing that is ours', () => {
		const headers = from('Authorization', 'Cookie', 'Host', 'Coatcheck-Job-Id', 'Proxy-Authorization');
		const letThrough = ['authorization', 'host', 'coatcheck-job-id', 'proxy-authorization'];
		expect(namesOf(forwardedHeaders(headers, 'POST', { forward: letThrough }))).toEqual(['authorization']);
		expect(
			namesOf(plainHeaders(forwardedHeaders([...headers, ...from('Accept')], 'POST', { forward: letThrough }))),
		).toEqual(['accept']);
	});
});

describe('keptHeaders', () => {
	const URL_OF_REPLY = 'https://api.example/v1/reports?x=1';
	const kept = (headers: [string, string][]) => Object.fromEntries(keptHeaders(new Headers(headers), URL_OF_REPLY));

	it('keeps what describes the reply', () => {
		const headers = {
			'content-disposition': 'attachment; filename="a.pdf"',
			'content-language': 'de',
			etag: '"1"',
			'last-modified': 'Mon, 02 Nov 2026 00:00:00 GMT',
			'retry-after': '30',
			'x-ratelimit-remaining': '7',
			'x-custom': 'a',
		};
		expect(kept(Object.entries(headers))).toEqual(headers);
	});

	const DROPPED = [
		'Set-Cookie',
		'Connection',
		'Keep-Alive',
		'Transfer-Encoding',
		'Content-Length',
		'Strict-Transport-Security',
		'Content-Security-Policy',
		'Access-Control-Allow-Origin',
		'Clear-Site-Data',
		'Service-Worker-Allowed',
		'Refresh',
		'WWW-Authenticate',
		'Alt-Svc',
		'NEL',
		'Report-To',
		'Cache-Control',
		'Expires',
		'CDN-Cache-Control',
		'Cloudflare-CDN-Cache-Control',
		'Surrogate-Control',
		'Vary',
		'Age',
		'Cross-Origin-Opener-Policy',
		'X-Accel-Redirect',
		'X-Sendfile',
		'Coatcheck-Job-Id',
		'Idempotent-Replayed',
		'X-Correlation-ID',
		'Server',
		'Date',
		'X-Frame-Options',
	];
	it('drops what was meant for the address of the upstream, or for those on the way', () => {
		expect(kept(DROPPED.map((name) => [name, 'x']))).toEqual({});
		expect(
			kept([
				['Connection', 'X-Hop'],
				['X-Hop', 'a'],
				['X-Kept', 'b'],
			]),
		).toEqual({ 'x-kept': 'b' });
	});

	it('lets links lead where they led', () => {
		const links = {
			location: '/orders/42',
			'content-location': 'reports/1',
			link: '</a>; rel="next", <https://b.example/>; rel="x"',
		};
		expect(kept(Object.entries(links))).toEqual({
			location: 'https://api.example/orders/42',
			'content-location': 'https://api.example/v1/reports/1',
			link: '<https://api.example/a>; rel="next", <https://b.example/>; rel="x"',
		});
	});

	it.each([
		['</a>; title="x, </b>; y"; rel="next"', '<https://api.example/a>; title="x, </b>; y"; rel="next"'],
		['</a>; title="say \\"</b>\\""', '<https://api.example/a>; title="say \\"</b>\\""'],
		[
			'</a>;rel=prev,<?x=1>; rel=next',
			'<https://api.example/a>;rel=prev,<https://api.example/v1/reports?x=1>; rel=next',
		],
		['</a?q="</x>; rel="next"', '<https://api.example/a?q=%22%3C/x>; rel="next"'],
		['</a>; title="never closed, </b>', '<https://api.example/a>; title="never closed, </b>'],
		['<http://[>; rel="x", , </b>', '<http://[>; rel="x", , <https://api.example/b>'],
	])('rewrites the targets of a Link, and nothing that is quoted: %s', (link, expected) => {
		expect(kept([['link', link]])).toEqual({ link: expected });
	});

	it('says nothing of an encoding that has been undone, and keeps one that has not', () => {
		const headers: [string, string][] = [
			['etag', '"1"'],
			['content-digest', 'sha-256=:x=:'],
			['content-md5', 'x'],
		];
		expect(kept([...headers, ['content-encoding', 'gzip']])).toEqual({ etag: 'W/"1"' });
		expect(kept([...headers, ['content-encoding', 'zstd']])).toEqual({
			...Object.fromEntries(headers),
			'content-encoding': 'zstd',
		});
	});
});
