import { describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { Submission } from '../../src/core/job/lifecycle.ts';
import { ORIGIN, objectOf } from '../flow/client.ts';
import { advanceClock } from '../flow/faults.ts';
import {
	apiKeys,
	ask,
	bearer,
	DEPLOYED,
	jobToken,
	KEYS,
	type Key,
	key,
	refusal,
	rightIn,
	submission,
	type Variables,
	waitingJob,
} from './deployment.ts';

/** The status for a rejected configuration, and its log line. */
async function configuration(variables: Variables): Promise<{ status: number; log: string; body: string }> {
	const log = vi.spyOn(console, 'error').mockImplementation(() => {});
	const response = await ask({ ...DEPLOYED, ...variables }, '/v1/tasks', { headers: bearer(KEYS.read) });
	const said = log.mock.calls.map(String).join('\n');
	log.mockRestore();
	return { status: response.status, log: said, body: await response.text() };
}

const NO_QUEUES: Variables = Object.fromEntries([1, 2, 3, 4].map((n) => [`LANE_JOBS_${n}`, undefined]));

describe('an API key', () => {
	it('does what its scopes say, with no other setting that opens the deployment', async () => {
		const { id } = await waitingJob();
		const read = await ask(DEPLOYED, `/v1/jobs/${id}`, { headers: bearer(KEYS.client) });
		expect(read.status).toBe(200);
		const head = await ask(DEPLOYED, `/v1/jobs/${id}`, { method: 'HEAD', headers: bearer(KEYS.client) });
		expect(head.status).toBe(200);
		expect((await ask(DEPLOYED, `/v1/jobs/${id}`, { method: 'HEAD' })).status).toBe(401);
	});

	it('is taken in any case of "Bearer", and is told which error code it earned (RFC 6750)', async () => {
		const challenge = async (headers: Record<string, string>) =>
			(await ask(DEPLOYED, '/v1/tasks', { headers })).headers.get('www-authenticate');
		expect(await challenge({ authorization: `bearer ${KEYS.read.secret}` })).toBeNull();
		expect(await challenge({})).toBe('Bearer');
		expect(await challenge({ authorization: 'Bearer nonsense' })).toBe('Bearer error="invalid_token"');
		expect(await challenge(bearer(KEYS.cancel))).toBe('Bearer error="insufficient_scope", scope="read"');
	});

	it('can be changed without a moment in which none works', async () => {
		const old = key('old', 'acme', 'submit', 'read');
		const fresh = key('fresh', 'acme', 'submit', 'read');
		const { id } = await waitingJob(old, { ...DEPLOYED, API_KEYS: apiKeys(old) });
		const statusesWith = (...keys: Key[]) => {
			const variables = { ...DEPLOYED, API_KEYS: apiKeys(...keys) };
			const asked = [old, fresh].map((by) => ask(variables, `/v1/operations/${id}`, { headers: bearer(by) }));
			return Promise.all(asked.map(async (response) => (await response).status));
		};
		expect(await statusesWith(old, fresh)).toEqual([200, 200]);
		expect(await statusesWith(fresh)).toEqual([401, 200]);
	});

	it('gives links that each carry one right, and none that the key has not', async () => {
		const linksFor = async (by: Key) => {
			const response = await ask(DEPLOYED, '/v1/tasks/sleep/jobs', submission(bearer(by)));
			return (await response.json<StatusDocument>()).links;
		};
		expect(await linksFor(KEYS.submit)).not.toHaveProperty('cancel');
		for (const by of [KEYS.client, KEYS.admin]) {
			const { cancel = '', ...reading } = await linksFor(by);
			expect(rightIn(cancel)).toBe('cancel');
			expect(Object.values(reading).map(rightIn)).toEqual(Array(5).fill('read'));
		}
		const { id } = await waitingJob();
		const canceled = await ask(DEPLOYED, `/v1/jobs/${id}`, { method: 'DELETE', headers: bearer(KEYS.cancel) });
		const { links } = await canceled.json<StatusDocument>();
		expect(Object.values(links).map((link) => new URL(link).search)).toEqual(Array(4).fill(''));
	});

	it('beside a link does what the link does not allow', async () => {
		const { id, links } = await waitingJob();
		const retry = `/v1/jobs/${id}/retry${new URL(links.self).search}`;
		expect(await refusal(await ask(DEPLOYED, links.self, { method: 'DELETE' }))).toEqual([403, 'Forbidden']);
		const byKey = { method: 'DELETE', headers: bearer(KEYS.client) };
		expect((await ask(DEPLOYED, links.self, byKey)).status).toBe(200);
		expect(await refusal(await ask(DEPLOYED, retry, { method: 'POST' }))).toEqual([403, 'Forbidden']);
		const byReader = await ask(DEPLOYED, retry, { method: 'POST', headers: bearer(KEYS.read) });
		expect(await refusal(byReader)).toEqual([403, 'Forbidden']);
		const byOther = await ask(DEPLOYED, retry, { method: 'POST', headers: bearer(KEYS.other) });
		expect(await refusal(byOther)).toEqual([404, 'JobNotFound']);
		expect((await ask(DEPLOYED, retry, { method: 'POST', headers: bearer(KEYS.submit) })).status).toBe(202);
	});

	it('is needed to purge: no link allows it', async () => {
		const { id, links } = await waitingJob();
		const { cancel = '' } = links;
		expect((await ask(DEPLOYED, cancel, { method: 'POST' })).status).toBe(200);
		for (const link of [links.self, cancel]) {
			const purge = `/v1/jobs/${id}/purge${new URL(link).search}`;
			expect(await refusal(await ask(DEPLOYED, purge, { method: 'POST' }))).toEqual([403, 'Forbidden']);
		}
		const purged = await ask(DEPLOYED, `/v1/jobs/${id}/purge`, { method: 'POST', headers: bearer(KEYS.cancel) });
		expect(purged.status).toBe(204);
	});

	it('is not looked at beside a link, so that a key of a gateway does no harm', async () => {
		const { links } = await waitingJob();
		const response = await ask(DEPLOYED, links.operation, { headers: { authorization: 'Bearer of-the-gateway' } });
		expect(response.status).toBe(200);
	});
});

describe('another tenant', () => {
	/** All requests for a job, on each transport. */
	const QUESTIONS: readonly (readonly [name: string, path: string, init: RequestInit])[] = [
		['polling', '', {}],
		['a long-poll', '', { headers: { prefer: 'wait=1' } }],
		['the result', '/result', {}],
		['a page of events', '/events', {}],
		['a stream of events', '/events', { headers: { accept: 'text/event-stream' } }],
		['a socket', '/socket', { headers: { upgrade: 'websocket' } }],
		['a socket from a cursor', '/socket?after=0', { headers: { upgrade: 'websocket' } }],
		['cancel', '/cancel', { method: 'POST' }],
		['delete', '', { method: 'DELETE' }],
		['retry', '/retry', { method: 'POST' }],
		['purge', '/purge', { method: 'POST' }],
	];

	it.each(QUESTIONS)('finds no job by %s, waiting or over', async (_, path, init) => {
		const waiting = await waitingJob();
		const over = await waitingJob();
		await ask(DEPLOYED, over.links.self, { method: 'DELETE' });
		for (const { id } of [waiting, over]) {
			const headers = { ...(init.headers as Record<string, string>), ...bearer(KEYS.other) };
			const response = await ask(DEPLOYED, `/v1/jobs/${id}${path}`, { ...init, headers });
			expect(await refusal(response)).toEqual([404, 'JobNotFound']);
		}
		const after = await ask(DEPLOYED, `/v1/operations/${waiting.id}`, { headers: bearer(KEYS.client) });
		expect(await after.json()).toMatchObject({ status: 'pending', seq: 1 });
	});

	it('finds no tombstone either', async () => {
		const { id, links } = await waitingJob();
		await ask(DEPLOYED, links.cancel ?? '', { method: 'POST' });
		const purged = await ask(DEPLOYED, `/v1/jobs/${id}/purge`, { method: 'POST', headers: bearer(KEYS.cancel) });
		expect(purged.status).toBe(204);
		const asked = (by: Key) => ask(DEPLOYED, `/v1/jobs/${id}`, { headers: bearer(by) });
		expect((await asked(KEYS.read)).status).toBe(410);
		expect((await asked(KEYS.other)).status).toBe(404);
	});

	it('has idempotency keys of its own', async () => {
		const submitted = async (by: Key) => {
			const init = submission({ ...bearer(by), 'idempotency-key': 'the-same' });
			return (await ask(DEPLOYED, '/v1/tasks/sleep/jobs', init)).json<StatusDocument>();
		};
		const mine = await submitted(KEYS.client);
		expect((await submitted(KEYS.submit)).id).toBe(mine.id);
		expect((await submitted(KEYS.other)).id).not.toBe(mine.id);
	});

	it('is refused by the object itself, even with the id and the very submission', async () => {
		const { id, links } = await waitingJob();
		const object = objectOf({ id });
		const theirs: Submission = {
			submission: crypto.randomUUID(),
			tenant: 'globex',
			task: 'sleep',
			lane: 'jobs',
			fingerprint: 'another',
			options: { correlationId: 'c', delaySeconds: 0, timeoutSeconds: 1, maxAttempts: 1, retainSeconds: 60, tags: [] },
			parameters: {},
			input: { form: 'json', mediaType: 'application/json', sizeBytes: 2, inline: new TextEncoder().encode('{}') },
			sent: true,
		};
		expect(await object.accept(theirs)).toEqual({ accepted: false, reason: 'key-reused' });
		await ask(DEPLOYED, links.cancel ?? '', { method: 'POST' });
		await object.purgeJob({ tenant: 'acme' });
		// A job's tombstone belongs to its tenant too.
		expect(await object.accept(theirs)).toEqual({ accepted: false, reason: 'key-reused' });
		expect(await object.read('globex')).toMatchObject({ found: 'nothing' });
		expect(await object.events('globex', 0)).toMatchObject({ found: 'nothing' });
		for (const change of ['cancel', 'retry', 'purge'] as const)
			expect(await object[change]('globex')).toMatchObject({ found: 'nothing' });
	});
});

describe('a socket', () => {
	const socket = (path: string, protocols: string, headers: Record<string, string> = {}) =>
		ask(DEPLOYED, path, { headers: { upgrade: 'websocket', 'sec-websocket-protocol': protocols, ...headers } });

	it('takes its token as a subprotocol, and answers with its own only', async () => {
		const { id } = await waitingJob();
		const token = await jobToken({ sub: id });
		const response = await socket(`/v1/jobs/${id}/socket`, `coatcheck.v1, coatcheck.token.${token}`);
		expect(response.status).toBe(101);
		expect(response.headers.get('sec-websocket-protocol')).toBe('coatcheck.v1');
		const { promise, resolve } = Promise.withResolvers<string>();
		response.webSocket?.addEventListener('message', ({ data }) => resolve(String(data)));
		response.webSocket?.accept();
		const { job } = JSON.parse(await promise) as { job: StatusDocument };
		expect(new URL(job.links.self).searchParams.get('token')).toBe(token);
		response.webSocket?.close();
	});

	it('is refused with a token that is wrong, or for another job', async () => {
		const { id } = await waitingJob();
		const other = await jobToken({ sub: 'f'.repeat(64) });
		const statusWith = async (token: string) =>
			(await socket(`/v1/jobs/${id}/socket`, `coatcheck.v1, coatcheck.token.${token}`)).status;
		expect(await statusWith('')).toBe(401);
		expect(await statusWith('a.b.c')).toBe(401);
		expect(await statusWith(other)).toBe(403);
	});

	it('is the only thing that takes a token this way', async () => {
		const { id } = await waitingJob();
		const headers = { 'sec-websocket-protocol': `coatcheck.token.${await jobToken({ sub: id })}` };
		expect((await ask(DEPLOYED, `/v1/jobs/${id}`, { headers })).status).toBe(401);
	});
});

describe('the token of a link', () => {
	it('expires with its job', async () => {
		const { links } = await waitingJob();
		expect((await ask(DEPLOYED, links.self)).status).toBe(200);
		// It may wait, use all its tries, and is kept for a day: the maximum duration.
		advanceClock(100 * 86_400_000);
		expect((await ask(DEPLOYED, links.self)).status).toBe(401);
	});
});

describe('a configuration that is refused', () => {
	const one = { id: 'a', tenant: 'acme', sha256: '0'.repeat(64), scopes: ['read'] };

	it.each([
		['no JSON', 'secret', 'API_KEYS: expected JSON'],
		['no list', '{}', 'API_KEYS: '],
		['no key', '[]', 'API_KEYS: expected at least one key'],
		[
			'a key in the clear',
			JSON.stringify([{ ...one, sha256: 'ck_secret' }]),
			"API_KEYS.0.sha256: expected the key's SHA-256",
		],
		[
			'a scope that is none',
			JSON.stringify([{ ...one, scopes: ['write'] }]),
			'API_KEYS.0.scopes.0: expected one or more of submit',
		],
		['no scopes', JSON.stringify([{ ...one, scopes: [] }]), 'API_KEYS.0.scopes: expected one or more of submit'],
		['no tenant', JSON.stringify([{ ...one, tenant: undefined }]), 'API_KEYS.0.tenant: '],
		['a field that is not known', JSON.stringify([{ ...one, expires: 1 }]), 'API_KEYS.0: '],
		['an id twice', JSON.stringify([one, { ...one, sha256: '1'.repeat(64) }]), 'API_KEYS: expected every id once'],
		['a key twice', JSON.stringify([one, { ...one, id: 'b' }]), 'API_KEYS: expected every sha256 once'],
	])('has %s in API_KEYS: the log says where, and nobody is told the value', async (_, value, where) => {
		const { status, log, body } = await configuration({ API_KEYS: value });
		expect(status).toBe(503);
		expect(log).toContain(where);
		expect(body).toContain('API_KEYS');
		for (const text of [log, body]) expect(text).not.toMatch(/ck_secret|0{64}/);
	});

	it.each([
		['keys, and lets everybody in', { AUTH: 'none' }, ['AUTH', 'API_KEYS']],
		[
			'an identity provider, and lets everybody in',
			{ AUTH: 'none', API_KEYS: undefined, ...jwt() },
			['AUTH', 'JWT_ISSUER'],
		],
		['neither keys nor an identity provider', { API_KEYS: undefined }, ['API_KEYS', 'JWT_ISSUER']],
		['nothing to sign links with', { SIGNING_KEYS: undefined }, ['SIGNING_KEYS']],
		['half an identity provider', { JWT_ISSUER: 'https://id.example' }, ['JWT_AUDIENCE', 'JWT_JWKS_URL']],
		[
			'an identity provider that anybody can answer for',
			{ ...jwt(), JWT_JWKS_URL: 'http://id.example' },
			['JWT_JWKS_URL'],
		],
		['a limit that nobody counts', { RATE_LIMIT_PER_KEY: '10/10s' }, ['RATE_LIMIT_PER_KEY', 'LIMITER_PER_KEY']],
		['a window that the platform has not', { RATE_LIMIT_PER_KEY: '10/30s' }, ['RATE_LIMIT_PER_KEY']],
		['a quota of none', { MAX_JOBS_IN_FLIGHT: '0' }, ['MAX_JOBS_IN_FLIGHT']],
		['a quota that is no number', { MAX_STORED_BYTES: '1 GB' }, ['MAX_STORED_BYTES']],
		['a quota that nobody counts', { MAX_STORED_BYTES: '1000', TENANTS: undefined }, ['TENANTS']],
		['no class for its jobs', { JOBS: undefined }, ['JOBS']],
		['no queue for its jobs', NO_QUEUES, ['LANE_JOBS_1']],
		['a default scope that is none', { ...jwt(), JWT_DEFAULT_SCOPES: 'read write' }, ['JWT_DEFAULT_SCOPES']],
	])('has %s', async (_, variables, named) => {
		const { status, log, body } = await configuration(variables);
		expect(status).toBe(503);
		for (const name of named) {
			expect(body).toContain(name);
			expect(log).toContain(name);
		}
	});

	function jwt(): Variables {
		return { JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'jobs', JWT_JWKS_URL: `${ORIGIN}/jwks` };
	}
});

describe('local development', () => {
	it('can try keys by saying that they are required', async () => {
		const variables = { ...DEPLOYED, AUTH: 'required' };
		expect((await ask(variables, '/v1/tasks', { headers: bearer(KEYS.read) })).status).toBe(200);
		expect((await ask(variables, '/v1/tasks')).status).toBe(401);
	});
});
