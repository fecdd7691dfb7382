/** The recipes of `docs/recipes`, run as they stand. */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../demo/local-worker.ts';
import { createClient } from '../../src/client/index.ts';
import { NEWCOMERS_FILES } from './newcomer.ts';
import { blockWith, readRecipe, Workshop } from './recipe.ts';
import { type Server, startServer } from './server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const API_KEY = `ck_recipes_${'x'.repeat(32)}`;
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const JOB_ID = '0123456789abcdef'.repeat(4);
const SECRETS = {
	AUTH: 'required',
	API_KEYS: JSON.stringify([
		{
			id: 'recipes',
			tenant: 'acme',
			sha256: createHash('sha256').update(API_KEY).digest('hex'),
			scopes: ['submit', 'read', 'cancel'],
		},
	]),
	WEBHOOK_SECRETS: JSON.stringify([WEBHOOK_SECRET]),
};

let server: Server;
beforeAll(async () => {
	server = await startServer(SECRETS);
});
afterAll(() => server?.stop());

/** A recipe's blocks, and a folder with its files. */
async function open(name: string) {
	const blocks = await readRecipe(name);
	const environment = { COATCHECK_URL: server.origin, COATCHECK_API_KEY: API_KEY, WEBHOOK_SECRET };
	const workshop = await Workshop.open(blocks, environment);
	onTestFinished(() => workshop.close());
	return { block: (text: string) => blockWith(blocks, text), workshop };
}

describe('the list of recipes', () => {
	it('names every page', async () => {
		const list = await readFile(join(ROOT, 'docs/recipes/README.md'), 'utf8');
		const named = [...list.matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, page]) => page);
		const pages = (await readdir(join(ROOT, 'docs/recipes'))).filter((page) => page.endsWith('.md'));
		expect(named.sort()).toEqual(pages.filter((page) => page !== 'README.md').sort());
	});
});

describe('come-back-tomorrow.md', () => {
	it('reads the result in another process, with nothing but the saved URL', async () => {
		const { workshop, block } = await open('come-back-tomorrow.md');
		expect(await workshop.node('submit.mjs')).toBe('saved\n');
		expect(await workshop.node('fetch-result.mjs', { COATCHECK_API_KEY: '' })).toBe(block('{ sleptSeconds'));
	});
});

describe('cron.md', () => {
	it('makes one job a day, however often it runs', async () => {
		const { workshop, block } = await open('cron.md');
		// The day must not end between the two runs.
		await writeFile(join(workshop.folder, 'date'), '#!/bin/sh\necho 2026-11-29\n', { mode: 0o755 });
		const PATH = `${workshop.folder}:${process.env.PATH}`;
		const ids: unknown[] = [];
		let printed = '';
		for (let run = 1; run <= 2; run++) {
			printed += await workshop.run('bash', ['nightly.sh'], { PATH });
			ids.push((JSON.parse(await readFile(join(workshop.folder, 'nightly.json'), 'utf8')) as { id: string }).id);
		}
		expect(ids[0]).toMatch(/^[0-9a-f]{64}$/);
		expect(ids[1]).toBe(ids[0]);
		expect(printed).toBe(block('202 replayed: true'));
	});
});

describe('github-actions.md', () => {
	/** The step's script and variables, without a YAML parser: the page indents both. */
	async function step() {
		const { workshop, block } = await open('github-actions.md');
		const script =
			block('runs-on')
				.split('run: |\n')[1]
				?.replace(/^ {10}/gm, '') ?? '';
		const input = /INPUT: '(.*)'/.exec(block('runs-on'))?.[1] ?? '';
		const run = (more: Readonly<Record<string, string>> = {}) =>
			workshop.paste(script, { INPUT: input, GITHUB_RUN_ID: crypto.randomUUID(), GITHUB_RUN_ATTEMPT: '1', ...more });
		return { run, block };
	}

	it('waits for the job and prints its result, without showing its token', async () => {
		const { run, block } = await step();
		const printed = await run();
		expect(`${printed}\n`.endsWith(block('succeeded 100 %'))).toBe(true);
		const shown = printed.split('\n').filter((line) => !line.startsWith('::add-mask::'));
		expect(shown.join('\n')).not.toContain('token=');
	});

	it('fails with the error of a job that failed', async () => {
		const { run } = await step();
		const input = JSON.stringify({ seconds: 0, error: { code: 'NoPaper', message: 'The printer is empty' } });
		await expect(run({ INPUT: input })).rejects.toThrow('::error::NoPaper: The printer is empty');
	});

	it('fails with the reason when the job is refused', async () => {
		const { run } = await step();
		await expect(run({ INPUT: '{"seconds":-1}' })).rejects.toThrow('ended with 22');
	});
});

describe.each([
	{ page: 'webhooks-in-node.md', command: process.execPath, file: 'receiver.mjs' },
	{ page: 'webhooks-in-python.md', command: 'python3', file: 'receiver.py' },
])('$page', ({ page, command, file }) => {
	async function startReceiver() {
		const { workshop } = await open(page);
		const port = String(await freePort());
		const { lines } = await workshop.start(command, file, { PORT: port });
		return { workshop, lines, url: `http://127.0.0.1:${port}/` };
	}

	it('receives the end of a job', async () => {
		const { workshop, lines, url } = await startReceiver();
		const submission = blockWith(await readRecipe('webhooks-in-node.md'), 'Coatcheck-Webhook-Url');
		await workshop.paste(submission, { RECEIVER_URL: url });
		const { id } = JSON.parse(await readFile(join(workshop.folder, 'job.json'), 'utf8')) as { id: string };
		await expect.poll(() => lines).toEqual([`job.succeeded ${id} succeeded`]);
	});

	it('prints a delivery once, no event of a topic, and refuses a message that is forged or old', async () => {
		const { lines, url } = await startReceiver();
		const data = { id: JOB_ID, status: 'succeeded', links: { self: `https://jobs.example/v1/jobs/${JOB_ID}` } };
		const body = JSON.stringify({ type: 'job.succeeded', timestamp: new Date().toISOString(), data });
		const send = async (headers: Record<string, string>, text = body) =>
			(await fetch(url, { method: 'POST', body: text, headers })).status;
		const now = Math.floor(Date.now() / 1_000);
		const [first, second] = [3, 4].map((seq) => `${JOB_ID}:${now * 1_000}:${seq}`) as [string, string];
		const event = { seq: 1, type: 'job.succeeded', at: new Date().toISOString(), data };
		const ofTopic = JSON.stringify({ type: event.type, timestamp: event.at, data: event });
		expect(await send(signed(`topic-${first}`, now, ofTopic), ofTopic)).toBe(204);
		expect(await send(signed(first, now, body))).toBe(204);
		expect(await send(signed(first, now, body))).toBe(204);
		expect(await send({ ...signed(second, now, body), 'webhook-id': first })).toBe(401);
		expect(await send(signed(second, now - 3_600, body))).toBe(401);
		expect([400, 401]).toContain(await send({}));
		// What was printed before this one has been read, too.
		expect(await send(signed(second, now, body))).toBe(204);
		const line = `job.succeeded ${JOB_ID} succeeded`;
		await expect.poll(() => lines.length).toBeGreaterThan(1);
		expect(lines).toEqual([line, line]);
	});
});

/** Signs as Standard Webhooks says, with the package of those who wrote it. */
function signed(id: string, atSeconds: number, body: string): Record<string, string> {
	const signature = new Webhook(WEBHOOK_SECRET).sign(id, new Date(atSeconds * 1_000), body);
	return { 'webhook-id': id, 'webhook-timestamp': String(atSeconds), 'webhook-signature': signature };
}

describe('azure-clients.md', () => {
	it('answers 202 until the job is over, and then with the result', async () => {
		const { workshop, block } = await open('azure-clients.md');
		expect(await workshop.paste(block('Coatcheck-On-Pending'))).toBe('{"sleptSeconds":2,"attempt":1}');
	});

	it("is followed by Azure's own poller", async () => {
		const { workshop } = await open('azure-clients.md');
		expect(await workshop.node('poll.mjs')).toBe('{ sleptSeconds: 2, attempt: 1 }\n');
	});
});

describe('hono.md', () => {
	it('answers for Hono and for Coatcheck, and submits jobs in a route', async () => {
		const folder = await mkdtemp(join(tmpdir(), 'coatcheck-hono-'));
		onTestFinished(() => rm(folder, { recursive: true, force: true }));
		await Promise.all(NEWCOMERS_FILES.map((name) => cp(join(ROOT, name), join(folder, name), { recursive: true })));
		await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
		const { workshop, block } = await open('hono.md');
		await writeFile(join(folder, 'src/index.ts'), block('new Hono'));
		await workshop.run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder]);
		// Wrangler runs the build where its own process runs, unless the configuration says otherwise.
		const toml = await readFile(join(folder, 'wrangler.toml'), 'utf8');
		await writeFile(join(folder, 'wrangler.toml'), toml.replace('[build]', `[build]\ncwd = "${folder}"`));
		const hono = await startServer({ ...SECRETS, API_KEY }, folder);
		onTestFinished(() => hono.stop());
		expect(await workshop.paste(block('URL/hello'), { COATCHECK_URL: hono.origin })).toBe('Hello from Hono\n303\n');
		const response = await fetch(`${hono.origin}/reports`, { method: 'POST', redirect: 'manual' });
		const url = response.headers.get('location') ?? '';
		expect(url).toContain('token=');
		expect(await createClient({ baseUrl: hono.origin }).job(url).result()).toEqual({ sleptSeconds: 1, attempt: 1 });
	});
});

/** The last, because it leaves the server with other addresses. */
describe('two-host-names.md', () => {
	it('gives each client links of the address that it called, and they work there', async () => {
		const { workshop, block } = await open('two-host-names.md');
		const ports = [await freePort(), await freePort()];
		const [first, second] = ports.map((port) => `127.0.0.1:${port}`) as [string, string];
		for (const port of ports) await workshop.start(process.execPath, 'gateway.mjs', { PORT: String(port) });
		const publicUrl = /PUBLIC_URL = "(.*)"/.exec(block('[vars]'))?.[1] ?? '';
		const local = publicUrl
			.replaceAll('https:', 'http:')
			.replace('api.example', first)
			.replace('jobs.internal.example', second);
		await server.redeploy({ ...SECRETS, PUBLIC_URL: local });
		const shapes = block('https://api.example/jobs/v1/jobs/…').trim().split('\n');
		for (const [at, baseUrl] of local.split(',').entries()) {
			const client = createClient({ baseUrl, apiKey: API_KEY });
			const job = client.submit('sleep', { seconds: 0.5 });
			expect(await job.result()).toEqual({ sleptSeconds: 0.5, attempt: 1 });
			const shape = shapes[at]
				?.replace('https:', 'http:')
				.replace('api.example', first)
				.replace('jobs.internal.example', second);
			expect((await job.url).startsWith(shape?.replace('…', '') ?? '-')).toBe(true);
		}
	});
});
