/** From an empty folder, and from a Worker that is there, to the first job: with the commands that `init` itself names. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../demo/local-worker.ts';
import { runCommand, runOnTerminal } from './command.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = join(ROOT, 'cli/main.ts');
const QUIET = { WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_HIDE_BANNER: 'true' };

/** A folder with what `npm install` would put there. */
async function makeFolder(files: Readonly<Record<string, string>>): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-init-'));
	onTestFinished(() => rm(folder, { recursive: true, force: true }));
	const all = {
		...files,
		'node_modules/coatcheck/package.json': '{ "name": "coatcheck", "type": "module", "exports": "./index.ts" }',
		'node_modules/coatcheck/index.ts': `export * from '${join(ROOT, 'src/coatcheck.ts')}';\n`,
	};
	for (const [path, text] of Object.entries(all)) {
		await mkdir(dirname(join(folder, path)), { recursive: true });
		await writeFile(join(folder, path), text);
	}
	for (const name of ['wrangler', 'zod', 'node'])
		await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
	return folder;
}

/** Runs `coatcheck dev` until the test ends. @returns the Worker's URL. */
async function startDev(folder: string, options: readonly string[] = []): Promise<string> {
	const port = await freePort();
	const forWrangler = ['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'];
	const child = spawn(process.execPath, [MAIN, 'dev', ...options, '--', ...forWrangler], {
		cwd: folder,
		detached: true,
		env: { ...process.env, ...QUIET },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let said = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += String(text)));
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
	onTestFinished(async () => {
		if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
		await ended;
	});
	await expect.poll(() => said, { timeout: 60_000 }).toContain(`Ready on http://127.0.0.1:${port}`);
	return `http://127.0.0.1:${port}`;
}

const greet = (url: string) => runCommand(['submit', 'greet', '--input', '{"name":"Ann"}', '--wait', '--url', url]);

describe('coatcheck init', () => {
	it('makes a Worker of an empty folder, which runs a first job', async () => {
		const folder = await makeFolder({});
		const dry = await runCommand(['init', folder, '--name', 'shop', '--dry-run']);
		expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing was written') });
		await expect(readFile(join(folder, 'wrangler.jsonc'))).rejects.toThrow('ENOENT');
		const asked = await runCommand(['init', folder, '--name', 'shop']);
		expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('Expected --yes') });
		const { code } = await runOnTerminal(['init', folder, '--name', 'shop'], { input: 'y\n' });
		expect(code).toBe(0);
		expect(await runCommand(['dev', '--check'], { cwd: folder })).toEqual({ code: 0, stdout: '', stderr: '' });
		const doctor = await runCommand(['doctor', '--json'], { cwd: folder });
		expect(JSON.parse(doctor.stdout)).toMatchObject({ config: 'wrangler.jsonc', counts: { error: 0, warning: 0 } });
		const url = await startDev(folder);
		expect(await greet(url)).toEqual({ code: 0, stdout: '{"greeting":"Hello, Ann"}\n', stderr: '' });
		const again = await runCommand(['init', folder, '--yes', '--json']);
		expect(JSON.parse(again.stdout)).toMatchObject({ written: false, changes: [] });
	});

	it('adds to a Worker without changing it, and its entry needs only the lines that are shown', async () => {
		const worker = "export default {\n\tfetch: () => new Response('the shop itself'),\n};\n";
		const toml =
			'# Ours.\nname = "shop"\nmain = "worker.js"\ncompatibility_date = "2026-10-20"\n\n[vars]\nGREETING = "hello"\n';
		const folder = await makeFolder({
			'worker.js': worker,
			'wrangler.toml': toml,
			'package.json': '{ "type": "module" }',
		});
		const { code, stdout } = await runCommand(['init', folder, '--yes', '--json']);
		expect(code).toBe(0);
		const text = async (path: string) => readFile(join(folder, path), 'utf8');
		for (const line of toml.trim().split('\n')) expect(await text('wrangler.toml')).toContain(line);
		expect(await text('worker.js')).toBe(worker);
		expect(JSON.parse(await text('package.json'))).toMatchObject({ type: 'module', dependencies: { zod: '^4.6.6' } });
		const { lines } = JSON.parse(stdout).steps[0] as { lines: string };
		await writeFile(
			join(folder, 'worker.js'),
			lines.replace('// … what it answers now', "return new Response('the shop itself');"),
		);
		const url = await startDev(folder);
		expect(await greet(url)).toMatchObject({ code: 0, stdout: '{"greeting":"Hello, Ann"}\n' });
		expect(await (await fetch(url)).text()).toBe('the shop itself');
	});

	it('lets only the owner read .dev.vars, and says whether it has written', async () => {
		for (const files of [{}, { '.dev.vars': 'A="1"\n', 'wrangler.toml': 'name = "shop"\nmain = "./src/index.ts"\n' }]) {
			const folder = await makeFolder(files);
			const first = await runCommand(['init', folder, '--yes', '--json']);
			expect(JSON.parse(first.stdout)).toMatchObject({ written: true });
			expect((await stat(join(folder, '.dev.vars'))).mode & 0o777).toBe(0o600);
			const second = await runCommand(['init', folder, '--yes', '--json']);
			expect(JSON.parse(second.stdout)).toMatchObject({ written: false, changes: [] });
		}
	});

	it('refuses another name than the Worker has', async () => {
		const folder = await makeFolder({ 'wrangler.toml': 'name = "shop"\n' });
		const refused = await runCommand(['init', folder, '--name', 'store', '--yes']);
		expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('has the name "shop" already') });
	});

	it('leaves every file as it is that is there, whatever it is', async () => {
		const files = { 'src/index.ts': '// mine\n', 'src/tasks/greet.ts': '// mine\n', 'tsconfig.json': '{}\n' };
		const folder = await makeFolder(files);
		expect(await runCommand(['init', folder, '--yes'])).toMatchObject({ code: 0, stderr: '' });
		for (const [path, text] of Object.entries(files)) expect(await readFile(join(folder, path), 'utf8')).toBe(text);
	});

	it('says what is missing before wrangler starts', async () => {
		const folder = await makeFolder({ 'wrangler.toml': 'name = "shop"\nmain = "worker.js"\n' });
		const { code, stdout, stderr } = await runCommand(['dev'], { cwd: folder });
		expect([code, stdout]).toEqual([1, '']);
		for (const said of ['The entry worker.js is not there', 'The lane jobs has no queue', '.dev.vars is not there'])
			expect(stderr).toContain(said);
		expect(await runCommand(['dev', '--json'], { cwd: folder })).toMatchObject({ code: 2, stdout: '' });
		const empty = await runCommand(['doctor'], { cwd: join(folder, 'node_modules') });
		expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('`coatcheck init` writes one') });
	});

	it('checks and runs the environment that was chosen, with its own file of variables', async () => {
		const folder = await makeFolder({});
		await runCommand(['init', folder, '--name', 'shop', '--yes']);
		const config = JSON.parse(await readFile(join(folder, 'wrangler.jsonc'), 'utf8'));
		const queues = JSON.parse(JSON.stringify(config.queues).replaceAll('"shop-', '"shop-staging-'));
		const staging = { queues, ratelimits: config.ratelimits, vars: config.vars };
		await writeFile(join(folder, 'wrangler.jsonc'), JSON.stringify({ ...config, env: { staging } }));
		const check = (args: readonly string[], env = {}) => runCommand(['dev', '--check', ...args], { cwd: folder, env });
		expect(await check(['--env', 'staging'])).toEqual({ code: 0, stdout: '', stderr: '' });
		// In place of .dev.vars, not beside it.
		await writeFile(join(folder, '.dev.vars.staging'), 'GREETING="hello"\n');
		const refused = { code: 1, stderr: expect.stringContaining('wrangler reads .dev.vars.staging in place of') };
		expect(await check(['--env', 'staging'])).toMatchObject(refused);
		expect(await check([], { CLOUDFLARE_ENV: 'staging' })).toMatchObject(refused);
		expect(await check([])).toMatchObject({ code: 0 });
		const late = await runCommand(['dev', '--', '--env=staging'], { cwd: folder });
		expect(late).toMatchObject({ code: 2, stderr: expect.stringContaining('--env: expected --env before --') });
		await writeFile(
			join(folder, '.dev.vars.staging'),
			`${await readFile(join(folder, '.dev.vars'), 'utf8')}DASHBOARD="off"\nOPENAPI="off"\n`,
		);
		const url = await startDev(folder, ['--env', 'staging']);
		expect(await greet(url)).toMatchObject({ code: 0, stdout: '{"greeting":"Hello, Ann"}\n' });
		expect((await fetch(`${url}/openapi.json`)).status).toBe(404);
		const doctor = await runCommand(['doctor', '--env', 'staging'], { cwd: folder });
		expect(doctor.stdout).toContain(
			'npx wrangler secret list --env staging | npx coatcheck doctor --secrets - --env staging',
		);
	});

	it.each([
		['a name that is none', ['--name', 'My Shop', '--yes'], '--name: expected 2 to 50 lower-case letters'],
		['JSON and a question', ['--json'], '--json: expected --yes or --dry-run'],
	])('refuses %s', async (_, args, message) => {
		const folder = await makeFolder({});
		expect(await runCommand(['init', folder, ...args])).toMatchObject({
			code: 2,
			stderr: expect.stringContaining(message),
		});
	});
});
