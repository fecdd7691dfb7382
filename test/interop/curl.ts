/** Runs the real curl, one command at a time, and returns its interpretation of the response. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Run {
	readonly exitCode: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

export interface CurlAnswer {
	/** 0 if curl succeeded; otherwise its message is in `complaint`. */
	readonly exitCode: number | null;
	readonly complaint: string;
	readonly status: number;
	/** The headers of the last response, if it followed a redirect. */
	readonly headers: Headers;
	readonly body: string;
	readonly redirects: number;
}

/** @throws if the command does not exist, because a test of a client needs it. */
export async function run(command: string, args: readonly string[], stdin: Uint8Array | string = ''): Promise<Run> {
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
	const ended = new Promise<number | null>((resolve, reject) => {
		child.once('error', (cause) =>
			reject(new Error(`Could not run "${command}": these tests need it on the machine`, { cause })),
		);
		child.once('close', resolve);
	});
	// A command that exits before it has read everything closes the pipe. Its exit code and output give the reason.
	child.stdin.on('error', () => {});
	child.stdin.end(stdin);
	const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
	return { exitCode, stdout, stderr };
}

/** Runs curl with these arguments. `stdin` is its input, for example for `--data-binary @-`. */
export async function curl(args: readonly string[], stdin?: Uint8Array | string): Promise<CurlAnswer> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-curl-'));
	try {
		const [head, body] = [join(folder, 'head'), join(folder, 'body')];
		const report = ['-sS', '-D', head, '-o', body, '-w', '%{http_code} %{num_redirects}'];
		const { exitCode, stdout, stderr } = await run('curl', [...report, ...args], stdin);
		const [status, redirects] = stdout.split(' ').map(Number);
		return {
			exitCode,
			complaint: stderr,
			status: status ?? 0,
			redirects: redirects ?? 0,
			headers: lastHeadersOf(await contentOf(head)),
			body: await contentOf(body),
		};
	} finally {
		await rm(folder, { recursive: true });
	}
}

/** curl creates no file for an empty body. */
function contentOf(path: string): Promise<string> {
	return readFile(path, 'utf8').catch(() => '');
}

function lastHeadersOf(head: string): Headers {
	const block = head.trim().split('\r\n\r\n').at(-1) ?? '';
	const headers = new Headers();
	for (const line of block.split('\r\n').slice(1)) {
		const colon = line.indexOf(':');
		headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
	}
	return headers;
}
