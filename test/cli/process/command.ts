/** Runs the command line as its users do: in a process of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
/** Variables of the person who runs the tests would change what the command does. */
const CLEARED = ['COATCHECK_URL', 'COATCHECK_API_KEY', 'CLOUDFLARE_ENV', 'NO_COLOR', 'FORCE_COLOR', 'CI', 'TEST'];

export interface CommandOptions {
	readonly env?: Readonly<Record<string, string>>;
	/** For stdin. Default: nothing. */
	readonly input?: string | Uint8Array;
	/** Default: the current folder. */
	readonly cwd?: string;
	/** Called with everything that was printed so far. */
	readonly onOutput?: (text: string, interrupt: () => void) => void;
}

export interface Ended {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
	return runProgram([process.execPath, MAIN, ...args], options);
}

/** Runs it on a terminal, which `script` provides. Everything that is printed is `stdout`. */
export function runOnTerminal(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
	const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
	return runProgram(['script', '--quiet', '--return', '--command', command, '/dev/null'], options);
}

/** Runs a line of a shell, in which `coatcheck` is the command. */
export function runShell(line: string, options: CommandOptions = {}): Promise<Ended> {
	const script = `coatcheck() { '${process.execPath}' '${MAIN}' "$@"; }\n${line}`;
	return runProgram(['bash', '-c', script], options);
}

function runProgram([program = '', ...args]: string[], options: CommandOptions): Promise<Ended> {
	const { input = '', cwd, env, onOutput } = options;
	const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !CLEARED.includes(name)));
	const child = spawn(program, args, {
		cwd,
		env: { ...inherited, TERM: 'xterm', ...env },
		stdio: ['pipe', 'pipe', 'pipe'],
	});
	const said = { stdout: '', stderr: '' };
	for (const name of ['stdout', 'stderr'] as const)
		child[name].on('data', (piece: Buffer) => {
			said[name] += String(piece);
			onOutput?.(said.stdout + said.stderr, () => child.killed || child.kill('SIGINT'));
		});
	child.stdin.on('error', () => {});
	child.stdin.end(input);
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, ...said }));
	});
}
