import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defineCommand } from 'citty';
import { hasEntry, readWranglerConfig } from '../configuration/config.ts';
import { chosenEnvironment, fileChecker, readConfigFile, readLocalVariables } from '../configuration/find.ts';
import { MIN_NODE_MAJOR } from '../configuration/wanted.ts';
import { error, type Finding } from '../doctor/finding.ts';
import { checkWorker } from '../doctor/platform.ts';
import { checkQueues } from '../doctor/queues.ts';
import { countFindings, renderFindings } from '../doctor/report.ts';
import { checkLocalVariables } from '../doctor/variables.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { UsageError } from '../failure.ts';
import { note, noteStyle, printJson } from '../terminal/output.ts';

export const dev = defineCommand({
	meta: {
		name: 'dev',
		description: 'Check the local configuration, then run `wrangler dev`. What follows -- is for wrangler',
	},
	args: {
		config: { type: 'string', description: "The wrangler configuration. Default: this folder's" },
		env: { type: 'string', description: 'One of its environments. Default: CLOUDFLARE_ENV, otherwise the top level' },
		check: { type: 'boolean', description: 'Only check' },
		json: { type: 'boolean', description: 'Print what the check found as JSON. Needs --check' },
	},
	async run({ args, rawArgs }) {
		if (args.json && !args.check) throw new UsageError('--json: expected --check with it');
		const forWrangler = argumentsForWrangler(rawArgs);
		const { folder, file, text } = await readConfigFile(args.config);
		const environment = chosenEnvironment(args.env);
		const config = readWranglerConfig(text, file, { environment, path: args.config });
		const isEntryThere = await hasEntry(config, fileChecker(folder));
		const wrangler = findWrangler(folder);
		const findings = [
			...(typeof wrangler === 'object' ? [wrangler] : []),
			...checkWorker(config, isEntryThere),
			...checkQueues(config),
			...checkLocalVariables(config, await readLocalVariables(folder, environment)),
		];
		const { error: errors } = countFindings(findings);
		if (args.json) printJson({ config: file, findings });
		else for (const line of renderFindings(findings, noteStyle)) note(line);
		if (errors > 0) return EXIT.failed;
		if (args.check || typeof wrangler === 'object') return EXIT.success;
		const chosen = [
			...(args.config === undefined ? [] : ['--config', args.config]),
			...(environment === undefined ? [] : ['--env', environment]),
		];
		return runWrangler(findNode(folder), [wrangler, 'dev', ...chosen, ...forWrangler]);
	},
});

/** Wrangler's options that choose a configuration. */
const CHOICE = /^(--(?:env|config)(?==|$)|-[ec])/;

/** What follows `--`. @throws {UsageError} for another configuration than the one that is checked. */
function argumentsForWrangler(rawArgs: readonly string[]): string[] {
	const end = rawArgs.indexOf('--');
	const given = end < 0 ? [] : rawArgs.slice(end + 1);
	const [, choice] = given.flatMap((arg) => CHOICE.exec(arg) ?? []);
	if (choice === undefined) return given;
	const name = /e(nv)?$/.test(choice) ? '--env' : '--config';
	throw new UsageError(`${choice}: expected ${name} before --, so that the check is about what wrangler runs`);
}

/** The project's own wrangler. */
function findWrangler(folder: string): string | Finding {
	const fix = 'npm install --save-dev wrangler';
	try {
		const manifest = createRequire(join(folder, 'package.json')).resolve('wrangler/package.json');
		const major = Number.parseInt(process.versions.node, 10);
		if (major < MIN_NODE_MAJOR && findNode(folder) === process.execPath)
			return error(
				'OldNode',
				`wrangler needs Node ${MIN_NODE_MAJOR}, and this is ${major}`,
				'npm install --save-dev node@24',
			);
		return join(dirname(manifest), 'bin/wrangler.js');
	} catch {
		return error('NoWrangler', 'wrangler is not installed in this folder', fix);
	}
}

/** The Node that the project depends on (the package `node`), otherwise the one that runs this. */
function findNode(folder: string): string {
	try {
		const manifest = createRequire(join(folder, 'package.json')).resolve('node/package.json');
		return join(dirname(manifest), 'bin/node');
	} catch {
		return process.execPath;
	}
}

/** A terminal sends Ctrl-C to wrangler, too, which then ends by itself. */
function runWrangler(node: string, args: readonly string[]): Promise<ExitCode> {
	process.removeAllListeners('SIGINT').on('SIGINT', () => {});
	const child = spawn(node, args, { stdio: 'inherit' });
	process.once('SIGTERM', () => child.kill('SIGTERM'));
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code, signal) => {
			if (signal === 'SIGINT' || code === EXIT.interrupted) resolve(EXIT.interrupted);
			else resolve(code === 0 ? EXIT.success : EXIT.failed);
		});
	});
}
