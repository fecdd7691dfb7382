import type { ActionDocument } from '../../../src/client/index.ts';
import { ProblemNote } from '../parts/problem.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Status } from '../parts/status.tsx';
import { Age } from '../parts/time.tsx';
import { afterActionEvent } from '../pure/action-event.ts';
import { actionJobsPath, describeAction } from '../pure/describe-action.ts';
import { formatCount } from '../pure/format.ts';
import { readJson } from '../state/api.ts';
import { usePoll, useWatcher } from '../state/live.ts';
import { may } from '../state/session.ts';
import { useCommand } from '../state/use-command.ts';
import { useQuery } from '../state/use-query.ts';

/** A bulk action at work: its counts as they grow, and a button that stops it. */
export function ActionPage({ id }: { readonly id: string }) {
	const url = `/v1/actions/${encodeURIComponent(id)}`;
	const { data: action, error, refresh, set } = useQuery<ActionDocument>(url);
	const isOver = action?.finishedAt !== undefined;
	useWatcher({
		link: isOver ? undefined : action?.links.socket,
		onMessage: (text) => action && set(afterActionEvent(action, text)),
		onEnd: refresh,
	});
	usePoll(action && !isOver ? [refresh] : []);
	const stop = useCommand(async () => set(await readJson<ActionDocument>(url, { method: 'DELETE' })));
	return (
		<>
			<h1>Bulk action</h1>
			<ProblemNote error={error ?? stop.error} />
			{action && (
				<>
					<p class="lead">
						<Status of={action.phase} /> {describeAction(action)}
					</p>
					<ProgressBar percent={action.percentComplete} label="Jobs worked on" />
					<Counts action={action} />
					{may('operate') && !isOver && (
						<button type="button" onClick={stop.run} disabled={stop.isRunning || action.phase === 'canceling'}>
							Stop
						</button>
					)}
					<p>
						<a href={actionJobsPath(action)}>The jobs that match now</a> · <a href="/actions">All actions</a>
					</p>
				</>
			)}
		</>
	);
}

function Counts({ action }: { readonly action: ActionDocument }) {
	const { matched, done, refused, refusals = {}, createdAt, finishedAt, error } = action;
	return (
		<dl class="facts">
			<dt>matched</dt>
			<dd>{formatCount(matched)}</dd>
			<dt>done</dt>
			<dd>{formatCount(done)}</dd>
			<dt>refused</dt>
			<dd>
				{formatCount(refused)}
				{Object.entries(refusals).map(([reason, count]) => ` · ${reason} ${formatCount(count)}`)}
			</dd>
			<dt>created</dt>
			<dd>
				<Age at={createdAt} />
			</dd>
			{finishedAt && <dt>ended</dt>}
			{finishedAt && (
				<dd>
					<Age at={finishedAt} />
				</dd>
			)}
			{error && <dt>error</dt>}
			{error && (
				<dd>
					{error.code}: {error.message}
				</dd>
			)}
		</dl>
	);
}
