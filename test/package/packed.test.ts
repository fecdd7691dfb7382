/**
 * The package as it is published: packed, checked, and installed into an empty folder with the Node of this machine, from the registry. Then
 * the commands of docs/package.md, as a user types them.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../demo/local-worker.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAX_START_BYTES = 120 * 1_024;
/** The first installation downloads wrangler and its runtime. */
const LIMIT_MS = 300_000;
/** The user's: without the Node of this repository, and without its settings. */
const ENV = Object.fromEntries(
	Object.entries({
		...process.env,
		PATH: process.env.PATH?.split(delimiter)
			.filter((folder) => !folder.includes('node_modules'))
			.join(delimiter),
		WRANGLER_SEND_METRICS: 'false',
		CLOUDFLARE_CF_FETCH_ENABLED: 'false',
	}).filter(([name]) => !/^npm_|^(NODE_OPTIONS|NODE_ENV|VITEST.*)$/.test(name)),
);

const RECEIVER = `import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { verifyDelivery } from 'coatcheck/webhook';

const server = createServer(async (request, response) => {
	const body = await buffer(request);
	try {
		const event = await verifyDelivery({ headers: request.headers, body }, { secret: process.env.SECRET });
		console.log(JSON.stringify(event));
		response.writeHead(204).end();
	} catch (error) {
		console.log(JSON.stringify({ rejected: error.code ?? String(error) }));
		response.writeHead(error.status ?? 500).end();
	}
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

let temporary: string;
let archive: string;
let folder: string;
const seconds: [command: string, seconds: string][] = [];

async function run(command: string, args: readonly string[], cwd = folder): Promise<string> {
	const startedAt = performance.now();
	try {
		const { stdout } = await promisify(execFile)(command, args, { cwd, env: ENV, timeout: LIMIT_MS });
		return stdout;
	} catch (error) {
		const { stdout, stderr, killed } = error as { stdout: string; stderr: string; killed: boolean };
		const how = killed ? `did not end within ${LIMIT_MS / 1_000} s` : 'failed';
		throw new Error(`${command} ${args.join(' ')} ${how}: ${stdout}${stderr}`, { cause: error });
	} finally {
		seconds.push([`${command} ${args.slice(0, 2).join(' ')}`, ((performance.now() - startedAt) / 1_000).toFixed(1)]);
	}
}

/** Starts a program, and ends it after the test. @returns what it has written, so far. */
function start(command: string, args: readonly string[], env: Record<string, string> = {}): () => string {
	const options = { cwd: folder, detached: true, env: { ...ENV, ...env } };
	const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
	let said = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += String(text)));
	const ended = new Promise<void>((resolve) => {
		child.once('close', (code) => {
			said += `(It ended with ${code})`;
			resolve();
		});
	});
	onTestFinished(async () => {
		if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
		await ended;
	});
	return () => said;
}

beforeAll(async () => {
	temporary = await mkdtemp(join(tmpdir(), 'coatcheck-package-'));
	folder = join(temporary, 'shop');
	await mkdir(folder);
	const output = await run('npm', ['pack', '--silent', '--pack-destination', temporary], ROOT);
	archive = join(temporary, output.trim().split('\n').at(-1) ?? '');
}, LIMIT_MS);

afterAll(async () => {
	await rm(temporary, { recursive: true, force: true });
	console.log(seconds.map(([command, took]) => `${took.padStart(6)} s  ${command}`).join('\n'));
});

describe('the package', () => {
	it('is published as it should be, and its types resolve, as publint and attw say', async () => {
		const node = process.execPath;
		await run(node, [join(ROOT, 'node_modules/publint/src/cli.js'), archive, '--strict'], ROOT);
		const attw = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');
		// ES modules only: `require` of them works since Node 20.19, and the resolution of before Node 12 knows no `exports`.
		await run(node, [attw, archive, '--profile', 'esm-only'], ROOT);
	});

	it(
		'leads from an empty folder to a job of one’s own in five commands, and to a verified webhook',
		async () => {
			await run('npm', ['install', archive]);
			await run('npx', ['coatcheck', 'init', '--yes']);
			await run('npm', ['install']);
			const port = await freePort();
			const url = `http://127.0.0.1:${port}`;
			const startedAt = performance.now();
			const said = start('npx', ['coatcheck', 'dev', '--', '--ip', '127.0.0.1', '--port', String(port)]);
			await expect.poll(said, { timeout: 120_000 }).toContain(`Ready on ${url}`);
			seconds.push(['npx coatcheck dev', ((performance.now() - startedAt) / 1_000).toFixed(1)]);
			const submit = ['coatcheck', 'submit', 'greet', '--input', '{"name":"Ann"}', '--wait', '--url', url];
			expect(await run('npx', submit)).toBe('{"greeting":"Hello, Ann"}\n');

			await writeFile(join(folder, 'receiver.mjs'), RECEIVER);
			const [SECRET = ''] = /whsec_[\w+/=]+/.exec(await readFile(join(folder, '.dev.vars'), 'utf8')) ?? [];
			const received = start('node', ['receiver.mjs'], { SECRET });
			await expect.poll(received).toMatch(/^\d+\n/);
			const response = await fetch(`${url}/v1/tasks/greet/jobs`, {
				method: 'POST',
				headers: {
					'content-type': 'application/json',
					'coatcheck-webhook-url': `http://127.0.0.1:${received().trim()}/hook`,
				},
				body: '{"name":"Ann"}',
			});
			expect(response.status).toBe(202);
			const { id } = (await response.json()) as { id: string };
			await expect.poll(received, { timeout: 60_000 }).toContain('job.');
			const event = JSON.parse(received().split('\n')[1] ?? '');
			expect(event).toMatchObject({ type: 'job.succeeded', subject: id, data: { status: 'succeeded' } });
			await fetch(`http://127.0.0.1:${received().split('\n')[0]}/`, { method: 'POST', body: '{}' });
			await expect.poll(received).toContain('{"rejected":"MissingHeader"}');
		},
		2 * LIMIT_MS,
	);

	it(
		'runs with the shortest configuration of docs/package.md, and without bindings of objects',
		async () => {
			const page = await readFile(join(ROOT, 'docs/package.md'), 'utf8');
			const [, toml = ''] = /```toml\n(name = [\s\S]*?)```/.exec(page) ?? [];
			const [, worker = ''] = /```ts\n(import \{ coatcheck[\s\S]*?)```/.exec(page) ?? [];
			await writeFile(join(folder, 'src/shortest.ts'), worker);
			await writeFile(join(folder, 'shortest.toml'), toml.replace('src/index.ts', 'src/shortest.ts'));
			const port = await freePort();
			const url = `http://127.0.0.1:${port}`;
			const address = ['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'];
			// Not the objects of the Worker that ran in this folder before.
			const state = ['--persist-to', join(temporary, 'state')];
			const said = start('npx', ['wrangler', 'dev', '--config', 'shortest.toml', ...address, ...state]);
			await expect.poll(said, { timeout: 120_000 }).toContain(`Ready on ${url}`);
			const submit = ['coatcheck', 'submit', 'greet', '--input', '{"name":"Ann"}', '--wait', '--url', url];
			expect(await run('npx', submit)).toBe('{"greeting":"Hello, Ann"}\n');
			const listed = async () => (await fetch(`${url}/v1/jobs`)).json();
			await expect.poll(listed).toMatchObject({ jobs: [{ task: 'greet', status: 'succeeded' }] });
			expect((await fetch(`${url}/`)).status).toBe(404);
		},
		LIMIT_MS,
	);

	it(
		'has types for a Worker, and bundles it within 120 KiB at the start, or whole by wrangler',
		async () => {
			await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder]);
			const built = JSON.parse(await run('npx', ['coatcheck', 'build', '--json']));
			expect(built.entry).toBe('dist/index.mjs');
			expect(built.startBytes).toBeGreaterThan(MAX_START_BYTES / 2);
			expect(built.startBytes).toBeLessThanOrEqual(MAX_START_BYTES);
			const whole = await run('npx', ['wrangler', 'deploy', '--dry-run', '--minify', '--outdir', 'out']);
			console.log(JSON.stringify(built), /Total Upload: .*/.exec(whole)?.[0]);
			expect(whole).toContain('--dry-run: exiting now');
		},
		LIMIT_MS,
	);
});
