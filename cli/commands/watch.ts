import { defineCommand } from 'citty';
import { readWholeNumber } from '../arguments.ts';
import { CONNECTION, findWatchableJob } from '../connection.ts';
import { sayWhenInterrupted, stopped } from '../interrupt.ts';
import { describeEnd, jobProgress } from '../job/describe.ts';
import { exitCodeFor, followJob } from '../job/follow.ts';
import { ProgressDisplay, print, printJsonLine } from '../terminal/output.ts';

export const watch = defineCommand({
	meta: { name: 'watch', description: "Show a job's progress until it ends" },
	args: {
		job: { type: 'positional', description: "The job's id, or its URL in quotes", required: true },
		after: { type: 'string', description: 'Begin with the event after this number. Default: the state of now' },
		...CONNECTION,
	},
	async run({ args: { job: reference, after, url, json } }) {
		const cursor = readWholeNumber('after', after) ?? 'now';
		sayWhenInterrupted('Stopped watching; the job continues');
		const job = await findWatchableJob(reference, { url, signal: stopped });
		const display = new ProgressDisplay(process.stdout);
		const show = json ? printJsonLine : (event: Parameters<typeof jobProgress>[0]) => display.show(jobProgress(event));
		const last = await followJob(job, { after: cursor, signal: stopped, show }).finally(() => display.end());
		if (!json) print(describeEnd(last));
		if (!json && last.status === 'succeeded') print(`The result: ${last.links.result}`);
		return exitCodeFor(last);
	},
});
