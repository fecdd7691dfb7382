/** The dashboard as a person meets it: Debian's Chromium in front of `wrangler dev`. */
import { createHash } from 'node:crypto';
import {
	type Browser,
	type BrowserContext,
	type BrowserContextOptions,
	chromium,
	type Page,
	type Request,
} from 'playwright-core';
import type { StatusDocument } from '../../src/client/index.ts';
import { type Secrets, type Server, startServer } from '../interop/server.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
	...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
	...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
/** As in `test/patience.ts`. */
export const PATIENCE_MS = 90_000;
/** Of a request that was refused, as a test may want it. */
const REFUSED = 'Failed to load resource: the server responded with a status of';

export interface Key {
	readonly secret: string;
	readonly scopes: readonly string[];
}

export function key(...scopes: string[]): Key {
	return { secret: `ck_${scopes.join('-')}_${'x'.repeat(32)}`, scopes };
}

/** The settings of a deployment that asks for one of these keys. */
export function keyed(keys: readonly Key[]): Secrets {
	const entries = keys.map(({ secret, scopes }) => ({
		id: scopes.join('-'),
		tenant: 'acme',
		sha256: createHash('sha256').update(secret).digest('hex'),
		scopes,
	}));
	return { AUTH: 'required', API_KEYS: JSON.stringify(entries) };
}

export interface Opened extends BrowserContextOptions {
	/** The key to sign in with. Default: the deployment is open. */
	readonly key?: Key;
}

export class Dashboard {
	readonly #browser: Browser;
	readonly #server: Server;
	/** Errors and warnings in the console of any page, and scripts that failed. */
	readonly complaints: string[] = [];
	#contexts: BrowserContext[] = [];
	/** The requests of each page that have no answer yet. Streams, which have no end, are left out. */
	readonly #unanswered = new WeakMap<Page, Set<Request>>();

	constructor(browser: Browser, server: Server) {
		this.#browser = browser;
		this.#server = server;
	}

	get origin(): string {
		return this.#server.origin;
	}

	/** Opens a page in a new tab that knows no other. */
	async open(path: string, { key, ...options }: Opened = {}): Promise<Page> {
		const context = await this.#browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
		this.#contexts.push(context);
		context.setDefaultTimeout(PATIENCE_MS);
		const page = await context.newPage();
		this.#listen(page);
		page.on('console', (message) => {
			const isBad = message.type() === 'error' || message.type() === 'warning';
			if (isBad && !message.text().startsWith(REFUSED)) this.complaints.push(message.text());
		});
		page.on('pageerror', ({ message }) => this.complaints.push(message));
		await page.goto(this.origin + path);
		if (key) await signIn(page, key);
		await page.locator('h1').first().waitFor();
		return page;
	}

	/** Goes to a page of the same tab, and waits until it shows all that it has asked for. */
	async visit(page: Page, path: string): Promise<void> {
		this.#unanswered.get(page)?.clear();
		await page.goto(this.origin + path);
		await page.locator('main h1').waitFor();
		await page.waitForFunction(() => !document.querySelector('main .loading'));
		// What is shown may ask for more.
		do {
			for (const request of this.#unanswered.get(page) ?? []) await request.response().catch(() => {});
			await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
		} while (this.#unanswered.get(page)?.size);
	}

	#listen(page: Page): void {
		const unanswered = new Set<Request>();
		this.#unanswered.set(page, unanswered);
		page.on('request', (request) => {
			if (!request.headers().accept?.includes('event-stream')) unanswered.add(request);
		});
		page.on('requestfinished', (request) => unanswered.delete(request));
		page.on('requestfailed', (request) => unanswered.delete(request));
	}

	/** Closes all tabs. Each page that stays open asks again every ten seconds. */
	async closePages(): Promise<void> {
		// A socket that is about to open complains when its page is closed.
		for (const page of this.#contexts.flatMap((context) => context.pages())) page.removeAllListeners();
		await Promise.all(this.#contexts.map((context) => context.close()));
		this.#contexts = [];
	}

	/** Sends a request to the API. */
	async send<Value>(path: string, init: RequestInit & { readonly key?: Key } = {}): Promise<Value> {
		const headers = new Headers(init.headers);
		if (init.key) headers.set('authorization', `Bearer ${init.key.secret}`);
		if (init.body && !headers.has('content-type')) headers.set('content-type', 'application/json');
		const response = await fetch(this.origin + path, { ...init, headers });
		const text = await response.text();
		if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
		return JSON.parse(text) as Value;
	}

	/** Submits a job of the task `sleep`. */
	submit(input: object, headers: Record<string, string> = {}, by?: Key): Promise<StatusDocument> {
		const init = { method: 'POST', headers, body: JSON.stringify(input), ...(by && { key: by }) };
		return this.send('/v1/tasks/sleep/jobs', init);
	}

	/** Waits until the job has ended, and is in the list as ended. */
	async ended(id: string, by?: Key): Promise<StatusDocument> {
		const init = by ? { key: by } : {};
		for (;;) {
			const job = await this.send<StatusDocument>(`/v1/operations/${id}`, { headers: { prefer: 'wait=20' }, ...init });
			const isOver = job.finishedAt !== undefined;
			const { jobs } = await this.send<{ jobs: StatusDocument[] }>(
				`/v1/jobs?status=${job.status}&correlationId=${encodeURIComponent(job.correlationId)}`,
				init,
			);
			if (isOver && jobs.some((listed) => listed.id === id)) return job;
			await new Promise((resolve) => setTimeout(resolve, 200));
		}
	}

	async stop(): Promise<void> {
		await this.#browser.close();
		await this.#server.stop();
	}
}

export async function signIn(page: Page, { secret }: Key): Promise<void> {
	await page.getByLabel('API key').fill(secret);
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

export function launchChromium(): Promise<Browser> {
	return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

export async function startDashboard(secrets: Secrets = {}): Promise<Dashboard> {
	const [server, browser] = await Promise.all([startServer(secrets), launchChromium()]);
	return new Dashboard(browser, server);
}
