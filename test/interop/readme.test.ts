/** The commands of the README, and one of docs/tasks.md, pasted as they stand; only the port is another one. */
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../demo/local-worker.ts';
import { NEWCOMERS_FILES } from './newcomer.ts';
import { type Server, startServer } from './server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const REPORT_API = join(ROOT, 'demo/report-api.ts');
const LINKED = ['demo', 'node_modules'];
const ADDRESS = 'localhost:8787';
const TIMEOUT_MS = 60_000;

const run = promisify(execFile);

interface Block {
	readonly language: string;
	readonly text: string;
}

async function readBlocks(path: string): Promise<Block[]> {
	const page = await readFile(join(ROOT, path), 'utf8');
	return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ language, text }));
}

let folder: string;
let server: Server;
let stopReports: () => void;
const blocks = await readBlocks('README.md');
const blocksAboutTasks = await readBlocks('docs/tasks.md');

function blockWith(text: string, page: readonly Block[] = blocks): string {
	const found = page.filter((block) => block.text.includes(text));
	expect(found, `the block with ${text}`).toHaveLength(1);
	return found[0]?.text ?? '';
}

/** @returns what the commands print. */
async function paste(...commands: readonly string[]): Promise<string> {
	const script = commands.join('\n').replaceAll(ADDRESS, new URL(server.origin).host);
	const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, timeout: TIMEOUT_MS });
	return stdout;
}

/** Wrangler runs the build where its own process runs, unless the configuration says otherwise. */
async function buildInFolder(): Promise<void> {
	const file = join(folder, 'wrangler.toml');
	const toml = await readFile(file, 'utf8');
	await writeFile(file, toml.replace('[build]', `[build]\ncwd = "${folder}"`));
}

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'coatcheck-readme-'));
	await Promise.all(NEWCOMERS_FILES.map((name) => cp(join(ROOT, name), join(folder, name), { recursive: true })));
	await Promise.all(LINKED.map((name) => symlink(join(ROOT, name), join(folder, name))));
	await buildInFolder();
	await addTask();
	const port = String(await freePort());
	const reports = spawn(process.execPath, [REPORT_API, port], { stdio: 'ignore' });
	stopReports = () => reports.kill();
	const upstreams = /--var UPSTREAMS:'(.*)'$/m.exec(blockWith('--var UPSTREAMS'))?.[1] ?? '';
	server = await startServer({ UPSTREAMS: upstreams.replace('38311', port) }, folder);
});

afterAll(async () => {
	await server?.stop();
	stopReports?.();
	await rm(folder, { recursive: true, force: true });
});

/** As the page says: the file, its import, its name in the list. */
async function addTask(): Promise<void> {
	await writeFile(join(folder, 'src/tasks/greet.ts'), blockWith("name: 'greet'"));
	const index = join(folder, 'src/tasks/index.ts');
	const source = await readFile(index, 'utf8');
	const listed = source.replace('export const tasks = [', 'export const tasks = [greet, ');
	await writeFile(index, `import { greet } from './greet.ts';\n${listed}`);
}

describe('the README', () => {
	it('has every kind of block that is tried here, and no other', () => {
		expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['sh', 'console', 'js', 'ts']));
	});

	it('submits, polls, and follows the redirect to the result', async () => {
		const submit = blockWith('LOCATION=$(');
		const head = await paste(submit, blockWith('curl -i "$LOCATION"'));
		expect(head).toMatch(/^HTTP\/1.1 200 OK/);
		expect(head.toLowerCase()).toContain('retry-after:');
		const location = await paste(submit, 'printf %s "$LOCATION"');
		// On a busy machine the job may need longer than the page's pause.
		const result = await vi.waitFor(
			async () => {
				const read = JSON.parse(await paste(`LOCATION='${location}'`, blockWith('curl -L "$LOCATION"')));
				expect(read).not.toHaveProperty('status');
				return read;
			},
			{ timeout: TIMEOUT_MS },
		);
		expect(result).toEqual({ sleptSeconds: 3, attempt: 1 });
	});

	it('shows the events that a socket receives', async () => {
		const script = blockWith('new WebSocket').replaceAll(ADDRESS, new URL(server.origin).host);
		const end = "\nawait new Promise((end) => socket.addEventListener('close', end));";
		const args = ['--input-type=module', '-e', script + end];
		const { stdout } = await run(process.execPath, args, { timeout: TIMEOUT_MS });
		const lines = stdout.trim().split('\n');
		expect(lines[0]).toBe('1 accepted undefined');
		expect(lines.at(-1)).toMatch(/^\d+ succeeded 100$/);
	});

	it('adds a task, which passes the type check and answers as shown', async () => {
		await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: folder });
		const [command = '', output] = blockWith('/v1/tasks/greet/jobs').split('\n');
		expect(await paste(command.replace(/^\$ /, ''))).toBe(output);
	});

	it('makes a thumbnail', async () => {
		await paste(blockWith('small.jpg', blocksAboutTasks));
		const bytes = await readFile(join(folder, 'small.jpg'));
		expect([...bytes.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
	});

	it('shows the end of what the demo of topics prints', async () => {
		const [command, ...lines] = blockWith('demo:topics').trimEnd().split('\n');
		expect(command).toBe('$ npm run demo:topics');
		const demo = run(process.execPath, [join(ROOT, 'demo/topics.ts')], {
			cwd: ROOT,
			// The demo waits for the line with which wrangler says that it is ready.
			env: { ...process.env, WRANGLER_LOG: 'log' },
			timeout: 2 * TIMEOUT_MS,
		});
		// The sizes depend on the libraries that make the pictures.
		const shown = (line: string) => line.replace(/\d+ bytes/g, 'some bytes');
		const printed = (await demo).stdout.split('\n').map(shown);
		expect(printed.filter((line) => lines.map(shown).includes(line))).toEqual(lines.map(shown));
	});

	it('puts a slow API behind it', async () => {
		expect(await paste(blockWith('/v1/upstreams/report/reports'))).toMatch(/^HTTP\/1.1 202 Accepted/);
	});

	it('makes the two secrets of a deployment', async () => {
		const shown = await paste(blockWith('npm run key'));
		const file = (name: string) => readFile(join(folder, name), 'utf8');
		expect(shown).toContain('ck_');
		expect(await file('api-keys.json')).not.toContain('ck_');
		expect(Buffer.from(JSON.parse(await file('signing-keys.json')).k1, 'base64')).toHaveLength(32);
	});
});
