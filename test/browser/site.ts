/** A page in a real Chromium, and the deployment that it calls from another origin. */
import type { Browser, Page } from 'playwright-core';
import { type Server, startServer } from '../interop/server.ts';
import { key, keyed, launchChromium, PATIENCE_MS } from './dashboard.ts';
import { type PageServer, servePage } from './page-server.ts';

/** The only key of the deployment. */
export const KEY = key('submit', 'read', 'cancel', 'operate');

export class Site {
	readonly pages: PageServer;
	readonly server: Server;
	readonly #browser: Browser;
	#page: Page | undefined;

	constructor(pages: PageServer, server: Server, browser: Browser) {
		this.pages = pages;
		this.server = server;
		this.#browser = browser;
	}

	/** A new page, in place of the last one. It has no address yet. */
	async newPage(): Promise<Page> {
		await this.#page?.close();
		this.#page = await this.#browser.newPage();
		this.#page.setDefaultTimeout(PATIENCE_MS);
		return this.#page;
	}

	async stop(): Promise<void> {
		await this.#browser.close();
		await this.server.stop();
		await this.pages.stop();
	}
}

/** @param script of the page, relative to the repository. */
export async function startSite(script: string): Promise<Site> {
	const pages = await servePage({ script });
	const [server, browser] = await Promise.all([
		startServer({ ...keyed([KEY]), CORS_ORIGINS: pages.origin }),
		launchChromium(),
	]);
	return new Site(pages, server, browser);
}
