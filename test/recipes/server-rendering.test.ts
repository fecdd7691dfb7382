/**
 * The recipe `docs/recipes/server-rendering.md`, built by the framework that it names and opened in a real Chromium.
 * `npm run test:recipes` installs the framework first.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../demo/local-worker.ts';
import { createClient } from '../../src/client/index.ts';
import { key, keyed, launchChromium } from '../browser/dashboard.ts';
import { installPackage, readRecipe } from '../interop/recipe.ts';
import { type Server, startServer } from '../interop/server.ts';

const FRAMEWORK = fileURLToPath(new URL('astro', import.meta.url));
/** The reader's folder. The framework's packages are in the folder above. */
const SITE = join(FRAMEWORK, 'out');
const KEY = key('submit', 'read');
const ADMIN = key('admin');
const OTHER = 'f'.repeat(64);
/** What the server says of a job that it has just submitted. */
const UNFINISHED = /<p role="status">(pending|running)/;

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
	const ended = once(child, 'exit').then(([code]) => {
		throw new Error(`The site ended with ${code} before it answered`);
	});
	await Promise.race([ended, vi.waitFor(() => fetch(`${site}favicon.ico`))]);
	ended.catch(() => {});
}

beforeAll(async () => {
	await writeSite();
	await installPackage(join(SITE, 'node_modules'));
	await buildSite();
	const port = await freePort();
	[server, browser] = await Promise.all([
		startServer({ ...keyed([KEY, ADMIN]), CORS_ORIGINS: `http://127.0.0.1:${port}` }),
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
	// On a machine that stops for three seconds, the job may have ended before the server asks for its status.
	const html = await vi.waitFor(async () => {
		const html = await (await fetch(site)).text();
		expect(html).toMatch(UNFINISHED);
		return html;
	});
	expect(html).not.toContain(KEY.secret);

	const page = await browser.newPage();
	const complaints: string[] = [];
	page.on('console', (message) => {
		if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) complaints.push(message.text());
	});
	page.on('pageerror', ({ message }) => complaints.push(message));
	await page.goto(site);
	await page.getByText('Slept for 3 s').waitFor();
	const saved = await page.context().cookies();
	expect(saved.map(({ name }) => name)).toEqual(['job']);
	await page.reload();
	await page.getByText('Slept for 3 s').waitFor();
	expect((await page.context().cookies()).map(({ value }) => value)).toEqual(saved.map(({ value }) => value));
	expect(complaints).toEqual([]);
});

/** Opens the page as a browser that has this cookie. */
async function openWith(cookie: string) {
	const response = await fetch(site, { headers: { cookie: `job=${encodeURIComponent(cookie)}` } });
	const saved = decodeURIComponent(/^job=([^;]*)/.exec(response.headers.get('set-cookie') ?? '')?.[1] ?? '');
	return { status: response.status, html: await response.text(), saved };
}

it('saves the URL in a cookie that scripts, other sites and plain HTTP do not get, for a day', async () => {
	const { headers } = await fetch(site);
	const [value, ...attributes] = (headers.get('set-cookie') ?? '').split('; ');
	expect(value).toMatch(/^job=/);
	expect(attributes.toSorted()).toEqual(['HttpOnly', 'Max-Age=86400', 'Path=/', 'SameSite=Lax', 'Secure']);
});

it('shows the same job to the same browser', async () => {
	const { saved } = await openWith('');
	expect(saved.startsWith(`${server.origin}/v1/jobs/`)).toBe(true);
	expect(await openWith(saved)).toMatchObject({ status: 200, saved });
});

it('calls no other address, whatever the cookie says', async () => {
	const asked: (string | undefined)[] = [];
	const stranger = createServer((request, response) => {
		asked.push(request.headers.authorization);
		response.end('{}');
	}).listen(0, '127.0.0.1');
	onTestFinished(() => void stranger.close());
	await once(stranger, 'listening');
	const { port } = stranger.address() as AddressInfo;
	const path = `/v1/jobs/${OTHER}?token=t`;
	const cookies = [
		`http://127.0.0.1:${port}${path}`,
		`${server.origin}@127.0.0.1:${port}${path}`,
		'file:///etc/passwd',
	];
	for (const cookie of cookies) {
		const { status, saved } = await openWith(cookie);
		expect(status).toBe(200);
		expect(saved.startsWith(`${server.origin}/v1/jobs/`)).toBe(true);
	}
	expect(asked).toEqual([]);
});

it("does not lend the server's key to a browser that knows no more than a job's id", async () => {
	const job = createClient({ baseUrl: server.origin, apiKey: KEY.secret }).submit('sleep', { seconds: 0 });
	const id = await job.id;
	const { status, saved } = await openWith(`${server.origin}/v1/jobs/${id}`);
	expect(status).toBe(200);
	expect(saved).not.toContain(id);
});

it('submits another job when the saved one is gone, unknown, or no job at all', async () => {
	const job = createClient({ baseUrl: server.origin, apiKey: ADMIN.secret }).submit('sleep', { seconds: 0 });
	const url = await job.url;
	await job.result();
	const headers = { authorization: `Bearer ${ADMIN.secret}` };
	const purged = await fetch(`${server.origin}/v1/jobs/${await job.id}/purge`, { method: 'POST', headers });
	expect(purged.status).toBe(204);
	const useless = [url, `${server.origin}/v1/jobs/${OTHER}?token=t`, `${server.origin}/v1/jobs/x`, 'x'];
	for (const cookie of useless) {
		const { status, html, saved } = await openWith(cookie);
		expect([cookie, status]).toEqual([cookie, 200]);
		expect(html).toContain('<p role="status">');
		expect(saved.startsWith(`${server.origin}/v1/jobs/`)).toBe(true);
		expect(saved).not.toBe(cookie);
	}
});
