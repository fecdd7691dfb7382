import type { ListedJob } from '../../../src/client/index.ts';
import { jobsPath } from '../pure/filters.ts';
import { formatDuration, shortId } from '../pure/format.ts';
import { now } from '../state/live.ts';
import { Status } from './status.tsx';
import { Table } from './table.tsx';
import { Age } from './time.tsx';

export function JobsTable({ jobs }: { readonly jobs: readonly ListedJob[] }) {
	if (jobs.length === 0) return <p class="quiet">No job matches.</p>;
	return (
		<Table class="jobs" heads={['status', 'job', 'task', 'created', 'took', 'attempt', 'error, tags']}>
			{jobs.map((job) => (
				<JobRow key={job.id} job={job} />
			))}
		</Table>
	);
}

function JobRow({ job }: { readonly job: ListedJob }) {
	const { id, task, status, phase, createdAt, attempt, maxAttempts, error, tags } = job;
	return (
		<tr>
			<td>
				<Status of={status === phase ? status : phase} />
			</td>
			<th scope="row">
				<a href={`/jobs/${id}`} class="id" title={id}>
					{shortId(id)}
				</a>
			</th>
			<td class="cut" title={task}>
				{task}
			</td>
			<td>
				<Age at={createdAt} />
			</td>
			<td class="number">{tookOf(job)}</td>
			<td class="number">
				{attempt} of {maxAttempts}
			</td>
			<td class="cut">
				{error && <a href={jobsPath({ errorCode: error.code })}>{error.code}</a>}{' '}
				{tags.map((tag) => (
					<a key={tag} class="tag" href={jobsPath({ tag })}>
						{tag}
					</a>
				))}
			</td>
		</tr>
	);
}

function tookOf({ startedAt, finishedAt, status }: ListedJob): string {
	if (startedAt === undefined) return '';
	if (finishedAt !== undefined) return formatDuration(Date.parse(finishedAt) - Date.parse(startedAt));
	return status === 'running' ? formatDuration(now.value - Date.parse(startedAt)) : '';
}
