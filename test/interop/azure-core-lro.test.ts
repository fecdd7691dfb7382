import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { AzureClient, type AzureClientOptions, POLLER_NAMES, POLLERS, type PollerName } from './azure-client.ts';
import {
	cancel,
	cancelAndPurge,
	complete,
	heldJob,
	linksForWorker,
	reportTo,
	type StatusDocument,
	sleepJob,
	until,
} from './jobs.ts';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
	server = await startServer();
	return () => server.stop();
});

const SECONDS = 1_000;
/** A timer may fire a little early. */
const EARLY_MS = 20;

const ARM = { 'coatcheck-on-pending': 'accepted', 'coatcheck-on-complete': 'inline', 'coatcheck-on-failed': 'error' };
const NOPE = { code: 'Nope', message: 'It was not to be' };

/** Clients that leave every response to the poller, and clients that throw unexpected ones. */
const KINDS = POLLER_NAMES.flatMap((name) => [
	{ name, throwsRestErrors: false, how: 'that is given every answer' },
	{ name, throwsRestErrors: true, how: 'whose client throws what it did not expect' },
]);

/** Submits, and passes the response to a poller that has not polled yet. */
async function start(name: PollerName, body: string, options: AzureClientOptions = {}, headers = {}) {
	const client = new AzureClient(options);
	const submitted = await client.submit(`${server.origin}/v1/jobs`, body, headers);
	expect(submitted.statusCode).toBe(202);
	return {
		client,
		poller: await POLLERS[name](client.operation(submitted)),
		document: submitted.body as StatusDocument,
	};
}

/** Checks that every poll except the last waited as long as the previous response asked. */
function expectPatience({ polls }: AzureClient): void {
	for (const [index, { headers, answeredAt }] of polls.entries()) {
		const next = polls[index + 1];
		if (headers['retry-after'] === undefined || next === undefined) continue;
		expect(next.askedAt - answeredAt).toBeGreaterThan(Number(headers['retry-after']) * SECONDS - EARLY_MS);
	}
}

/** Restores a poller in another process, with the same Node. */
async function restoreElsewhere(name: PollerName, state: string): Promise<unknown> {
	const script = fileURLToPath(new URL('restored-poller.ts', import.meta.url));
	const child = spawn(process.execPath, [script, name], { stdio: ['pipe', 'pipe', 'pipe'] });
	child.stdin.end(state);
	const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
	if (out === '') throw new Error(`The other process had no result: ${err}`);
	return JSON.parse(out) as unknown;
}

describe.each(POLLER_NAMES)('%s, by Operation-Location', { concurrent: true }, (name) => {
	it('ends with what the result resource answers, and asks only when Retry-After is over', async () => {
		const { client, poller, document } = await start(name, sleepJob({ seconds: 0.5, steps: 1 }));
		const result = await poller.pollUntilDone();
		expect(poller.status()).toBe('succeeded');
		expect(result).toEqual({ sleptSeconds: 0.5, attempt: 1 });
		expect(result).toEqual(await (await fetch(document.links.result)).json());
		expectPatience(client);
	});

	it('waits as long as a delayed job tells it to', async () => {
		const { client, poller, document } = await start(name, sleepJob({ seconds: 0 }, { delaySeconds: 12 }));
		await poller.pollUntilDone();
		const asked = client.polls.filter(({ request }) => request.url === document.links.operation);
		expect(Number(asked[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(2);
		expectPatience(client);
	});

	it('is rejected with the code and the message of a job that failed', async () => {
		const { poller } = await start(name, sleepJob({ seconds: 0, error: NOPE }));
		await expect(poller.pollUntilDone()).rejects.toThrow('Nope. It was not to be');
		expect(poller.status()).toBe('failed');
	});

	it('ends as canceled when somebody else cancels the job that it waits for', async () => {
		const { client, poller, document } = await start(name, sleepJob({ seconds: 30, steps: 1 }));
		const done = poller.pollUntilDone();
		const rejected = expect(done).rejects.toThrow('Operation was canceled');
		await until(document, 'running');
		expect(await cancel(document)).toBe(202);
		await rejected;
		expect(poller.status()).toBe('canceled');
		expect(client.polls.at(-1)?.body).toMatchObject({ status: 'canceled' });
		expectPatience(client);
	});

	it('goes on in another process from what it serialized, and gets the result there', async () => {
		const { poller, document } = await start(name, heldJob());
		await poller.poll();
		expect(poller.status()).toBe('running');
		const restored = restoreElsewhere(name, await poller.serialize());
		await complete(document, { done: 1 });
		expect(await restored).toEqual({ done: 1 });
	});
});

describe.each(POLLER_NAMES)('%s, by Location alone and with the flags of ARM', { concurrent: true }, (name) => {
	const options = { knowsOnlyLocation: true };

	it('is answered 202 until the job is over, and then with the result itself', async () => {
		const { client, poller, document } = await start(name, heldJob(), options, ARM);
		const result = poller.pollUntilDone();
		await vi.waitFor(() => expect(client.polls.length).toBeGreaterThan(0));
		await complete(document, { done: 1 });
		expect(await result).toEqual({ done: 1 });
		const codes = client.polls.map(({ statusCode }) => statusCode);
		expect(codes.length).toBeGreaterThanOrEqual(2);
		expect(codes).toEqual([...codes.slice(1).fill(202), 200]);
		expect(client.polls.every(({ request }) => new URL(request.url).pathname.startsWith('/v1/jobs/'))).toBe(true);
		expect(client.polls[0]?.headers['retry-after']).toBeDefined();
		expectPatience(client);
	});

	it('is rejected with the failure that a synchronous call would have had', async () => {
		const { client, poller, document } = await start(name, heldJob(), options, ARM);
		const rejected = expect(poller.pollUntilDone()).rejects.toThrow('Nope. It was not to be');
		await vi.waitFor(() => expect(client.polls.length).toBeGreaterThan(0));
		await reportTo((await linksForWorker(document)).fail, { ...NOPE, status: 422, retryable: false });
		await rejected;
		expect(client.polls.at(0)?.statusCode).toBe(202);
		expect(client.polls.at(-1)?.statusCode).toBe(422);
	});

	it('is rejected when the job is canceled', async () => {
		const body = sleepJob({ seconds: 0 }, { delaySeconds: 60 });
		const { client, poller, document } = await start(name, body, options, ARM);
		expect(await cancel(document)).toBe(200);
		await expect(poller.pollUntilDone()).rejects.toThrow('JobCanceled');
		expect(client.polls.at(-1)?.statusCode).toBe(409);
	});

	it('gets the same result when it takes Operation-Location after all', async () => {
		const { client, poller } = await start(name, sleepJob({ seconds: 0 }), {}, ARM);
		expect(await poller.pollUntilDone()).toEqual({ sleptSeconds: 0, attempt: 1 });
		expect(client.polls[0]?.request.url).toContain('/v1/operations/');
	});
});

describe.each(KINDS)('$name, $how', { concurrent: true }, ({ name, throwsRestErrors }) => {
	it.each([
		{ by: 'Operation-Location', knowsOnlyLocation: false },
		{ by: 'Location', knowsOnlyLocation: true },
	])('ends with an error when the job that it asks for by $by is purged', async ({ knowsOnlyLocation }) => {
		const body = sleepJob({ seconds: 0 }, { delaySeconds: 60 });
		const { client, poller, document } = await start(name, body, { throwsRestErrors, knowsOnlyLocation }, ARM);
		await poller.poll();
		await cancelAndPurge(server.origin, document);
		const before = client.polls.length;
		await expect(poller.pollUntilDone()).rejects.toThrow('The job was purged');
		expect(poller.status()).toBe('failed');
		expect(client.polls.length - before).toBeLessThanOrEqual(1);
	});

	it('ends with an error when nothing is known of the job that it was restored for', async () => {
		const { poller } = await start(name, sleepJob({ seconds: 0 }, { delaySeconds: 60 }));
		await poller.poll();
		const stranger = new AzureClient({ throwsRestErrors });
		const state = JSON.parse(await poller.serialize()) as { state: { config: { operationLocation: string } } };
		state.state.config.operationLocation = `${server.origin}/v1/operations/${'0'.repeat(64)}`;
		const restored = await POLLERS[name](stranger.operation(), JSON.stringify(state));
		await expect(restored.pollUntilDone()).rejects.toThrow('No job has this id');
		expect(restored.status()).toBe('failed');
		expect(stranger.polls.length).toBeLessThanOrEqual(1);
	});
});
