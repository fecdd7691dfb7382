/** Our own service, used like an unknown one. */
import { beforeAll, describe, expect, it } from 'vitest';
import { followOperation, OperationCanceledError, OperationFailedError } from '../../src/client/index.ts';
import { call, ORIGIN } from '../flow/client.ts';
import { workerFetch } from './worker-client.ts';

// The first request loads the Worker, which may take longer than a client waits on a busy machine.
beforeAll(async () => void (await call('/healthz')));

const WAIT_MS = { first: 20, max: 1_000 };

function submitted(input: object) {
	const { fetch, asked } = workerFetch();
	const headers = { 'content-type': 'application/json' };
	const body = JSON.stringify({ task: 'sleep', input });
	const init = { method: 'POST', headers, body };
	return { operation: followOperation(`${ORIGIN}/v1/jobs`, init, { fetch, waitMs: WAIT_MS }), fetch, asked };
}

describe('a job, followed as the operation of a stranger', { concurrent: true }, () => {
	it('comes to its result', async () => {
		const { operation, asked } = submitted({ seconds: 0.3 });
		expect(await operation.result()).toEqual({ sleptSeconds: 0.3, attempt: 1 });
		expect(asked[0]?.method).toBe('POST');
		expect(asked.at(-1)?.url.pathname).toMatch(/^\/v1\/jobs\/[0-9a-f]{64}\/result$/);
		expect(asked.slice(1, -1).every(({ url }) => url.pathname.startsWith('/v1/operations/'))).toBe(true);
	});

	it('tells how it is', async () => {
		const { operation } = submitted({ seconds: 2, steps: 4 });
		const words = new Set<string | undefined>();
		let last: number | undefined;
		for await (const { word, percentComplete } of operation.states()) {
			words.add(word);
			last = percentComplete;
		}
		expect([...words]).toEqual(['pending', 'running', 'succeeded']);
		expect(last).toBe(100);
	});

	it('fails with its own error', async () => {
		const error = { code: 'TooDeep', message: 'Nobody sleeps that deep', retryable: false };
		const thrown = await submitted({ seconds: 0, error })
			.operation.result()
			.catch((reason: unknown) => reason);
		expect(thrown).toBeInstanceOf(OperationFailedError);
		expect(thrown).toMatchObject({ code: 'TooDeep', message: 'Nobody sleeps that deep' });
	});

	it('can be canceled under it', async () => {
		const { operation, fetch } = submitted({ seconds: 1 });
		for await (const { body } of operation.states()) {
			const { links } = body as { readonly links: { readonly cancel: string } };
			await fetch(links.cancel, { method: 'POST' });
			break;
		}
		await expect(operation.result()).rejects.toBeInstanceOf(OperationCanceledError);
	});

	it('that is refused says why', async () => {
		await expect(submitted({ seconds: 'three' }).operation.result()).rejects.toMatchObject({
			name: 'ProblemError',
			status: 400,
			code: 'InvalidInput',
			errors: [{ pointer: '/input/seconds' }],
		});
	});
});
