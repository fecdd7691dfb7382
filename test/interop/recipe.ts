/** The code blocks of a recipe (`docs/recipes/`), and their programs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 110_000;

export interface Block {
	/** The file's name, if a line before the block has it: `` `submit.mjs`: ``. */
	readonly file: string | undefined;
	readonly language: string;
	readonly text: string;
}

export async function readRecipe(name: string): Promise<Block[]> {
	const page = await readFile(join(ROOT, 'docs/recipes', name), 'utf8');
	const blocks = page.matchAll(/(?:^`([\w./-]+)`[^\n]*\n\n)?^```(\w*)\n(.*?)^```$/gms);
	return [...blocks].map(([, file, language = '', text = '']) => ({ file, language, text }));
}

/** The one block with this text. */
export function blockWith(blocks: readonly Block[], text: string): string {
	const found = blocks.filter((block) => block.text.includes(text));
	if (found.length !== 1) throw new Error(`Expected one block with "${text}", got: ${found.length}`);
	return found[0]?.text ?? '';
}

/** Puts the package `coatcheck` into `node_modules` as JavaScript, with React from outside. */
export async function installPackage(modules: string): Promise<void> {
	const folder = join(modules, 'coatcheck');
	await build({
		absWorkingDir: ROOT,
		entryPoints: { client: 'src/client/index.ts', react: 'src/react/index.ts', webhook: 'src/receiver/index.ts' },
		outdir: folder,
		bundle: true,
		splitting: true,
		format: 'esm',
		platform: 'neutral',
		external: ['react'],
		logLevel: 'error',
	});
	const exports = { './client': './client.js', './react': './react.js', './webhook': './webhook.js' };
	await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'coatcheck', type: 'module', exports }));
}

export interface Running {
	/** What was printed until now, line by line. */
	readonly lines: readonly string[];
	stop(): void;
}

/** A folder with the recipe's files, where the packages of this repository are installed. */
export class Workshop {
	readonly folder: string;
	readonly #environment: Readonly<Record<string, string>>;
	readonly #children: ChildProcess[] = [];

	private constructor(folder: string, environment: Readonly<Record<string, string>>) {
		this.folder = folder;
		this.#environment = environment;
	}

	static async open(blocks: readonly Block[], environment: Readonly<Record<string, string>>): Promise<Workshop> {
		const folder = await mkdtemp(join(tmpdir(), 'coatcheck-recipe-'));
		const modules = join(folder, 'node_modules');
		await mkdir(join(modules, '@azure'), { recursive: true });
		await installPackage(modules);
		await symlink(join(ROOT, 'node_modules/@azure/core-lro'), join(modules, '@azure/core-lro'));
		for (const { file, text } of blocks) {
			if (file === undefined) continue;
			await mkdir(dirname(join(folder, file)), { recursive: true });
			await writeFile(join(folder, file), text);
		}
		return new Workshop(folder, environment);
	}

	/** Runs a program to its end. @returns what it prints. @throws with what it complains about. */
	async run(
		command: string,
		args: readonly string[],
		environment: Readonly<Record<string, string>> = {},
	): Promise<string> {
		const child = this.#spawn(command, args, environment);
		let [printed, complained] = ['', ''];
		child.stdout?.on('data', (data: Buffer) => (printed += String(data)));
		child.stderr?.on('data', (data: Buffer) => (complained += String(data)));
		const timer = setTimeout(() => child.kill(), TIMEOUT_MS);
		const code = await new Promise((resolve) => child.once('close', resolve));
		clearTimeout(timer);
		if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}: ${complained}${printed}`);
		return printed;
	}

	/** Runs a block of commands as a person pastes it. */
	paste(script: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
		return this.run('bash', ['-euo', 'pipefail', '-c', script], environment);
	}

	node(file: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
		return this.run(process.execPath, [file], environment);
	}

	/** Starts a server, and waits until it prints `ready`. */
	async start(command: string, file: string, environment: Readonly<Record<string, string>>): Promise<Running> {
		const child = this.#spawn(command, [file], environment);
		const lines: string[] = [];
		await new Promise<void>((resolve, reject) => {
			child.once('close', (code) => reject(new Error(`${file} ended with ${code}`)));
			if (child.stdout)
				createInterface({ input: child.stdout }).on('line', (line) =>
					line === 'ready' ? resolve() : lines.push(line),
				);
		});
		return { lines, stop: () => child.kill() };
	}

	async close(): Promise<void> {
		for (const child of this.#children) child.kill();
		await rm(this.folder, { recursive: true, force: true });
	}

	#spawn(command: string, args: readonly string[], environment: Readonly<Record<string, string>>): ChildProcess {
		const env = { ...process.env, ...this.#environment, ...environment };
		const child = spawn(command, args, { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
		this.#children.push(child);
		return child;
	}
}
