import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { logError } from '../../src/log.ts';
import { call, ORIGIN, until } from '../flow/client.ts';
import { failSends } from '../flow/faults.ts';
import { createOwnWork } from '../flow/own-work.ts';
import { receiver } from '../webhook/receiver.ts';
import { ask, bearer, DEPLOYED, jobToken, KEYS, submission, type Variables, waitingJob } from './deployment.ts';

const PAYLOAD = 'the-patient-has-a-cold';
const CONSOLE = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

/** All console output from now on, also that of other tests' jobs. @param isWanted default: everything. */
function written(isWanted = () => true): () => string {
	const lines: string[] = [];
	const spies = CONSOLE.map((method) =>
		vi.spyOn(console, method).mockImplementation((...values) => {
			if (isWanted()) lines.push(values.map(String).join(' '));
		}),
	);
	onTestFinished(() => {
		for (const spy of spies) spy.mockRestore();
	});
	return () => lines.join('\n');
}

/** Unreachable objects whose errors contain all arguments of the call. */
function unreachable(what: string): Variables {
	const get = () => {
		throw new Error(`no way to ${ORIGIN}/v1/jobs?token=${what} with Bearer ${what} or ${what}`);
	};
	const { JOBS } = env;
	const namespace = new Proxy(JOBS, {
		get: (_, name) => {
			if (name === 'get') return get;
			const value = Reflect.get(JOBS, name) as unknown;
			return typeof value === 'function' ? value.bind(JOBS) : value;
		},
	});
	return { ...DEPLOYED, JOBS: namespace };
}

describe('the log', () => {
	it('names the key of a request that failed and the error, but neither token, key nor payload', async () => {
		const { id } = await waitingJob();
		const token = await jobToken({ sub: id });
		const output = written();
		const variables = unreachable(token);
		const withLink = await ask(variables, `/v1/jobs/${id}?token=${token}`);
		const withKey = await ask(variables, `/v1/jobs/${id}`, { headers: bearer(KEYS.read) });
		const init = { ...submission(bearer(KEYS.submit)), body: JSON.stringify({ seconds: 0, note: PAYLOAD }) };
		const refused = await ask(variables, '/v1/tasks/sleep/jobs', init);
		const broken = await ask(variables, '/v1/tasks/sleep/jobs', { ...init, body: PAYLOAD });
		const submitted = await ask(variables, '/v1/tasks/echo/jobs', {
			...init,
			headers: { ...bearer(KEYS.submit), 'content-type': 'text/plain' },
			body: PAYLOAD,
		});
		const responses = [withLink, withKey, refused, broken, submitted];
		expect(responses.map(({ status }) => status)).toEqual([500, 500, 400, 400, 500]);
		expect(output()).toContain('no way to');
		expect(output()).toContain('"principal":"key:only-read"');
		for (const secret of [token, PAYLOAD, KEYS.read.secret, KEYS.submit.secret]) expect(output()).not.toContain(secret);
		// The client does not see it either.
		for (const response of responses) expect(await response.text()).not.toContain('no way to');
	});

	it('is not written to by who guesses', async () => {
		const own = createOwnWork();
		const output = written(own.isCaller);
		const guess = 'ck_guess-guess-guess-guess';
		await own.run(() => ask(DEPLOYED, '/v1/tasks', { headers: bearer({ secret: guess }) }));
		await own.run(() => ask(DEPLOYED, `/v1/jobs/${'f'.repeat(64)}?token=${guess}`));
		expect(output()).toBe('');
		// What such a request writes would be seen.
		await own.run(async () => logError('failed', {}));
		expect(output()).toContain('failed');
	});

	it('has no payload when a task fails over it', async () => {
		const output = written();
		const response = await call('/v1/tasks/stumble/jobs', {
			method: 'POST',
			headers: { 'content-type': 'text/plain' },
			body: PAYLOAD,
		});
		await until(await response.json(), 'failed');
		expect(output()).toContain('task failed');
		expect(output()).toContain('SyntaxError');
		expect(output()).not.toContain('patient');
	});

	it('has no token when a queue and a receiver of webhooks fail', async () => {
		const output = written();
		const host = `${crypto.randomUUID()}.example`;
		const received = receiver(host, () => {
			throw new Error(`cannot post to https://${host}/in?token=${PAYLOAD}`);
		});
		const response = await call('/v1/tasks/sleep/jobs', {
			method: 'POST',
			headers: {
				'content-type': 'application/json',
				'coatcheck-webhook-url': `https://${host}/in?token=${PAYLOAD}`,
			},
			body: '{"seconds":0}',
		});
		const { links } = await response.json<{ links: { self: string } }>();
		await vi.waitFor(() => expect(output()).toContain(`cannot post to https://${host}/in?…`));
		expect(output()).toContain('webhook not delivered');
		failSends();
		await call('/v1/tasks/sleep/jobs', {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: '{"seconds":0}',
		});
		await vi.waitFor(() => expect(output()).toContain('send failed'));
		expect(received[0]?.body).toContain('token=');
		expect(output()).not.toContain(PAYLOAD);
		expect(output()).not.toContain(new URL(links.self).searchParams.get('token'));
	});

	it.each([
		['a query', 'GET https://a.example/b?c=secret failed', 'GET https://a.example/b?… failed'],
		['a token in a path', 'no way to /v1/jobs/a?flag=b&token=secret here', 'no way to /v1/jobs/a?flag=b&token=… here'],
		['a fragment', 'at wss://a.example/#secret', 'at wss://a.example/?…'],
		['a password', 'to postgres://me:secret@db:5432/x refused', 'to postgres://…@db:5432/x refused'],
		['a token', 'got eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.secret', 'got (token)'],
		['an Authorization', 'sent "Bearer secret"', 'sent "Bearer …"'],
		['an API key', 'used ck_secretsecretsecretsecret', 'used ck_…'],
		['a signing secret', 'with whsec_secretsecretsecretsecret', 'with whsec_…'],
	])('leaves %s out of what others put into their messages, at any depth', (_, message, kept) => {
		const output = written();
		logError('failed', { error: new Error(message), facts: { list: [message] } });
		expect(JSON.parse(output())).toMatchObject({ error: `Error: ${kept}`, facts: { list: [kept] } });
		expect(output()).not.toContain('secret');
	});

	it('still says where it happened', () => {
		const output = written();
		logError('failed', { error: new Error('of that') });
		expect(output()).toMatch(/"stack":".*security-logs/);
	});

	it.each([
		['names without an end', 'a.'],
		['schemes without an end', 'http://'],
		['blank lines', '\n '],
		['words', 'eyJa Bearer '],
	])('is not kept searching by a text of %s, and keeps its beginning', (_, piece) => {
		const output = written();
		const error = new Error(piece.repeat(1_000_000));
		logError('failed', { error, text: piece.repeat(1_000_000) });
		const line = JSON.parse(output()) as Record<string, string>;
		expect(line.text?.slice(0, 1)).toBe(piece.slice(0, 1));
		for (const text of Object.values(line)) expect(text.length).toBeLessThan(2_100);
	});

	it('has no half of a secret where it cuts', () => {
		const output = written();
		logError('failed', { text: `${'a '.repeat(990)}https://me:secret-${'x'.repeat(100)}@db.example/` });
		expect(output()).not.toContain('secret');
	});
});
