import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { defineCommand } from 'citty';
import { ProblemError } from '../../src/client/index.ts';
import { readWholeNumber } from '../arguments.ts';
import { hasEntry, readWranglerConfig } from '../configuration/config.ts';
import { chosenEnvironment, fileChecker, readConfigFile } from '../configuration/find.ts';
import { connect } from '../connection.ts';
import { estimateMonth, WAYS } from '../doctor/cost.ts';
import { error, type Finding, remark } from '../doctor/finding.ts';
import { checkOperation, checkWorker } from '../doctor/platform.ts';
import { checkQueues } from '../doctor/queues.ts';
import { costRows, countFindings, renderFindings, summarize } from '../doctor/report.ts';
import { checkDeployedVariables } from '../doctor/variables.ts';
import { EXIT } from '../exit.ts';
import { explain, UsageError } from '../failure.ts';
import { stopped } from '../interrupt.ts';
import { print, printJson, printTable, style } from '../terminal/output.ts';

const DEFAULT_JOBS_PER_MONTH = 1_000_000;

export const doctor = defineCommand({
	meta: { name: 'doctor', description: 'Say what is wrong or missing for a deployment, and what it would cost' },
	args: {
		config: { type: 'string', description: "The wrangler configuration. Default: this folder's" },
		env: { type: 'string', description: 'One of its environments. Default: CLOUDFLARE_ENV, otherwise the top level' },
		secrets: {
			type: 'string',
			description: 'The output of `npx wrangler secret list`: a file, or - for stdin',
			valueHint: 'file|-',
		},
		'jobs-per-month': { type: 'string', description: `For the cost. Default: ${DEFAULT_JOBS_PER_MONTH}` },
		url: { type: 'string', description: 'A deployment to ask, too. Default: COATCHECK_URL, otherwise none' },
		json: { type: 'boolean', description: 'Print JSON' },
	},
	async run({ args }) {
		const jobs = readWholeNumber('jobs-per-month', args['jobs-per-month'], 1) ?? DEFAULT_JOBS_PER_MONTH;
		const found = await readConfigFile(args.config);
		const choice = { environment: chosenEnvironment(args.env), path: args.config };
		const config = readWranglerConfig(found.text, found.file, choice);
		const secretNames = args.secrets === undefined ? undefined : await readSecretNames(args.secrets);
		const isEntryThere = await hasEntry(config, fileChecker(found.folder));
		const url = args.url ?? (process.env.COATCHECK_URL || undefined);
		const findings = [
			...checkWorker(config, isEntryThere),
			...checkOperation(config),
			...checkQueues(config),
			...checkDeployedVariables(config, secretNames),
			...(url === undefined ? [] : await askDeployment(url)),
		];
		const costs = WAYS.map((way) => estimateMonth(way, jobs, config.vars.LIST !== 'off'));
		const counts = countFindings(findings);
		if (args.json) printJson({ config: found.file, findings, counts, jobsPerMonth: jobs, costs });
		else {
			for (const line of renderFindings(findings, style)) print(line);
			print(`${found.file}: ${summarize(findings)}\n`);
			printTable(costRows(costs, jobs));
			print('\nWith the plan of $5 and what it includes; the range is that of the list of jobs. Logs come on top.');
		}
		return counts.error > 0 ? EXIT.failed : EXIT.success;
	},
});

/** @throws {UsageError} for what is not wrangler's list. */
async function readSecretNames(source: string): Promise<string[]> {
	const text = source === '-' ? await readAll(process.stdin) : await readFile(source, 'utf8');
	try {
		const names = (JSON.parse(text) as { name: unknown }[]).map(({ name }) => name);
		if (names.every((name) => typeof name === 'string')) return names;
	} catch {
		// Reported below.
	}
	throw new UsageError('--secrets: expected the JSON of `npx wrangler secret list`');
}

async function askDeployment(url: string): Promise<Finding[]> {
	try {
		const tasks = await connect(url).tasks({ signal: stopped });
		return [
			remark('Answers', `${url} answers, with the tasks ${tasks.map(({ name }) => name).join(', ') || '(none)'}`),
		];
	} catch (reason) {
		const { code, message, hint } = explain(reason);
		if (reason instanceof ProblemError && reason.status === 401)
			return [remark('Answers', `${url} answers, and asks for a key`, hint)];
		return [error(code, `${url}: ${message}`, hint)];
	}
}
