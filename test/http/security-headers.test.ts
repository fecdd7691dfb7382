import { describe, expect, it } from 'vitest';
import { call, ORIGIN, submit, until } from '../flow/client.ts';
import { ask, bearer, DEPLOYED, KEYS, waitingJob } from './deployment.ts';

const EVERYWHERE = {
	'x-content-type-options': 'nosniff',
	'referrer-policy': 'no-referrer',
	'strict-transport-security': 'max-age=31536000',
};

describe('every answer', () => {
	it('is kept by nobody, guessed at by nobody, framed by nobody, and hides where it was linked from', async () => {
		const { id, links } = await waitingJob();
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const withKey = { headers: bearer(KEYS.client) };
		const answers = {
			health: await ask(DEPLOYED, '/healthz'),
			notConfigured: await ask({ ...DEPLOYED, API_KEYS: undefined }, '/v1/tasks'),
			unknownPath: await ask(DEPLOYED, '/nowhere'),
			wrongMethod: await ask(DEPLOYED, '/v1/tasks', { method: 'DELETE' }),
			preflight: await ask(DEPLOYED, '/v1/jobs', { method: 'OPTIONS' }),
			unauthorized: await ask(DEPLOYED, '/v1/tasks'),
			forbidden: await ask(DEPLOYED, '/v1/tasks', { headers: bearer(KEYS.cancel) }),
			tasks: await ask(DEPLOYED, '/v1/tasks', withKey),
			status: await ask(DEPLOYED, `/v1/jobs/${id}`, withKey),
			unchanged: await ask(DEPLOYED, `/v1/jobs/${id}`, { headers: { ...withKey.headers, 'if-none-match': '"1"' } }),
			head: await ask(DEPLOYED, `/v1/jobs/${id}`, { ...withKey, method: 'HEAD' }),
			notReady: await ask(DEPLOYED, `/v1/jobs/${id}/result`, withKey),
			events: await ask(DEPLOYED, `/v1/jobs/${id}/events`, withKey),
			stream: await ask(DEPLOYED, links.events, { headers: { accept: 'text/event-stream' } }),
			redirect: await call(document.links.self),
			result: await call(document.links.result),
		};
		for (const [name, { headers, body }] of Object.entries(answers)) {
			const got = Object.fromEntries(headers);
			expect.soft(got, name).toMatchObject(EVERYWHERE);
			expect.soft(got['cache-control'], name).toMatch(/^(private, )?no-store(, no-cache, no-transform)?$/);
			expect.soft(got['content-security-policy'], name).toMatch(/^default-src 'none';.*frame-ancestors 'none'$/);
			await body?.cancel();
		}
		expect(answers.status.headers.get('cross-origin-resource-policy')).toBe('same-origin');
		expect(answers.result.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
		expect(answers.result.headers.get('content-security-policy')).toContain('sandbox');
	});

	it('asks for https only where it was asked by https', async () => {
		const variables = { ...DEPLOYED, ALLOW_PRIVATE_TARGETS: 'true', PUBLIC_URL: 'http://gate.example' };
		const behindHttp = await ask(variables, '/v1/tasks', { headers: bearer(KEYS.read) });
		expect(behindHttp.status).toBe(200);
		expect(behindHttp.headers.has('strict-transport-security')).toBe(false);
		const local = await ask(DEPLOYED, `${ORIGIN.replace('https', 'http')}/healthz`);
		expect(local.headers.has('strict-transport-security')).toBe(false);
	});
});
