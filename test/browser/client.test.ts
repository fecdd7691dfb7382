/** The client in a real Chromium, on a page of another origin, with a policy that forbids everything but its own scripts. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import type { AttemptLinks } from '../../src/core/job/links.ts';
import { KEY, type Site, startSite } from './site.ts';

const PICTURE = new URL('../../demo/data/hubble-extreme-deep-field.jpg', import.meta.url);
let site: Site;
let page: Page;

beforeAll(async () => {
	site = await startSite('test/browser/pages/client.ts');
});

afterAll(() => site?.stop());

beforeEach(async () => {
	page = await site.newPage();
	await page.goto(site.pages.origin);
	await page.waitForFunction(() => 'coatcheck' in globalThis);
});

/** What a script in the page may use. */
function settings(more: object = {}) {
	return { baseUrl: site.server.origin, apiKey: KEY.secret, ...more };
}

/** Waits until the job's attempt is with an external worker: the job ends when the test says so. */
async function linksOfWorker(url: string): Promise<AttemptLinks> {
	const job = createClient(settings()).job(url);
	for await (const { job: now } of job.events({ after: 'now' }))
		if (now.progress?.data !== undefined) return now.progress.data as AttemptLinks;
	throw new Error('The job has ended');
}

describe('the client in a browser', () => {
	it.each([
		'websocket',
		'sse',
		'polling',
	] as const)('submits, follows by %s, and reads the result', async (transport) => {
		const sockets: string[] = [];
		const preferences: (string | undefined)[] = [];
		page.on('websocket', (socket) => sockets.push(socket.url()));
		page.on('request', (request) => preferences.push(request.headers().prefer));
		const url = await page.evaluate(
			(options) => {
				const job = globalThis.coatcheck.createClient(options).submit('sleep', { seconds: 0, wait: true });
				const follow = async () => {
					const types: string[] = [];
					for await (const { type } of job.events()) types.push(type);
					return { types, result: await job.result() };
				};
				globalThis.followed = follow();
				return job.url;
			},
			settings({ transports: [transport] }),
		);
		const worker = await linksOfWorker(url);
		// A poll is held by the server until something changes.
		if (transport === 'polling') await expect.poll(() => preferences).toContain('wait=20');
		await fetch(worker.complete, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: '{"done":1}',
		});
		const found = await page.evaluate(() => globalThis.followed);
		expect(found.types[0]).toBe('accepted');
		expect(found.types.at(-1)).toBe('succeeded');
		expect(found.result).toEqual({ done: 1 });
		expect(sockets).toHaveLength(transport === 'websocket' ? 1 : 0);
		expect(preferences.includes('wait=20')).toBe(transport === 'polling');
	});

	it('sends a file, and reads a picture', async () => {
		const picture = await readFile(PICTURE, 'base64');
		const type = await page.evaluate(
			async ({ options, picture }) => {
				const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
				const file = new File([bytes], 'sky.jpg', { type: 'image/jpeg' });
				const job = globalThis.coatcheck.createClient(options).submit('thumbnail', file, { parameters: { width: 16 } });
				const blob = await (await job.response()).blob();
				return (await createImageBitmap(blob)).width;
			},
			{ options: settings(), picture },
		);
		expect(type).toBe(16);
	});

	it('follows and cancels a job by its link alone, without a key', async () => {
		const { links } = await createClient(settings()).submit('sleep', { seconds: 60 }).accepted();
		const sockets: string[] = [];
		page.on('websocket', (socket) => sockets.push(socket.url()));
		const last = await page.evaluate(
			async ({ baseUrl, url }) => {
				const job = globalThis.coatcheck.createClient({ baseUrl }).job(url);
				let last: string | undefined;
				for await (const { type } of job.events()) {
					last = type;
					if (type === 'started') await job.cancel();
				}
				return last;
			},
			{ baseUrl: site.server.origin, url: links.cancel ?? '' },
		);
		expect(last).toBe('canceled');
		expect(new URL(sockets[0] ?? '').searchParams.get('token')).toBe(
			new URL(links.cancel ?? '').searchParams.get('token'),
		);
	});

	it('shows a refusal as an error with its code and its place', async () => {
		const error = await page.evaluate(async (options) => {
			const { createClient, ProblemError } = globalThis.coatcheck;
			const error: unknown = await createClient(options)
				.submit('sleep', { seconds: -1 })
				.accepted()
				.catch((thrown: unknown) => thrown);
			return error instanceof ProblemError ? { code: error.code, pointer: error.errors[0]?.pointer } : String(error);
		}, settings());
		expect(error).toEqual({ code: 'InvalidInput', pointer: '/input/seconds' });
	});

	it('publishes to a topic and reads it, with a key', async () => {
		const events = await page.evaluate(async (options) => {
			const topic = globalThis.coatcheck.createClient(options).topic<{ name: string }>('from-a-browser');
			await topic.publish({ name: 'galaxy.jpg' }, { type: 'uploaded' });
			for await (const { seq, type, data } of topic.events({ after: 0 })) return { seq, type, data };
		}, settings());
		expect(events).toEqual({ seq: 1, type: 'uploaded', data: { name: 'galaxy.jpg' } });
	});

	it('lists and counts jobs', async () => {
		const correlationId = crypto.randomUUID();
		await createClient(settings()).submit('sleep', { seconds: 0 }, { correlationId }).result();
		await expect
			.poll(() =>
				page.evaluate(
					async ({ options, correlationId }) => {
						const { jobs } = globalThis.coatcheck.createClient(options);
						const tasks: string[] = [];
						for await (const { task } of jobs.list({ correlationId })) tasks.push(task);
						return { tasks, total: (await jobs.counts({ correlationId })).total };
					},
					{ options: settings(), correlationId },
				),
			)
			.toEqual({ tasks: ['sleep'], total: 1 });
	});

	it('loads the code of the fallbacks only when the socket does not work', async () => {
		const loaded: string[] = [];
		page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
		const follow = (more: object) =>
			page.evaluate(
				(options) => globalThis.coatcheck.createClient(options).submit('sleep', { seconds: 0 }).result(),
				settings(more),
			);
		const isFallback = (path: string) => /^\/by-(sse|polling)/.test(path);
		await follow({});
		expect(loaded.filter(isFallback)).toEqual([]);
		await follow({ transports: ['sse'] });
		expect(loaded.filter(isFallback)).toHaveLength(1);
	});

	it('falls back when a part of its code can not be loaded', async () => {
		const sse = site.pages.scripts.find((script) => script.startsWith('by-sse'));
		expect(sse).toBeDefined();
		await page.route(`**/${sse}`, (route) => route.abort());
		const result = await page.evaluate(
			(options) => globalThis.coatcheck.createClient(options).submit('sleep', { seconds: 0 }).result(),
			settings({ transports: ['sse', 'polling'] }),
		);
		expect(result).toEqual({ sleptSeconds: 0, attempt: 1 });
	});

	it('is refused on a page of an origin that is not listed', async () => {
		await page.goto(site.pages.origin.replace('127.0.0.1', 'localhost'));
		await page.waitForFunction(() => 'coatcheck' in globalThis);
		const name = await page.evaluate(
			(options) =>
				globalThis.coatcheck
					.createClient(options)
					.submit('sleep', { seconds: 0 }, { signal: AbortSignal.timeout(2_000) })
					.accepted()
					.catch((error: Error) => error.name),
			settings(),
		);
		expect(name).toBe('TimeoutError');
	});
});
