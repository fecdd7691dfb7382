import { useState } from 'preact/hooks';
import type { ActionDocument, JobCounts } from '../../../src/client/index.ts';
import { actionFilter, type BulkAction, describeFilter, type Filter, filterQuery } from '../pure/filters.ts';
import { formatJobs } from '../pure/format.ts';
import { postJson } from '../state/api.ts';
import { navigate } from '../state/router.ts';
import { may } from '../state/session.ts';
import { useCommand } from '../state/use-command.ts';
import { useQuery } from '../state/use-query.ts';
import { Dialog } from './dialog.tsx';
import { ProblemNote } from './problem.tsx';

const ACTIONS = ['cancel', 'retry', 'purge'] as const satisfies BulkAction[];

const VERBS: Record<BulkAction, string> = { cancel: 'Cancel', retry: 'Retry', purge: 'Purge' };

const EFFECTS: Record<BulkAction, string> = {
	cancel: 'Jobs that have ended stay as they are.',
	retry: 'Only failed and canceled jobs run again. Others stay as they are.',
	purge: 'The inputs, results and records of jobs that have ended are deleted for good.',
};

interface BulkActionsProps {
	readonly filter: Filter;
	readonly matched: number | undefined;
}

/** Cancels, retries or purges every job that matches the filter. */
export function BulkActions({ filter, matched }: BulkActionsProps) {
	const [asked, ask] = useState<BulkAction>();
	if (!may('operate')) return null;
	const isPossible = actionFilter(filter) !== undefined && matched !== 0;
	return (
		<div class="bulk">
			<span class="quiet">
				{isPossible ? 'All jobs that match:' : 'Filter the list to act on all jobs that match.'}
			</span>
			{isPossible &&
				ACTIONS.map((action) => (
					<button key={action} type="button" onClick={() => ask(action)}>
						{VERBS[action]} all
					</button>
				))}
			{asked && <Confirmation action={asked} filter={filter} onClose={() => ask(undefined)} />}
		</div>
	);
}

interface ConfirmationProps {
	readonly action: BulkAction;
	readonly filter: Filter;
	readonly onClose: () => void;
}

/** Says how many jobs match at this moment. */
function Confirmation({ action, filter, onClose }: ConfirmationProps) {
	const counts = useQuery<JobCounts>(`/v1/jobs/counts?${filterQuery(filter)}`);
	const create = useCommand(async () => {
		const { id } = await postJson<ActionDocument>('/v1/actions', { action, filter: actionFilter(filter) });
		navigate(`/actions/${id}`);
	});
	const matched = counts.data?.total;
	return (
		<Dialog title={`${VERBS[action]} all that match?`} onClose={onClose}>
			<p>
				{matched === undefined ? 'Counting…' : `${formatJobs(matched)} match now`}: {describeFilter(filter)}.
			</p>
			<p>{EFFECTS[action]}</p>
			<ProblemNote error={counts.error ?? create.error} />
			<div class="buttons">
				<button type="button" class="main" disabled={matched === undefined || create.isRunning} onClick={create.run}>
					{matched === undefined ? VERBS[action] : `${VERBS[action]} ${formatJobs(matched)}`}
				</button>
				<button type="button" onClick={onClose}>
					Leave them
				</button>
			</div>
		</Dialog>
	);
}
