/** Runs a snippet as its reader does: a file in an empty folder, its output on a terminal. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Snippet } from './page.ts';

/** Longer than a busy machine takes to compile and run any of them, and shorter than a test may take: a program that hangs is named. */
const TIMEOUT_MS = 240_000;

/** How a file is run, by the ending of its name. Debian's programs, and this project's Node. */
const COMMANDS: Readonly<Record<string, string>> = {
	sh: '/usr/bin/bash -euo pipefail',
	py: '/usr/bin/python3',
	go: '/usr/bin/go run',
	java: '/usr/bin/java',
	rb: '/usr/bin/ruby',
	php: '/usr/bin/php',
	pl: '/usr/bin/perl',
	R: '/usr/bin/Rscript',
	tcl: '/usr/bin/tclsh',
	c: `/usr/bin/sh -c '/usr/bin/gcc -Wall -o program "$0" -lcurl && ./program'`,
	el: '/usr/bin/emacs -Q --script',
	lua: '/usr/bin/lua5.4',
	mjs: `'${process.execPath}'`,
};

export type Variables = Readonly<Record<string, string>>;

export interface RunOptions {
	readonly variables?: Variables;
	/** Files that the snippet finds in its folder. */
	readonly files?: Readonly<Record<string, Uint8Array | string>>;
	/** A folder of npm packages. Default: none. */
	readonly modules?: string | undefined;
}

export class Program {
	readonly folder: string;
	readonly #group: number;
	#printed = '';
	#whenPrinted = () => {};
	#status: number | null | undefined;
	readonly #ended: Promise<void>;

	private constructor(folder: string, command: string, variables: Variables) {
		this.folder = folder;
		// With a terminal, programs print each line at once. `script` makes one.
		const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
			cwd: folder,
			env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', ...variables },
			detached: true,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		this.#group = child.pid ?? 0;
		for (const stream of [child.stdout, child.stderr])
			stream.setEncoding('utf8').on('data', (text: string) => {
				this.#printed += text;
				this.#whenPrinted();
			});
		const timer = setTimeout(() => {
			this.#printed += `\nKilled after ${TIMEOUT_MS / 1_000} s: ${command}`;
			this.kill();
		}, TIMEOUT_MS);
		this.#ended = new Promise((resolve) => {
			child.once('close', (code) => {
				clearTimeout(timer);
				this.#status = code;
				resolve();
			});
		});
	}

	static async start({ file, text }: Snippet, options: RunOptions = {}): Promise<Program> {
		const folder = await mkdtemp(join(tmpdir(), 'coatcheck-far-'));
		const files = Object.entries({ ...options.files, [file]: text });
		for (const [name, content] of files) await writeFile(join(folder, name), content);
		if (options.modules !== undefined) await symlink(options.modules, join(folder, 'node_modules'));
		const command = COMMANDS[file.split('.').at(-1) ?? ''];
		if (command === undefined) throw new Error(`Expected a file with one of ${Object.keys(COMMANDS)}, got: ${file}`);
		return new Program(folder, `${command} ${file}`, options.variables ?? {});
	}

	/** What was printed until now, with what was complained about. The terminal ends each line with CR LF, and Tcl adds a CR. */
	get printed(): string {
		return this.#printed.replace(/\r+\n/g, '\n');
	}

	/** Waits until what was printed is as wanted. @throws with all that was printed, if the program ends before. */
	async until(isWanted: (printed: string) => boolean): Promise<void> {
		while (!isWanted(this.printed)) {
			if (this.#status !== undefined) throw new Error(`The program ended too early, after: ${this.printed}`);
			await Promise.race([this.#ended, new Promise<void>((resolve) => (this.#whenPrinted = resolve))]);
		}
	}

	/** Waits for the end. @returns the exit status, or null if the program was killed. */
	async end(): Promise<number | null> {
		await this.#ended;
		return this.#status ?? null;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#status === undefined) this.kill();
		await this.#ended;
		await rm(this.folder, { recursive: true, force: true });
	}

	kill(): void {
		try {
			process.kill(-this.#group, 'SIGKILL');
		} catch {
			// It has ended already.
		}
	}
}
