import { defineCommand } from 'citty';
import { CONNECTION, findJob } from '../connection.ts';
import { EXIT } from '../exit.ts';
import { stopped } from '../interrupt.ts';
import { describeEnd } from '../job/describe.ts';
import { print, printJson } from '../terminal/output.ts';

export const cancel = defineCommand({
	meta: { name: 'cancel', description: 'Cancel a job' },
	args: {
		job: { type: 'positional', description: "The job's id, or its cancel link in quotes", required: true },
		...CONNECTION,
	},
	async run({ args: { job, url, json } }) {
		const document = await findJob(job, url).cancel({ signal: stopped });
		if (json) printJson(document);
		else print(describeEnd(document));
		return EXIT.success;
	},
});
