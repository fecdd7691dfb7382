/** Runs one command: its help, or its work. Returns the exit code, and prints every failure as one sentence. */
import { stripVTControlCharacters } from 'node:util';
import { type CommandDef, renderUsage, runCommand } from 'citty';
import packageJson from '../package.json' with { type: 'json' };
import { assertArguments } from './arguments.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { explain, renderFailure, UsageError } from './failure.ts';
import { note, print } from './terminal/output.ts';
import { isLive } from './terminal/style.ts';

const HELP: ReadonlySet<string> = new Set(['--help', '-h', 'help']);
const VERSION: ReadonlySet<string> = new Set(['--version', '-v', 'version']);
const COLUMN_CELLS = 10;

export async function run(rawArgs: readonly string[]): Promise<ExitCode> {
	const [name, ...rest] = rawArgs;
	try {
		if (name === undefined) throw new UsageError(`Expected a command\n\n${await overview()}`);
		if (VERSION.has(name)) print(packageJson.version);
		else if (!HELP.has(name)) return await runNamed(name, rest);
		else if (rest[0] === undefined) print(await overview());
		else print(await helpFor(await load(rest[0])));
		return EXIT.success;
	} catch (error) {
		const failure = explain(error);
		const { hint: _, ...document } = failure;
		note(rest.includes('--json') ? JSON.stringify({ error: document }) : renderFailure(failure));
		return failure.exitCode;
	}
}

async function runNamed(name: string, rawArgs: string[]): Promise<ExitCode> {
	const command = await load(name);
	const end = rawArgs.indexOf('--');
	if (rawArgs.slice(0, end < 0 ? undefined : end).some((arg) => arg === '--help' || arg === '-h')) {
		print(await helpFor(command));
		return EXIT.success;
	}
	assertArguments(rawArgs, (command.args ?? {}) as Parameters<typeof assertArguments>[1]);
	const { result } = await runCommand(command, { rawArgs });
	return result as ExitCode;
}

async function load(name: string): Promise<CommandDef> {
	const loadCommand = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
	if (loadCommand === undefined)
		throw new UsageError(`"${name.slice(0, 40)}": expected one of ${Object.keys(COMMANDS).join(', ')}`);
	return loadCommand();
}

async function overview(): Promise<string> {
	const commands = await Promise.all(
		Object.entries(COMMANDS).map(async ([name, loadCommand]) => {
			const { meta } = await loadCommand();
			return `  ${name.padEnd(COLUMN_CELLS)}${(meta as { description: string }).description}`;
		}),
	);
	return [
		'coatcheck <command> [options]: the command line of a Coatcheck deployment',
		'',
		...commands,
		'',
		'`coatcheck <command> --help` shows the options of a command.',
	].join('\n');
}

/** citty colours its text whatever the stream is. */
async function helpFor(command: CommandDef): Promise<string> {
	const text = (await renderUsage(command, { meta: { name: 'coatcheck' } })).trimEnd();
	return isLive(process.stdout, process.env) ? text : stripVTControlCharacters(text);
}
