/**
 * A tail consumer receives the URL and all headers of every request to the Worker and its objects, and it feeds log
 * drains. None of them may contain a key or a token. The real runtime decides what it redacts, so this test runs it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { configWith, localVariables } from '../../bench/configuration.ts';
import { type LocalWorker, startLocalWorker } from '../../demo/local-worker.ts';
import { newKey } from './new-key.ts';

/** A consumer that forwards everything that it receives. */
const SPY = (collector: string) => `export default {
	async tail(events) {
		await fetch('${collector}', { method: 'POST', body: JSON.stringify(events) });
	},
};`;

const endings: (() => unknown)[] = [];
const seen: string[] = [];
let worker: LocalWorker;
let apiKey: string;

beforeAll(async () => {
	const collector = createServer(async (request, response) => {
		let text = '';
		for await (const part of request) text += String(part);
		seen.push(text);
		response.end();
	});
	await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
	endings.push(() => collector.close());
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-tail-'));
	endings.push(() => rm(folder, { recursive: true, force: true }));
	const address = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
	await writeFile(join(folder, 'spy.js'), SPY(address));
	await writeFile(join(folder, 'wrangler.toml'), 'name = "spy"\nmain = "spy.js"\ncompatibility_date = "2026-10-20"\n');
	const config = await configWith('src/index.ts', (toml) => `${toml}\n[[tail_consumers]]\nservice = "spy"\n`);
	endings.push(config.remove);
	const made = await newKey(['--tenant', 'acme', '--scopes', 'submit,read,cancel']);
	apiKey = made.secret;
	const variables = { SIGNING_KEYS: (await localVariables()).SIGNING_KEYS ?? '', API_KEYS: `[${made.line}]` };
	const settings = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]);
	const configs = ['--config', config.path, '--config', join(folder, 'wrangler.toml')];
	worker = await startLocalWorker({ args: [...configs, ...settings] });
	endings.push(worker.stop);
});

afterAll(async () => {
	for (const end of endings.reverse()) await end();
});

interface Linked {
	readonly id: string;
	readonly links: Record<'self' | 'operation' | 'events' | 'socket' | 'cancel', string>;
}

async function submit(seconds: number): Promise<Linked> {
	const response = await fetch(`${worker.origin}/v1/tasks/sleep/jobs`, {
		method: 'POST',
		headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
		body: JSON.stringify({ seconds, steps: 1 }),
	});
	expect(response.status).toBe(202);
	return (await response.json()) as Linked;
}

function watchToTheEnd(url: string, protocols: string[] = []): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const socket = new WebSocket(url, protocols);
	socket.on('message', (data) => {
		const { type } = JSON.parse(String(data)) as { type: string };
		if (type === 'succeeded' || type === 'canceled') socket.terminate();
	});
	socket.on('close', () => resolve());
	socket.on('error', reject);
	return promise;
}

describe('a tail consumer', () => {
	it('sees no key and no token of any request, whatever transport it came by', async () => {
		const tokens = new Set<string>();
		for (let round = 0; round < 4; round++) {
			const { links } = await submit(0.3);
			for (const link of Object.values(links)) tokens.add(new URL(link).searchParams.get('token') ?? '');
			await watchToTheEnd(`${links.socket}&after=0`);
			await fetch(links.events, { headers: { accept: 'text/event-stream' } }).then((response) => response.text());
			await fetch(links.operation, { headers: { prefer: 'wait=5' } });
			await fetch(links.self);
			await fetch(links.cancel, { method: 'POST' });
			await fetch(links.operation, { headers: { authorization: `Bearer ${apiKey}` } });
		}
		expect(tokens).not.toContain('');
		const text = await vi.waitFor(() => {
			const all = seen.join('\n');
			for (const path of ['/watch', '/wait', '/events', '/result', '/cancel']) expect(all).toContain(path);
			return all;
		}, 30_000);
		expect(text).not.toContain(apiKey);
		for (const token of tokens) expect(text).not.toContain(token);
	});
});
