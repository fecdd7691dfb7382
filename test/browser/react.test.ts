/** The hooks in a real Chromium, in strict mode, on a page of another origin. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createClient, type StatusDocument } from '../../src/client/index.ts';
import type { ShownState } from './pages/hooks.ts';
import { KEY, type Site, startSite } from './site.ts';

let site: Site;
let page: Page;
/** Errors and warnings in the page's console. */
let complaints: string[];
/** Addresses of the sockets that are open. */
let open: Set<string>;
let opened: number;

beforeAll(async () => {
	site = await startSite('test/browser/pages/hooks.ts');
});

afterAll(() => site?.stop());

beforeEach(async () => {
	page = await site.newPage();
	[complaints, open, opened] = [[], new Set(), 0];
	page.on('pageerror', ({ message }) => complaints.push(message));
	page.on('console', (message) => {
		if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
	});
	page.on('websocket', (socket) => {
		opened++;
		open.add(socket.url());
		socket.on('close', () => open.delete(socket.url()));
	});
	const settings = { baseUrl: site.server.origin, apiKey: KEY.secret };
	await page.goto(`${site.pages.origin}/#${encodeURIComponent(JSON.stringify(settings))}`);
	await page.waitForFunction(() => 'view' in globalThis);
});

const client = () => createClient({ baseUrl: site.server.origin, apiKey: KEY.secret });

/** Submits a job as a page's own server does. */
async function submit(input: object): Promise<StatusDocument> {
	const job = client().submit('sleep', input);
	// A long job would keep others of its queue waiting.
	onTestFinished(() => void job.cancel());
	return job.accepted();
}

const cancelUrl = ({ links }: StatusDocument): string => links.cancel ?? '';

interface Props {
	readonly name: string;
	readonly [more: string]: unknown;
}

function show(
	...wanted: readonly { readonly kind: 'job' | 'submit' | 'topic'; readonly props: Props }[]
): Promise<void> {
	return page.evaluate((all) => globalThis.view.show(all), wanted);
}

function job(name: string, url: string | undefined, options: object = {}) {
	return { kind: 'job', props: { name, url, options } } as const;
}

async function states(name: string): Promise<ShownState[]> {
	return (await page.evaluate((name) => globalThis.view.recorded[name], name)) ?? [];
}

async function statusesOf(name: string): Promise<string[]> {
	const all = (await states(name)).map(({ status }) => status);
	return all.filter((status, at) => status !== all[at - 1]);
}

const last = async (name: string) => (await states(name)).at(-1);

/** Waits for what a component shows. */
function shows(name: string, what: Partial<ShownState>) {
	return expect.poll(() => last(name)).toMatchObject(what);
}

describe('useJob', () => {
	it('shows a job from the first answer to its result, over one socket although strict mode mounts twice', async () => {
		const { links } = await submit({ seconds: 2, steps: 4 });
		await show(job('a', links.self));
		await shows('a', { status: 'succeeded', result: { sleptSeconds: 2, attempt: 1 }, percent: 100 });
		const statuses = await statusesOf('a');
		expect(statuses[0]).toBe('loading');
		expect(statuses.slice(-2)).toEqual(['reading', 'succeeded']);
		expect(opened).toBe(1);
		expect(complaints).toEqual([]);
	});

	it('shares one connection among components with the same URL', async () => {
		const { links } = await submit({ seconds: 2 });
		await show(job('a', links.self), job('b', links.self), job('c', links.self));
		for (const name of ['a', 'b', 'c']) await shows(name, { status: 'succeeded' });
		expect(opened).toBe(1);
	});

	it('closes its socket when the last component is gone, and shows nothing afterwards', async () => {
		const { links } = await submit({ seconds: 60, steps: 60 });
		await show(job('a', links.self), job('b', links.self));
		await shows('a', { status: 'running' });
		await show(job('a', links.self));
		await new Promise((resolve) => setTimeout(resolve, 2_000));
		expect(open.size).toBe(1);
		await show();
		await expect.poll(() => open.size).toBe(0);
		const shown = (await states('a')).length;
		await new Promise((resolve) => setTimeout(resolve, 2_000));
		expect((await states('a')).length).toBe(shown);
		expect(complaints).toEqual([]);
	});

	it('follows another job when the URL changes, and shows nothing of the first', async () => {
		const [long, short] = await Promise.all([submit({ seconds: 60 }), submit({ seconds: 1 })]);
		await show(job('a', long.links.self));
		await shows('a', { status: 'running' });
		await show(job('a', short.links.self));
		await shows('a', { status: 'succeeded', result: { sleptSeconds: 1, attempt: 1 } });
		expect(await statusesOf('a')).toEqual(expect.arrayContaining(['loading', 'running', 'succeeded']));
		await expect.poll(() => [...open].filter((url) => url.includes(long.id))).toEqual([]);
	});

	it('is idle without a URL', async () => {
		await show(job('a', undefined));
		await shows('a', { status: 'idle' });
		expect(opened).toBe(0);
	});

	it('shows failures as values: of the job, of the URL, and of the token', async () => {
		const failing = await submit({ seconds: 0, error: { code: 'Broken', message: 'It broke' } });
		const forged = failing.links.self.replace(/token=.{8}/, 'token=AAAAAAAA');
		await show(job('failed', failing.links.self), job('bad', 'no url'), job('forged', forged));
		await shows('failed', { status: 'failed', error: 'JobFailedError' });
		await shows('bad', { status: 'error', error: 'TypeError' });
		await shows('forged', { status: 'error', error: 'ProblemError' });
	});

	it('cancels, and tells why a command was refused', async () => {
		const [mine, foreign] = await Promise.all([submit({ seconds: 60 }), submit({ seconds: 60 })]);
		await show(job('mine', cancelUrl(mine)), job('foreign', foreign.links.self));
		for (const name of ['mine', 'foreign']) await shows(name, { status: 'running' });
		await page.evaluate(() => Promise.all(Object.values(globalThis.view.commands).map(({ cancel }) => cancel())));
		await shows('mine', { status: 'canceled', error: 'JobCanceledError', commandError: undefined });
		await shows('foreign', { status: 'running', commandError: 'ProblemError' });
	});

	it('shows a picture as a Blob, and none when it is not asked for', async () => {
		const pixel = Uint8Array.from(
			atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC'),
			(letter) => letter.charCodeAt(0),
		);
		const input = new Blob([pixel], { type: 'image/png' });
		const parameters = { width: 1, format: 'png' };
		const { links } = await client().submit('thumbnail', input, { parameters }).accepted();
		await show(job('picture', links.self), job('link', links.self, { readsResult: false }));
		await shows('picture', { status: 'succeeded', result: expect.stringMatching(/^image\/png, \d+ bytes$/) });
		await shows('link', { status: 'succeeded', result: undefined });
		// One connection for each: see docs/react.md.
		expect(opened).toBe(2);
	});

	it('gives up without a network, and goes on when the device is online again', async () => {
		const { links } = await submit({ seconds: 3 });
		await page.route('**/v1/**', (route) => route.abort());
		await page.routeWebSocket(/./, (socket) => socket.close({ code: 1011 }));
		await page.clock.install();
		await show(job('a', links.self));
		await expect
			.poll(async () => {
				// Less than the timeout of a response, so that each request ends as its network does.
				await page.clock.fastForward(10_000);
				return (await last('a'))?.status;
			})
			.toBe('error');
		expect(await last('a')).toMatchObject({ error: 'TransportError' });
		await page.clock.resume();
		await page.unrouteAll();
		await page.evaluate(() => dispatchEvent(new Event('online')));
		await expect
			.poll(async () => {
				await page.clock.fastForward(1_000);
				return last('a');
			})
			.toMatchObject({ status: 'succeeded' });
	});
});

describe('server rendering', () => {
	it('shows the status that the server knew, and goes on in the browser without a mismatch', async () => {
		const running = await submit({ seconds: 3, steps: 3 });
		const url = running.links.self;
		const options = { initial: { ...running, percentComplete: 7 } };
		const html = await page.evaluate(
			(wanted) => globalThis.view.hydrate(wanted),
			[job('a', url, options), job('b', url)],
		);
		expect(html).toContain('<p id="a">pending 7</p>');
		expect(html).toContain('<p id="b">loading </p>');
		for (const name of ['a', 'b']) await shows(name, { status: 'succeeded' });
		expect(complaints).toEqual([]);
		expect(opened).toBe(1);
	});
});

describe('useSubmit', () => {
	it('is idle, submits, and shows the job that it submitted last', async () => {
		await show({ kind: 'submit', props: { name: 's', task: 'sleep' } });
		await shows('s', { status: 'idle' });
		await page.evaluate(() => void globalThis.view.submits.s?.({ seconds: 1 }));
		await shows('s', { status: 'succeeded', result: { sleptSeconds: 1, attempt: 1 } });
		await page.evaluate(() => void globalThis.view.submits.s?.({ seconds: 0, error: { code: 'Once', message: 'No' } }));
		await shows('s', { status: 'failed' });
		await page.evaluate(() => globalThis.view.commands.s?.retry());
		await expect.poll(async () => (await statusesOf('s')).filter((status) => status === 'failed').length).toBe(2);
		expect(complaints).toEqual([]);
	});

	it('shows a refusal as an error', async () => {
		await show({ kind: 'submit', props: { name: 's', task: 'sleep' } });
		await shows('s', { status: 'idle' });
		await page.evaluate(() => void globalThis.view.submits.s?.({ seconds: -1 }));
		await shows('s', { status: 'error', error: 'ProblemError' });
	});
});

describe('useTopic', () => {
	it('shows the latest events, as many as were asked for', async () => {
		const topic = client().topic<number>('for-react');
		for (const number of [1, 2, 3]) await topic.publish(number, { type: 'number' });
		await show({ kind: 'topic', props: { name: 't', topic: 'for-react', options: { after: 0, limit: 3 } } });
		const shown = () =>
			page.evaluate(() => globalThis.view.events.t?.map((event) => (event as { data: unknown }).data));
		await expect.poll(shown).toEqual([1, 2, 3]);
		await topic.publish(4, { type: 'number' });
		await expect.poll(shown).toEqual([2, 3, 4]);
		expect(complaints).toEqual([]);
	});
});
