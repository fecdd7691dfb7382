/** What the dashboard never does, and whom it serves, in a deployment that asks for keys. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/client/index.ts';
import { type Dashboard, key, keyed, type Opened, signIn, startDashboard } from './dashboard.ts';
import { type FakeUpstream, HOSTILE, startFakeUpstream } from './upstream.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ADMIN = key('admin');
const READER = key('read');
const TABS = 3;
const PHONE: Opened = { viewport: { width: 360, height: 740 }, key: ADMIN };

let upstream: FakeUpstream;
let dashboard: Dashboard;
/** A job of each kind, by the word for it. */
let jobs: Record<'failed' | 'running' | 'succeeded', string>;
let action: string;

beforeAll(async () => {
	upstream = await startFakeUpstream();
	// Not the lane of the job that runs all the time: locally, it holds one of the lane's queues.
	const UPSTREAMS = JSON.stringify({ report: { baseUrl: upstream.origin, lane: 'jobs' } });
	dashboard = await startDashboard({ ...keyed([ADMIN, READER]), UPSTREAMS });
	const hook = { 'coatcheck-webhook-url': `${upstream.origin}/hook`, 'coatcheck-tags': 'nightly' };
	const submit = async (input: object) => (await dashboard.submit(input, hook, ADMIN)).id;
	const failed = await submit({ seconds: 0, error: { code: 'PrinterOnFire', message: 'In room 4' } });
	const succeeded = await submit({ seconds: 0 });
	await Promise.all([dashboard.ended(failed, ADMIN), dashboard.ended(succeeded, ADMIN)]);
	jobs = { failed, running: await submit({ seconds: 600, steps: 100 }), succeeded };
	const body = JSON.stringify({ action: 'purge', filter: { tag: 'none' } });
	action = (await dashboard.send<{ id: string }>('/v1/actions', { method: 'POST', body, key: ADMIN })).id;
	await dashboard.send('/v1/topics/pictures/events', {
		method: 'POST',
		headers: { 'coatcheck-event-type': 'uploaded' },
		body: '1',
		key: ADMIN,
	});
});

afterAll(async () => {
	await dashboard?.stop();
	await upstream?.stop();
});

afterEach(async () => {
	await dashboard.closePages();
	expect(dashboard.complaints.splice(0)).toEqual([]);
});

/** The path of each page. */
function paths(): string[] {
	return [
		...['/', '/jobs', '/jobs?status=failed', '/submit', '/submit/sleep', '/submit/thumbnail'],
		...['/topics', '/topics/pictures?after=0', '/upstreams', '/actions', `/actions/${action}`],
		...Object.values(jobs).flatMap((id) => [`/jobs/${id}`, `/jobs/${id}/wire`]),
	];
}

async function visit(page: Page, path: string): Promise<void> {
	await dashboard.visit(page, path);
	expect(await page.getByRole('banner').count()).toBe(1);
}

/** Checks each page, in some tabs at once: a tab waits more than it works. @param prepare a tab. Default: nothing. */
async function checkPages(
	opened: Opened,
	check: (page: Page, path: string) => Promise<void>,
	prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<void> {
	const left = paths();
	const tabs = Array.from({ length: TABS }, async () => {
		const page = await dashboard.open('/', opened);
		await prepare(page);
		for (let path = left.shift(); path !== undefined; path = left.shift()) {
			await visit(page, path);
			await check(page, path);
		}
	});
	await Promise.all(tabs);
	expect(left).toEqual([]);
}

describe('signing in', () => {
	it('takes a key, keeps it for the tab, and never has it in a URL', async () => {
		const page = await dashboard.open('/jobs?status=failed');
		const urls: string[] = [];
		page.on('request', (request) => urls.push(request.url()));
		page.on('websocket', (socket) => urls.push(socket.url()));
		await signIn(page, ADMIN);
		await page.getByText(/jobs? match$/).waitFor();
		await visit(page, `/jobs/${jobs.running}`);
		await page.getByRole('progressbar').waitFor();
		expect(await page.evaluate(() => localStorage.length)).toBe(0);
		expect(urls.filter((url) => url.includes(ADMIN.secret) || url.includes('token='))).toEqual([]);
		expect(urls.some((url) => url.startsWith('ws:'))).toBe(true);
		expect(urls.filter((url) => new URL(url).host !== new URL(dashboard.origin).host)).toEqual([]);
		await page.getByRole('button', { name: 'Sign out' }).click();
		await page.getByRole('heading', { name: 'Sign in' }).waitFor();
		expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
	});

	it('refuses an unknown key, and says so', async () => {
		const page = await dashboard.open('/');
		await page.getByLabel('API key').fill('ck_nobody');
		await page.getByRole('button', { name: 'Sign in' }).click();
		await page.getByRole('alert').getByText('does not know this key').waitFor();
	});

	it('keeps the key when the service fails for a moment', async () => {
		const page = await dashboard.open('/jobs', { key: ADMIN });
		await page.route('**/v1/me', (route) => route.fulfill({ status: 503 }));
		await page.reload();
		await page.getByRole('alert').getByText('The service answered 503.').waitFor();
		await page.unroute('**/v1/me');
		await page.getByRole('button', { name: 'Try again' }).click();
		await page.getByText(/jobs? match$/).waitFor();
	});

	it('opens a socket whose token is in no URL', async () => {
		const page = await dashboard.open('/', { key: ADMIN });
		const opened = page.waitForEvent('websocket');
		await page.goto(`${dashboard.origin}/jobs/${jobs.running}`);
		expect((await opened).url()).toBe(`${dashboard.origin.replace('http', 'ws')}/v1/jobs/${jobs.running}/socket`);
	});
});

it('shows no action to a key that may only read', async () => {
	await checkPages({ key: READER }, async (page, path) => {
		const names = await page.getByRole('button').allTextContents();
		const actions = /^(Cancel|Retry|Purge|Send again|Close the breaker|Submit|Stop$)/;
		const found = names.filter((name) => actions.test(name.trim()));
		// The tail of a topic can be stopped by everyone who reads it.
		expect([path, found.filter((name) => !(path.startsWith('/topics/') && name === 'Stop'))]).toEqual([path, []]);
	});
});

describe('what comes from outside', () => {
	it('is text: hostile tasks, tags, codes, messages and progress', async () => {
		const harm = async (response: { json(): Promise<unknown> }) =>
			harmed((await response.json()) as Record<string, unknown>);
		const route = (page: Page) =>
			page.route(
				/\/v1\/(jobs\?|jobs\/counts|operations\/|jobs\/\w+\/events|tasks|topics|upstreams|actions|lanes)/,
				async (route) => {
					if (route.request().resourceType() !== 'fetch' || route.request().headers().accept?.includes('event-stream'))
						return route.continue();
					const response = await route.fetch();
					if (response.status() !== 200) return route.fulfill({ response });
					return route.fulfill({ response, json: await harm(response) });
				},
			);
		const shown: string[] = [];
		const check = async (page: Page, path: string) => {
			expect([path, await page.title()]).not.toContain('owned');
			expect(await page.locator('img, script:not([src^="/assets/"]), iframe').count()).toBe(0);
			if (path === '/jobs') shown.push((await page.locator('table.jobs').textContent()) ?? '');
		};
		await checkPages({ key: ADMIN }, check, route);
		expect(shown).toEqual([expect.stringContaining('onerror=')]);
	});

	it('is text: a hostile result', async () => {
		const init = { method: 'POST', body: '{}', key: ADMIN };
		const { id } = await dashboard.send<StatusDocument>('/v1/upstreams/report/hostile', init);
		await dashboard.ended(id, ADMIN);
		const page = await dashboard.open(`/jobs/${id}`, { key: ADMIN });
		await page.getByRole('button', { name: 'Show result' }).click();
		await page.getByText(HOSTILE).waitFor();
		await visit(page, `/jobs/${id}/wire`);
		await page.getByText(HOSTILE).first().waitFor();
		expect(await page.locator('main img, main script').count()).toBe(0);
		expect(await page.title()).not.toContain('owned');
	});

	it('has no tokens: links are shown without them', async () => {
		const page = await dashboard.open('/', { key: ADMIN });
		for (const id of Object.values(jobs)) {
			await visit(page, `/jobs/${id}/wire`);
			await page.getByText('token=•••').first().waitFor();
			expect(await page.locator('body').textContent()).not.toMatch(/token=[A-Za-z0-9_-]/);
		}
	});
});

/** A response with each text of a client replaced. */
function harmed(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(harmed);
	if (typeof value !== 'object' || value === null) return value;
	const hostile = new Set(['task', 'code', 'message', 'description', 'correlationId', 'name', 'type', 'by']);
	return Object.fromEntries(
		Object.entries(value).map(([name, inner]) => {
			if (name === 'tags') return [name, [HOSTILE]];
			if (name === 'byTask' || name === 'byErrorCode') return [name, { [HOSTILE]: 3 }];
			const isPhase =
				name === 'type' && typeof inner === 'string' && /^(accepted|started|failed|succeeded)$/.test(inner);
			if (typeof inner === 'string' && hostile.has(name) && !isPhase) return [name, HOSTILE];
			return [name, harmed(inner)];
		}),
	);
}

describe('everybody', () => {
	it.each(['light', 'dark'] as const)('can use each page, in %s: axe has no serious finding', async (colorScheme) => {
		await checkPages({ key: ADMIN, colorScheme }, async (page, path) => {
			expect([path, await findings(page)]).toEqual([path, []]);
		});
	});

	it('can use the page to sign in', async () => {
		const page = await dashboard.open('/');
		expect(await findings(page)).toEqual([]);
	});

	it('can use each page on a phone: nothing scrolls sideways', async () => {
		await checkPages(PHONE, async (page, path) => {
			const width = await page.evaluate(() => document.documentElement.scrollWidth);
			expect([path, width]).toEqual([path, 360]);
		});
	});

	it('can reach and see every control by keyboard', async () => {
		const page = await dashboard.open('/', { key: ADMIN });
		for (const path of ['/', '/jobs?tag=nightly', `/jobs/${jobs.failed}`, '/submit/sleep']) {
			await visit(page, path);
			await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
			const reached = await walk(page);
			const controls = await page.evaluate(() => {
				const all = [
					...document.querySelectorAll<HTMLElement>('a, button:not(:disabled), input, select, textarea, summary'),
				];
				return all.filter((element) => element.checkVisibility()).length;
			});
			expect([path, reached.size]).toEqual([path, controls]);
		}
	});

	it('begins with a link to the content, and a dialog gives the focus back', async () => {
		const page = await dashboard.open('/jobs?tag=nightly', { key: ADMIN });
		await page.getByRole('button', { name: 'Retry all' }).focus();
		await page.keyboard.press('Enter');
		await page.getByRole('dialog').getByText('3 jobs match now').waitFor();
		await page.keyboard.press('Escape');
		await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Retry all');
		await page.locator('.skip').focus();
		expect(await page.locator('.skip').evaluate((link) => link.getBoundingClientRect().left)).toBeGreaterThan(0);
	});
});

/** Presses Tab until the focus comes back. Each stop must show where the focus is. */
async function walk(page: Page): Promise<Set<number>> {
	const reached = new Set<number>();
	for (let presses = 0; presses < 300; presses++) {
		await page.keyboard.press('Tab');
		const stop = await page.evaluate(() => {
			const { activeElement } = document;
			if (!activeElement || activeElement === document.body) return undefined;
			const isControl = activeElement.matches('a, button, input, select, textarea, summary');
			const style = getComputedStyle(activeElement);
			const index = [...document.querySelectorAll('*')].indexOf(activeElement);
			return { index, isControl, isSeen: style.outlineStyle !== 'none' && style.outlineWidth !== '0px' };
		});
		if (!stop) break;
		if (reached.has(stop.index)) continue;
		expect([stop, stop.isSeen]).toEqual([stop, true]);
		if (stop.isControl) reached.add(stop.index);
	}
	return reached;
}

/** The findings of axe that are serious or critical. The policy of the page allows axe only from outside of it. */
async function findings(page: Page): Promise<string[]> {
	const session = await page.context().newCDPSession(page);
	await session.send('Runtime.evaluate', { expression: AXE });
	return page.evaluate(async () => {
		const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
		const { violations } = await axe.run();
		interface Violation {
			readonly id: string;
			readonly impact: string;
			readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
		}
		return violations
			.filter(({ impact }) => impact === 'serious' || impact === 'critical')
			.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
	});
}

it('costs one watcher and one request in ten seconds', async () => {
	const costs = async (path: string, sockets: number) => {
		const page = await dashboard.open('/', { key: ADMIN });
		// By the clock of the page, whatever the machine does meanwhile.
		await page.clock.install();
		let opened = 0;
		page.on('websocket', () => opened++);
		await visit(page, path);
		const clock = () => page.evaluate(() => Date.now());
		const asked: string[] = [];
		const beganAt = await clock();
		page.on('request', (request) => asked.push(request.url()));
		// Less than the time after which a silent socket is taken for a dead one.
		await page.clock.runFor(19_000);
		const most = Math.ceil(((await clock()) - beganAt) / 10_000);
		expect(asked.length, asked.join(' ')).toBeLessThanOrEqual(most);
		expect([path, opened]).toEqual([path, sockets]);
	};
	await Promise.all([costs('/', 0), costs(`/jobs/${jobs.running}`, 1), costs('/jobs', 0)]);
});
