import { defineCommand } from 'citty';
import { CONNECTION, connect } from '../connection.ts';
import { EXIT } from '../exit.ts';
import { stopped } from '../interrupt.ts';
import { taskRows } from '../job/describe.ts';
import { printJson, printTable } from '../terminal/output.ts';

export const tasks = defineCommand({
	meta: { name: 'tasks', description: "List the deployment's tasks. With --json: with the schemas of their inputs" },
	args: CONNECTION,
	async run({ args: { url, json } }) {
		const found = await connect(url).tasks({ signal: stopped });
		if (json) printJson({ tasks: found });
		else printTable(taskRows(found));
		return EXIT.success;
	},
});
