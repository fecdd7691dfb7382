import { type ArgsDef, defineCommand } from 'citty';
import type { Client, JobsFilter, ListedJob } from '../../src/client/index.ts';
import { readWholeNumber, repeatedValues } from '../arguments.ts';
import { CONNECTION, connect } from '../connection.ts';
import { EXIT } from '../exit.ts';
import { stopped } from '../interrupt.ts';
import { jobRows } from '../job/describe.ts';
import { assertFixedTimes, fixedTimes, JOBS_FILTER, jobsFilter } from '../job/filter.ts';
import { note, printJson, printTable } from '../terminal/output.ts';

const DEFAULT_LIMIT = 20;
/** The server's maximum. */
const MAX_PAGE_JOBS = 100;

const ARGS = {
	...JOBS_FILTER,
	limit: { type: 'string', description: `Maximum number of jobs. Default: ${DEFAULT_LIMIT}` },
	cursor: { type: 'string', description: 'Continue after a page of the same filter' },
	...CONNECTION,
} satisfies ArgsDef;

export const list = defineCommand({
	meta: { name: 'list', description: 'List jobs, the newest first' },
	args: ARGS,
	async run({ args, rawArgs }) {
		if (args.cursor !== undefined) assertFixedTimes(args);
		const filter = jobsFilter(args, repeatedValues(rawArgs, ARGS, 'tag'), Date.now());
		const limit = readWholeNumber('limit', args.limit, 1) ?? DEFAULT_LIMIT;
		const page = await readJobs(connect(args.url), filter, { limit, cursor: args.cursor });
		if (args.json) printJson({ ...page, filter });
		else {
			printTable(jobRows(page.jobs));
			if (page.nextCursor !== undefined) note(`More: --cursor ${page.nextCursor}${fixedTimes(filter)}`);
		}
		return EXIT.success;
	},
});

/** Reads pages until there are enough jobs, so that the cursor continues exactly after the last one. */
async function readJobs(
	client: Client,
	filter: JobsFilter,
	{ limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
): Promise<{ readonly jobs: readonly ListedJob[]; readonly nextCursor?: string }> {
	const jobs: ListedJob[] = [];
	for (let after = cursor; ; ) {
		const pageSize = Math.min(MAX_PAGE_JOBS, limit - jobs.length);
		const options = { pageSize, signal: stopped, ...(after === undefined ? {} : { cursor: after }) };
		const { value: page } = await client.jobs.list(filter, options).pages().next();
		jobs.push(...(page?.jobs ?? []));
		after = page?.nextCursor;
		if (after === undefined) return { jobs };
		if (jobs.length >= limit) return { jobs, nextCursor: after };
	}
}
