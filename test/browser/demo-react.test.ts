/** The example page of `demo/react`, as a person uses it. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../interop/server.ts';
import { launchChromium } from './dashboard.ts';
import { type PageServer, servePage } from './page-server.ts';

let pages: PageServer;
let server: Server;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
	[server, browser] = await Promise.all([startServer(), launchChromium()]);
	pages = await servePage({
		script: 'demo/react/main.tsx',
		define: { COATCHECK_URL: JSON.stringify(server.origin) },
	});
	await server.redeploy({ CORS_ORIGINS: pages.origin });
	page = await browser.newPage();
	page.on('pageerror', ({ message }) => complaints.push(message));
	await page.goto(pages.origin);
});

afterAll(async () => {
	await browser?.close();
	await server?.stop();
	await pages?.stop();
});

async function submit(seconds: number): Promise<void> {
	await page.getByLabel('Seconds').fill(String(seconds));
	await page.getByRole('button', { name: 'Submit' }).click();
}

const status = () => page.getByRole('status').textContent();

describe('the example page', () => {
	it('shows the progress of a job, and its result', async () => {
		// The page itself records what it shows: this process may look too late.
		await page.evaluate(() => {
			const percents: number[] = [];
			const look = () => {
				const bar = document.querySelector('progress');
				if (bar) percents.push(bar.value);
			};
			new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
			Object.assign(globalThis, { percents });
		});
		await submit(3);
		await page.getByText('Slept for 3 s.').waitFor();
		expect(await status()).toBe('succeeded');
		const percents = await page.evaluate(() => (globalThis as unknown as { percents: number[] }).percents);
		expect(percents.filter((percent) => percent > 0 && percent < 100)).not.toEqual([]);
	});

	it('opens with an address that was cut', async () => {
		await page.goto(`${pages.origin}/?cut#%E`);
		await page.getByLabel('Seconds').waitFor();
		expect(await status()).toBe('idle');
	});

	it('finds the job again after a reload, and cancels it', async () => {
		await submit(60);
		await expect.poll(status).toBe('running');
		await page.reload();
		await expect.poll(status).toBe('running');
		await page.getByRole('button', { name: 'Cancel' }).click();
		await expect.poll(status).toBe('canceled');
		expect(await page.getByRole('alert').textContent()).toBe('The job was canceled and has no result');
		expect(complaints).toEqual([]);
	});
});
