import { type ArgsDef, defineCommand } from 'citty';
import { repeatedValues } from '../arguments.ts';
import { CONNECTION, connect } from '../connection.ts';
import { EXIT } from '../exit.ts';
import { stopped } from '../interrupt.ts';
import { countRows } from '../job/describe.ts';
import { JOBS_FILTER, jobsFilter } from '../job/filter.ts';
import { printJson, printTable } from '../terminal/output.ts';

const ARGS = { ...JOBS_FILTER, ...CONNECTION } satisfies ArgsDef;

export const counts = defineCommand({
	meta: { name: 'counts', description: 'Count jobs by status, task and error code' },
	args: ARGS,
	async run({ args, rawArgs }) {
		const filter = jobsFilter(args, repeatedValues(rawArgs, ARGS, 'tag'), Date.now());
		const found = await connect(args.url).jobs.counts(filter, { signal: stopped });
		if (args.json) printJson(found);
		else printTable(countRows(found));
		return EXIT.success;
	},
});
