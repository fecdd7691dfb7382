import type { JobCounts } from '../../../src/client/index.ts';
import { ProblemNote } from '../parts/problem.tsx';
import { RankedCounts } from '../parts/ranked-counts.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { Age } from '../parts/time.tsx';
import { jobsPath, STATUSES } from '../pure/filters.ts';
import { formatBytes, formatChange, formatCount } from '../pure/format.ts';
import { findTroubles, hourQuery, type Lane, ranked, type Upstream } from '../pure/overview.ts';
import { now, usePoll } from '../state/live.ts';
import { useQuery } from '../state/use-query.ts';

const countsOfHour = (hoursAgo: number) => () => `/v1/jobs/counts?${hourQuery(Date.now(), hoursAgo)}`;
const failuresOfHour = () => `/v1/jobs/counts?${hourQuery(Date.now(), 0)}&status=failed`;

export function OverviewPage() {
	const all = useQuery<JobCounts>('/v1/jobs/counts');
	const lastHour = useQuery<JobCounts>(countsOfHour(0), 'last hour');
	const hourBefore = useQuery<JobCounts>(countsOfHour(1), 'hour before');
	const failures = useQuery<JobCounts>(failuresOfHour, 'failures');
	const lanes = useQuery<{ readonly lanes: readonly Lane[] }>('/v1/lanes');
	const upstreams = useQuery<{ readonly upstreams: readonly Upstream[] }>('/v1/upstreams');
	const queries = [all, lanes, lastHour, failures, all, lanes, hourBefore, upstreams];
	usePoll(queries.map(({ refresh }) => refresh));
	const error = queries.find((query) => query.error)?.error;
	return (
		<>
			<div class="title">
				<h1>Overview</h1>
				<button type="button" onClick={() => new Set(queries).forEach(({ refresh }) => void refresh())}>
					Refresh
				</button>
			</div>
			<ProblemNote error={error} />
			<Troubles lastHour={lastHour.data} lanes={lanes.data?.lanes} upstreams={upstreams.data?.upstreams} />
			<div class="columns">
				<CountsTable all={all.data} lastHour={lastHour.data} hourBefore={hourBefore.data} />
				<LanesTable lanes={lanes.data?.lanes} oldestPendingAt={all.data?.oldestPendingAt} />
			</div>
			<Failures failures={failures.data} />
		</>
	);
}

interface TroublesProps {
	readonly lastHour: JobCounts | undefined;
	readonly lanes: readonly Lane[] | undefined;
	readonly upstreams: readonly Upstream[] | undefined;
}

function Troubles(health: TroublesProps) {
	if (!health.lastHour || !health.lanes || !health.upstreams) return null;
	const troubles = findTroubles({ nowMs: now.value, ...health });
	if (troubles.length === 0) return <p class="note good">Nothing looks wrong.</p>;
	return (
		<ul class="note warn troubles">
			{troubles.map((trouble) => (
				<li key={trouble}>{trouble}</li>
			))}
		</ul>
	);
}

type CountsProps = Readonly<Record<'all' | 'lastHour' | 'hourBefore', JobCounts | undefined>>;

function CountsTable({ all, lastHour, hourBefore }: CountsProps) {
	const rows = [...STATUSES, 'total'] as const;
	const countIn = (counts: JobCounts | undefined, row: string) =>
		counts && (row === 'total' ? counts.total : (counts.byStatus[row] ?? 0));
	return (
		<section>
			<h2>Jobs</h2>
			<p class="quiet">All that are kept, and those created in the last hour against the hour before.</p>
			<Table class="numbers" heads={['status', 'now', 'last hour', 'hour before', 'change']}>
				{rows.map((row) => (
					<tr key={row} class={row === 'total' ? 'total' : undefined}>
						<th scope="row">
							<a href={row === 'total' ? '/jobs' : jobsPath({ status: row })}>
								{row === 'total' ? 'all' : <Status of={row} />}
							</a>
						</th>
						<Count count={countIn(all, row)} />
						<Count count={countIn(lastHour, row)} />
						<Count count={countIn(hourBefore, row)} />
						<td>{change(countIn(lastHour, row), countIn(hourBefore, row))}</td>
					</tr>
				))}
			</Table>
		</section>
	);
}

function Count({ count }: { readonly count: number | undefined }) {
	return <td class={count === 0 ? 'zero' : undefined}>{count === undefined ? '…' : formatCount(count)}</td>;
}

function change(last: number | undefined, before: number | undefined): string {
	return last === undefined || before === undefined ? '' : formatChange(last, before);
}

interface LanesProps {
	readonly lanes: readonly Lane[] | undefined;
	readonly oldestPendingAt: string | undefined;
}

function LanesTable({ lanes, oldestPendingAt }: LanesProps) {
	return (
		<section>
			<h2>Lanes</h2>
			<p class="quiet">
				{oldestPendingAt ? (
					<>
						The oldest pending job was created <Age at={oldestPendingAt} />.
					</>
				) : (
					'No job is pending.'
				)}
			</p>
			<Table class="numbers" heads={['lane', 'messages', 'size', 'oldest']}>
				{lanes?.map(({ name, backlog, backlogBytes, oldestMessageAt }) => (
					<tr key={name}>
						<th scope="row">{name}</th>
						<Count count={backlog} />
						<td>{backlogBytes === undefined || backlog === 0 ? '' : formatBytes(backlogBytes)}</td>
						<td>{oldestMessageAt && <Age at={oldestMessageAt} />}</td>
					</tr>
				))}
			</Table>
		</section>
	);
}

function Failures({ failures }: { readonly failures: JobCounts | undefined }) {
	const createdAfter = hourQuery(now.value, 0).get('createdAfter') ?? '';
	const failed = { status: 'failed', createdAfter };
	return (
		<section>
			<h2>Failures of the last hour</h2>
			{failures && failures.total === 0 && <p class="quiet">No job of the last hour failed.</p>}
			<div class="columns">
				<RankedCounts
					title="error code"
					counts={ranked(failures?.byErrorCode)}
					pathOf={(errorCode) => jobsPath({ ...failed, errorCode })}
				/>
				<RankedCounts title="task" counts={ranked(failures?.byTask)} pathOf={(task) => jobsPath({ ...failed, task })} />
			</div>
		</section>
	);
}
