import { defineCommand } from 'citty';
import { CONNECTION, findJob } from '../connection.ts';
import { EXIT } from '../exit.ts';
import { NotFinishedError } from '../failure.ts';
import { sayWhenInterrupted, stopped } from '../interrupt.ts';
import { RESULT_OPTIONS, writeResult } from '../job/result.ts';

export const result = defineCommand({
	meta: { name: 'result', description: 'Print or save the result of a job' },
	args: {
		job: { type: 'positional', description: "The job's id, or its URL in quotes", required: true },
		...RESULT_OPTIONS,
		wait: { type: 'boolean', description: 'Wait until the job has ended' },
		...CONNECTION,
	},
	async run({ args: { job: reference, output, wait, url, json } }) {
		const job = findJob(reference, url);
		sayWhenInterrupted('Stopped waiting; the job continues');
		if (!wait) {
			const { status, percentComplete } = await job.status({ signal: stopped });
			const percent = percentComplete === undefined ? '' : ` (${Math.round(percentComplete)} %)`;
			if (status === 'pending' || status === 'running')
				throw new NotFinishedError(`The job is ${status}${percent}. With --wait, the command waits for its end`);
		}
		await writeResult(job, { output, json, signal: stopped });
		return EXIT.success;
	},
});
