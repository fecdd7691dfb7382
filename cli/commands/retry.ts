import { defineCommand } from 'citty';
import { CONNECTION, findJob } from '../connection.ts';
import { EXIT } from '../exit.ts';
import { stopped } from '../interrupt.ts';
import { print, printJson } from '../terminal/output.ts';

export const retry = defineCommand({
	meta: { name: 'retry', description: 'Run a failed or canceled job again and print its URL' },
	args: {
		job: { type: 'positional', description: "The job's id, or its URL in quotes", required: true },
		...CONNECTION,
	},
	async run({ args: { job, url, json } }) {
		const document = await findJob(job, url).retry({ signal: stopped });
		if (json) printJson(document);
		else print(document.links.self);
		return EXIT.success;
	},
});
