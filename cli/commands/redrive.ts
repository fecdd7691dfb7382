import { type ArgsDef, defineCommand } from 'citty';
import type { ActionDocument, ActionFilter, ActionName } from '../../src/client/index.ts';
import { repeatedValues } from '../arguments.ts';
import { CONNECTION, connect } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { sayWhenInterrupted, stopped } from '../interrupt.ts';
import { ACTION_FILTER, actionFilter, describeFilter, jobsFilter } from '../job/filter.ts';
import { confirm } from '../terminal/confirm.ts';
import { note, ProgressDisplay, print, printJson } from '../terminal/output.ts';

const ARGS = {
	...ACTION_FILTER,
	action: { type: 'enum', options: ['retry', 'cancel', 'purge'], description: 'Default: retry' },
	stop: { type: 'string', description: 'Stop the action with this id instead', valueHint: 'id' },
	yes: { type: 'boolean', alias: 'y', description: "Don't ask" },
	...CONNECTION,
} satisfies ArgsDef;

export const redrive = defineCommand({
	meta: {
		name: 'redrive',
		description: 'Run every job again that matches a filter, or cancel or purge it. Default: all dead letters',
	},
	args: ARGS,
	async run({ args, rawArgs }) {
		const { url, json, yes } = args;
		const action = (args.action ?? 'retry') as ActionName;
		const client = connect(url);
		if (args.stop !== undefined) return showAction(await client.actions.stop(args.stop, { signal: stopped }), json);
		const wanted = jobsFilter(args, repeatedValues(rawArgs, ARGS, 'tag'), Date.now()) as ActionFilter;
		const filter = actionFilter(wanted, action);
		if (!yes) {
			const { total } = await client.jobs.counts(filter, { signal: stopped });
			const jobs = `${total} job${total === 1 ? '' : 's'}`;
			if (!(await confirm(`This will ${action} ${jobs} with ${describeFilter(filter)}. Go on?`))) {
				note('Nothing was changed');
				return EXIT.failed;
			}
		}
		const { id, links } = await client.actions.create(action, filter, { signal: stopped });
		sayWhenInterrupted(`Stopped watching; the action continues, until: coatcheck redrive --stop ${id}`);
		const display = new ProgressDisplay(process.stderr);
		const onProgress = (now: ActionDocument) => display.show(actionProgress(now));
		const end = await client.actions.wait({ links }, { signal: stopped, onProgress }).finally(() => display.end());
		showAction(end, json);
		return end.status === 'succeeded' ? EXIT.success : EXIT.failed;
	},
});

function showAction(action: ActionDocument, json: boolean | undefined): ExitCode {
	if (json) printJson(action);
	else print(describeAction(action));
	return EXIT.success;
}

function actionProgress({ phase, percentComplete, done, matched }: ActionDocument) {
	return { type: phase, percent: percentComplete, message: `${done} of ${matched} jobs` };
}

function describeAction({ action, status, matched, done, refused, refusals = {}, error }: ActionDocument): string {
	const reasons = Object.entries(refusals).map(([reason, count]) => `${count} ${reason}`);
	const why = reasons.length > 0 ? ` (${reasons.join(', ')})` : '';
	const end = status === 'succeeded' ? '' : `, ${status}${error ? `: ${error.code}, ${error.message}` : ''}`;
	return `${action}: ${done} of ${matched} jobs done, ${refused} refused${why}${end}`;
}
