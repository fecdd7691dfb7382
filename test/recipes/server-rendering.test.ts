/**
 * The recipe `docs/recipes/server-rendering.md`, built by the framework that it names and opened in a real Chromium.
 * `npm run test:recipes` installs the framework first.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freePort } from '../../demo/local-worker.ts';
import { key, keyed, launchChromium } from '../browser/dashboard.ts';
import { installPackage, readRecipe } from '../interop/recipe.ts';
import { type Server, startServer } from '../interop/server.ts';

const FRAMEWORK = fileURLToPath(new URL('astro', import.meta.url));
/** The reader's folder. The framework's packages are in the folder above. */
const SITE = join(FRAMEWORK, 'out');
const KEY = key('submit', 'read');
const START_TIMEOUT_MS = 30_000;

let server: Server;
let browser: Browser;
let site: string;
let stopSite = () => {};

async function writeSite(): Promise<void> {
	await rm(SITE, { recursive: true, force: true });
	for (const { file, text: contents } of await readRecipe('server-rendering.md')) {
		if (file === undefined) continue;
		await mkdir(dirname(join(SITE, file)), { recursive: true });
		await writeFile(join(SITE, file), contents);
	}
	// The framework looks here for the packages that it has to bundle.
	await cp(join(FRAMEWORK, 'package.json'), join(SITE, 'package.json'));
}

async function buildSite(): Promise<void> {
	const astro = join(FRAMEWORK, 'node_modules/astro/bin/astro.mjs');
	const child = spawn(process.execPath, [astro, 'build', '--root', SITE], {
		cwd: SITE,
		env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const printed = Promise.all([text(child.stdout), text(child.stderr)]);
	const code = await new Promise((resolve) => child.once('close', resolve));
	if (code !== 0) throw new Error(`astro build ended with ${code}: ${(await printed).join('\n')}`);
}

async function startSite(port: number): Promise<void> {
	const child = spawn(process.execPath, [join(SITE, 'dist/server/entry.mjs')], {
		env: {
			...process.env,
			...{ HOST: '127.0.0.1', PORT: String(port), COATCHECK_URL: server.origin, COATCHECK_API_KEY: KEY.secret },
		},
		stdio: 'inherit',
	});
	stopSite = () => child.kill();
	site = `http://127.0.0.1:${port}/`;
	await vi.waitFor(() => fetch(`${site}favicon.ico`), { timeout: START_TIMEOUT_MS });
}

beforeAll(async () => {
	await writeSite();
	await installPackage(join(SITE, 'node_modules'));
	await buildSite();
	const port = await freePort();
	[server, browser] = await Promise.all([
		startServer({ ...keyed([KEY]), CORS_ORIGINS: `http://127.0.0.1:${port}` }),
		launchChromium(),
	]);
	await startSite(port);
});

afterAll(async () => {
	stopSite();
	await browser?.close();
	await server?.stop();
	await rm(SITE, { recursive: true, force: true });
});

it('shows the status in the HTML of the server, and the progress and the result in the browser', async () => {
	const response = await fetch(site);
	const html = await response.text();
	expect(html).toMatch(/<p role="status">(pending|running)/);
	expect(html).not.toContain(KEY.secret);

	const page = await browser.newPage();
	const complaints: string[] = [];
	page.on('console', (message) => {
		if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) complaints.push(message.text());
	});
	page.on('pageerror', ({ message }) => complaints.push(message));
	await page.goto(site);
	await page.getByText('Slept for 3 s').waitFor();
	await page.reload();
	await page.getByText('Slept for 3 s').waitFor();
	expect(complaints).toEqual([]);
});
