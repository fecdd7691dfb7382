import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { type ArgsDef, defineCommand } from 'citty';
import type { Job } from '../../src/client/index.ts';
import { repeatedValues } from '../arguments.ts';
import { CONNECTION, connect } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { Interrupted } from '../failure.ts';
import { sayWhenInterrupted, stopped } from '../interrupt.ts';
import { describeEnd, jobProgress } from '../job/describe.ts';
import { exitCodeFor, followJob } from '../job/follow.ts';
import { RESULT_OPTIONS, writeResult } from '../job/result.ts';
import { assertSavable } from '../job/save.ts';
import {
	type InputSource,
	inputSource,
	readInput,
	readJson,
	readParameters,
	SUBMIT_OPTIONS,
	submitOptions,
} from '../job/submission.ts';
import { note, ProgressDisplay, print, printJson, printJsonLine } from '../terminal/output.ts';

const ARGS = {
	task: { type: 'positional', description: 'The name of the task', required: true },
	...SUBMIT_OPTIONS,
	wait: { type: 'boolean', description: 'Wait for the result and print it' },
	watch: {
		type: 'boolean',
		description: 'Like --wait, and show the progress on stderr. With --json: print the events',
	},
	...RESULT_OPTIONS,
	...CONNECTION,
} satisfies ArgsDef;

export const submit = defineCommand({
	meta: { name: 'submit', description: 'Submit a job and print its URL' },
	args: ARGS,
	async run({ args, rawArgs }) {
		const { task, url, json, output, watch } = args;
		const tags = repeatedValues(rawArgs, ARGS, 'tag');
		const options = submitOptions(args, tags);
		const parameters = readParameters(repeatedValues(rawArgs, ARGS, 'param'));
		const input = await loadInput(inputSource(args));
		if (output !== undefined) await assertSavable(output);
		const job = connect(url).submit(task, input, { ...options, parameters, signal: stopped });
		const document = await job.accepted();
		if (!args.wait && !watch && output === undefined) {
			if (json) printJson(document);
			else print(document.links.self);
			return EXIT.success;
		}
		sayWhenInterrupted(`The job continues: ${document.id}`);
		return awaitResult(job, { output, json, watch }).catch((error: unknown) => {
			// The job is there, whatever became of this command.
			const { self } = document.links;
			if (!(error instanceof Interrupted)) note(json ? JSON.stringify({ job: self }) : `The job: ${self}`);
			throw error;
		});
	},
});

interface Waiting {
	readonly output: string | undefined;
	readonly json: boolean | undefined;
	readonly watch: boolean | undefined;
}

async function awaitResult(job: Job, { output, json, watch }: Waiting): Promise<ExitCode> {
	if (watch) {
		const display = new ProgressDisplay(process.stderr);
		const show = json ? printJsonLine : (event: Parameters<typeof jobProgress>[0]) => display.show(jobProgress(event));
		const last = await followJob(job, { after: 0, signal: stopped, show }).finally(() => display.end());
		if (json) return exitCodeFor(last);
		note(describeEnd(last));
	}
	await writeResult(job, { output, json, signal: stopped });
	return EXIT.success;
}

async function loadInput(source: InputSource): Promise<unknown> {
	if (source.type === 'none') return undefined;
	if (source.type === 'text') return readJson(source.json);
	const bytes = source.type === 'stdin' ? await buffer(process.stdin) : await readFile(source.path);
	return readInput(Uint8Array.from(bytes), source.mediaType);
}
