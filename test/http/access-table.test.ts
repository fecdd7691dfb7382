/** Access rights: each route with each kind of credentials, from the route table itself. */
import { Buffer } from 'node:buffer';
import { UnsecuredJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { KEY_SCOPES } from '../../src/config/scopes.ts';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { PUBLIC } from '../../src/http/access/auth.ts';
import { ROUTES, type Route } from '../../src/http/routes.ts';
import { TOKEN_RIGHTS, TOKEN_SCOPES, type TokenRight } from '../../src/token/token.ts';
import { ask, bearer, DEPLOYED, inAnHour, jobToken, KEYS, linkToken, submission, waitingJob } from './deployment.ts';

const MCP_REQUEST: RequestInit = {
	headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
	body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
};

/**
 * The response of each route to an authorized caller whose job waits. A new route needs an entry here; without
 * one, its tests fail.
 */
const LET_IN: Record<string, { readonly status: number; readonly code?: string; readonly init?: RequestInit }> = {
	'POST /v1/jobs': {
		status: 202,
		init: { ...submission(), body: JSON.stringify({ task: 'sleep', input: { seconds: 0 } }) },
	},
	'POST /v1/tasks/:task/jobs': { status: 202, init: submission() },
	'ALL /v1/upstreams/:upstream/*': { status: 202, init: submission() },
	'POST /v1/batches': {
		status: 202,
		init: { ...submission(), body: JSON.stringify({ jobs: [{ task: 'sleep', input: { seconds: 0 } }] }) },
	},
	// The request uses a job's id, so an authorized caller learns that it is not a batch's.
	'GET /v1/batches/:id': { status: 404, code: 'BatchNotFound' },
	'POST /v1/actions': { status: 202, init: report({ action: 'cancel', filter: { task: 'nothing' } }) },
	'GET /v1/actions': { status: 200 },
	// As above.
	'GET /v1/actions/:id': { status: 404, code: 'ActionNotFound' },
	'DELETE /v1/actions/:id': { status: 404, code: 'ActionNotFound' },
	'GET /v1/tasks': { status: 200 },
	'POST /mcp': { status: 200, init: MCP_REQUEST },
	// No identity provider is configured.
	'GET /.well-known/oauth-protected-resource': { status: 404, code: 'NotFound' },
	'GET /.well-known/oauth-protected-resource/mcp': { status: 404, code: 'NotFound' },
	'GET /.well-known/agent-card.json': { status: 200 },
	// The operation and the version are checked by the protocol's own rules.
	'POST /a2a/:operation': { status: 400, code: 'VERSION_NOT_SUPPORTED', init: report({}) },
	'GET /a2a/extendedAgentCard': { status: 400, code: 'VERSION_NOT_SUPPORTED' },
	'GET /a2a/tasks': { status: 400, code: 'VERSION_NOT_SUPPORTED' },
	'GET /a2a/tasks/:taskId': { status: 400, code: 'VERSION_NOT_SUPPORTED' },
	'POST /a2a/tasks/:taskId': { status: 400, code: 'VERSION_NOT_SUPPORTED', init: report({}) },
	'GET /openapi.json': { status: 200 },
	'GET /asyncapi.json': { status: 200 },
	'GET /v1/me': { status: 200 },
	'GET /metrics': { status: 200 },
	'GET /v1/lanes': { status: 200 },
	'GET /v1/upstreams': { status: 200 },
	'POST /v1/operator/upstreams/:upstream/reset': { status: 200 },
	'GET /v1/jobs': { status: 200 },
	'GET /v1/jobs/counts': { status: 200 },
	'GET /v1/jobs/:id': { status: 200 },
	'GET /v1/operations/:id': { status: 200 },
	'GET /v1/jobs/:id/result': { status: 404, code: 'ResultNotReady' },
	'GET /v1/jobs/:id/input': { status: 200 },
	'GET /v1/jobs/:id/events': { status: 200 },
	'GET /v1/jobs/:id/socket': { status: 101, init: { headers: { upgrade: 'websocket' } } },
	'GET /v1/topics': { status: 200 },
	'POST /v1/topics/:topic/events': {
		status: 202,
		init: { headers: { 'coatcheck-event-type': 'made', 'content-type': 'application/json' }, body: '1' },
	},
	'GET /v1/topics/:topic/events': { status: 200 },
	'GET /v1/topics/:topic/subscriptions': { status: 200 },
	'PUT /v1/topics/:topic/subscriptions/:name': {
		status: 400,
		code: 'InvalidRequest',
		init: { headers: { 'content-type': 'application/json' }, body: '{}' },
	},
	'GET /v1/topics/:topic/subscriptions/:name': { status: 404, code: 'NotFound' },
	'DELETE /v1/topics/:topic/subscriptions/:name': { status: 404, code: 'NotFound' },
	'DELETE /v1/jobs/:id': { status: 200 },
	'POST /v1/jobs/:id/cancel': { status: 200 },
	'POST /v1/jobs/:id/retry': { status: 409, code: 'NotRetryable' },
	'POST /v1/jobs/:id/purge': { status: 409, code: 'NotFinished' },
	'POST /v1/jobs/:id/webhook/deliveries': { status: 404, code: 'NotFound', init: report({ seq: 1 }) },
	// The job has not started, so an authorized caller has a token for an attempt that never existed.
	'POST /v1/jobs/:id/progress': { status: 409, code: 'StaleAttempt', init: report({ percentComplete: 1 }) },
	'POST /v1/jobs/:id/complete': { status: 409, code: 'StaleAttempt', init: report({}) },
	'POST /v1/jobs/:id/fail': { status: 409, code: 'StaleAttempt', init: report({ code: 'A', message: 'b' }) },
};

function report(body: object): RequestInit {
	return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

const nameOf = ({ method, path }: Route) => `${method} ${path}`;
/** Attempts require the token of the attempt: no API key gives access. */
const isOfAttempt = ({ scope }: Route) => scope === 'complete';
/** A route of any method is tested with a method that may have a body. */
const methodOf = ({ method }: Route) => (method === 'ALL' ? 'PUT' : method);
const isAboutJob = ({ path }: Route) => path.includes(':id');
/** The id is not a job's. */
const isOfAnotherKind = ({ path }: Route) => path.startsWith('/v1/batches/') || path.startsWith('/v1/actions/');

/** The routes that refuse parameters that they don't know, `token` among them. */
const TAKES_PARAMETERS = [
	'POST /v1/tasks/:task/jobs',
	'GET /v1/jobs',
	'GET /v1/jobs/counts',
	'GET /v1/actions',
	'GET /v1/topics',
];

/** A key that may cancel may also purge, and one that may read may also read inputs. A link's token never may. */
const KEY_SCOPE: Partial<Record<Route['scope'], string>> = { purge: 'cancel', input: 'read' };
const keyScope = ({ scope }: Route) => KEY_SCOPE[scope] ?? scope;
/** Credentials don't matter: a wrong key gets the same response. */
const isPublic = ({ scope }: Route) => scope === PUBLIC;
/** Every key has this right. */
const isForEveryKey = ({ scope }: Route) => scope === 'key';

type Told = { readonly status: number; readonly code?: string };

const UNAUTHORIZED: Told = { status: 401, code: 'Unauthorized' };
const FORBIDDEN: Told = { status: 403, code: 'Forbidden' };
const NO_JOB: Told = { status: 404, code: 'JobNotFound' };

function letIn(route: Route): Told {
	const rule = LET_IN[nameOf(route)];
	if (!rule) throw new Error(`${nameOf(route)} has no rule: add its response to an authorized caller to LET_IN`);
	return rule.code === undefined ? { status: rule.status } : { status: rule.status, code: rule.code };
}

interface Credentials {
	readonly name: string;
	readonly send: (jobId: string, createdAt: number) => Promise<{ headers?: Record<string, string>; token?: string }>;
	readonly expected: (route: Route) => Told;
}

const withKey = (name: string, secret: string, expected: Credentials['expected']): Credentials => ({
	name,
	send: async () => ({ headers: bearer({ secret }) }),
	expected,
});

const withToken = (
	name: string,
	make: (sub: string, createdAt: number) => string | Promise<string>,
	expected: Credentials['expected'],
): Credentials => ({ name, send: async (...job) => ({ token: await make(...job) }), expected });

const anotherJob = 'f'.repeat(64);

/** The routes that a link's token allows, by its right. */
const RIGHTS: Record<TokenRight, readonly string[]> = {
	read: ['read'],
	cancel: ['read', 'cancel'],
	complete: ['complete'],
};

const aLinkTo = (right: TokenRight) => (job: string, createdAt: number) =>
	linkToken({ job, createdAt, right, ...(right === 'complete' && { fence: { epoch: 1, attempt: 1, createdAt } }) });

/** A job token is read only on the routes of a job or a batch. Elsewhere "token" is an ordinary parameter. */
const forbiddenForJobs: Credentials['expected'] = (route) => (isAboutJob(route) ? FORBIDDEN : UNAUTHORIZED);

const CREDENTIALS: readonly Credentials[] = [
	{ name: 'no key', send: async () => ({}), expected: () => UNAUTHORIZED },
	withKey('a wrong key', 'ck_wrong', () => UNAUTHORIZED),
	withKey('an empty key', '', () => UNAUTHORIZED),
	{
		name: 'a key in another scheme',
		send: async () => ({ headers: { authorization: `Basic ${btoa(`x:${KEYS.client.secret}`)}` } }),
		expected: () => UNAUTHORIZED,
	},
	...KEY_SCOPES.map((scope) =>
		withKey(`a key with "${scope}" only`, KEYS[scope].secret, (route) => {
			const isAllowed = scope === 'admin' || scope === keyScope(route) || isForEveryKey(route);
			return isAllowed && !isOfAttempt(route) ? letIn(route) : FORBIDDEN;
		}),
	),
	withKey('a key of another tenant', KEYS.other.secret, (route) => {
		if (isOfAttempt(route)) return FORBIDDEN;
		return isAboutJob(route) && !isOfAnotherKind(route) ? NO_JOB : letIn(route);
	}),
	...TOKEN_SCOPES.map((scope) =>
		withToken(
			`a job token of version 0.1.0 with "${scope}" only`,
			(sub) => jobToken({ sub, scope, ...(scope === 'complete' && { epoch: 1, attempt: 1 }) }),
			(route) => {
				if (!isAboutJob(route)) return UNAUTHORIZED;
				const isAllowed = scope === keyScope(route) && route.scope !== 'input';
				return isAllowed ? letIn(route) : FORBIDDEN;
			},
		),
	),
	...TOKEN_RIGHTS.map((right) =>
		withToken(`a link's token to ${right}`, aLinkTo(right), (route) => {
			if (!isAboutJob(route)) return UNAUTHORIZED;
			return RIGHTS[right].includes(route.scope) ? letIn(route) : FORBIDDEN;
		}),
	),
	withToken(
		"a link's token for another job",
		(_, createdAt) => linkToken({ job: anotherJob, createdAt, right: 'read' }),
		() => UNAUTHORIZED,
	),
	withToken(
		"a link's token that has expired",
		(job, createdAt) => linkToken({ job, createdAt, right: 'read', expiresAt: Date.now() - 60_000 }),
		() => UNAUTHORIZED,
	),
	withToken(
		"a link's token with its right changed",
		(job, createdAt) => {
			const bytes = Buffer.from(linkToken({ job, createdAt, right: 'read' }), 'base64url');
			bytes[0] = (bytes[0] ?? 0) ^ 0x10;
			return bytes.toString('base64url');
		},
		() => UNAUTHORIZED,
	),
	{
		name: "a key for all beside a link's token to read: the key allows what the token does not",
		send: async (job, createdAt) => ({
			headers: bearer(KEYS.admin),
			token: linkToken({ job, createdAt, right: 'read' }),
		}),
		expected: (route) => {
			if (isAboutJob(route)) return isOfAttempt(route) ? FORBIDDEN : letIn(route);
			return TAKES_PARAMETERS.includes(nameOf(route)) ? { status: 400, code: 'InvalidRequest' } : letIn(route);
		},
	},
	withToken(
		'a job token with what only keys can have',
		(sub) => jobToken({ sub, scope: 'submit admin' }),
		forbiddenForJobs,
	),
	withToken(
		'a job token with "complete" for no attempt',
		(sub) => jobToken({ sub, scope: 'complete' }),
		forbiddenForJobs,
	),
	withToken('a job token for another job', () => jobToken({ sub: anotherJob }), forbiddenForJobs),
	withToken(
		'a job token that has expired',
		(sub) => jobToken({ sub, exp: inAnHour() - 3_601 }),
		() => UNAUTHORIZED,
	),
	withToken(
		'a job token signed with another key',
		(sub) => jobToken({ sub }, new Uint8Array(32).fill(7)),
		() => UNAUTHORIZED,
	),
	withToken(
		'a job token of a key that is not known',
		(sub) => jobToken({ sub }, undefined, 'other'),
		() => UNAUTHORIZED,
	),
	withToken(
		'a job token with its claims exchanged',
		async (sub) => {
			const [head, , signature] = (await jobToken({ sub: anotherJob })).split('.');
			const [, claims] = (await jobToken({ sub })).split('.');
			return `${head}.${claims}.${signature}`;
		},
		() => UNAUTHORIZED,
	),
	withToken(
		'a job token with alg none',
		async (sub) => new UnsecuredJWT({ sub, tenant: 'acme', scope: 'read cancel', exp: inAnHour() }).encode(),
		() => UNAUTHORIZED,
	),
	withToken(
		'no token in ?token=',
		async () => '',
		() => UNAUTHORIZED,
	),
	{
		name: 'a good key beside a job token for another job: the token decides',
		send: async () => ({ headers: bearer(KEYS.admin), token: await jobToken({ sub: anotherJob }) }),
		expected: (route) => {
			if (isAboutJob(route)) return FORBIDDEN;
			// Here it is a parameter of the task, which does not accept it.
			return TAKES_PARAMETERS.includes(nameOf(route)) ? { status: 400, code: 'InvalidRequest' } : letIn(route);
		},
	},
];

/** Of a problem, or of an error of Agent2Agent. */
async function readCode(response: Response): Promise<string | undefined> {
	const { code, error } = await response.json<{ code?: string; error?: { details: { reason?: string }[] } }>();
	return code ?? error?.details[0]?.reason;
}

async function told(
	route: Route,
	{ id: jobId, createdAt }: StatusDocument,
	{ send }: Credentials,
): Promise<Told & { headers: Headers }> {
	const { headers, token } = await send(jobId, Date.parse(createdAt));
	const { init } = LET_IN[nameOf(route)] ?? {};
	const url = new URL(
		route.path
			.replace(':id', jobId)
			.replace(':task', 'sleep')
			.replace(':upstream', 'reports')
			.replace(':topic', 'pictures')
			.replace(':name', 'none'),
		'https://coatcheck.example',
	);
	if (token !== undefined) url.searchParams.set('token', token);
	const all = { ...(init?.headers as Record<string, string>), ...headers };
	const response = await ask(DEPLOYED, url.href, { ...init, method: methodOf(route), headers: all });
	response.webSocket?.accept();
	response.webSocket?.close();
	const code = response.status < 400 ? undefined : await readCode(response);
	return { status: response.status, ...(code !== undefined && { code }), headers: response.headers };
}

describe.each(ROUTES.map((route) => [nameOf(route), route] as const))('%s', (_, route) => {
	it.each(CREDENTIALS.map((credentials) => [credentials.name, credentials] as const))('%s', async (_, credentials) => {
		const expected = isPublic(route) ? letIn(route) : credentials.expected(route);
		const job = await waitingJob();
		const { headers, ...got } = await told(route, job, credentials);
		expect(got).toEqual(expected);
		if (got.status === 401) expect(headers.get('www-authenticate')).toMatch(/^Bearer( error="invalid_token")?$/);
		// Rejected requests have changed nothing.
		if (expected === UNAUTHORIZED || expected === FORBIDDEN || expected === NO_JOB) {
			const after = await ask(DEPLOYED, `/v1/operations/${job.id}`, { headers: bearer(KEYS.read) });
			expect(await after.json()).toMatchObject({ status: 'pending', seq: 1 });
		}
	});
});

describe('deployed with nothing configured', () => {
	const NOTHING = { ...DEPLOYED, API_KEYS: undefined, SIGNING_KEYS: undefined };

	it.each(ROUTES.map((route) => [nameOf(route), route] as const))('%s answers 503 NotConfigured', async (_, route) => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const path = route.path.replace(':id', anotherJob).replace(':task', 'sleep');
		for (const headers of [{}, bearer(KEYS.admin)]) {
			const response = await ask(NOTHING, path, { method: methodOf(route), headers });
			expect(response.status).toBe(503);
			expect(response.headers.get('retry-after')).not.toBeNull();
			expect(await readCode(response)).toBe('NotConfigured');
		}
		log.mockRestore();
	});

	it.each(['/', '/nowhere', '/v1', '/metrics'])('%s answers 503 NotConfigured too', async (path) => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		expect((await ask(NOTHING, path)).status).toBe(503);
		log.mockRestore();
	});

	it('/healthz says that it is alive', async () => {
		expect((await ask(NOTHING, '/healthz')).status).toBe(200);
	});
});
