import { ProblemNote } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { Age } from '../parts/time.tsx';
import { jobsPath } from '../pure/filters.ts';
import type { Upstream } from '../pure/overview.ts';
import { readJson } from '../state/api.ts';
import { usePoll } from '../state/live.ts';
import { may } from '../state/session.ts';
import { useCommand } from '../state/use-command.ts';
import { useQuery } from '../state/use-query.ts';

export function UpstreamsPage() {
	const { data, error, refresh } = useQuery<{ readonly upstreams: readonly Upstream[] }>('/v1/upstreams');
	usePoll([refresh]);
	return (
		<>
			<h1>Upstreams</h1>
			<p class="quiet">
				A closed breaker lets requests through. An open one holds them back for a while, because the upstream failed.
			</p>
			<ProblemNote error={error} />
			{data?.upstreams.length === 0 && <p>This deployment has no upstream that you may use.</p>}
			{data && data.upstreams.length > 0 && (
				<Table heads={['upstream', 'breaker', 'open until', 'failures in a row', 'requests', '']}>
					{data.upstreams.map((upstream) => (
						<UpstreamRow key={upstream.name} upstream={upstream} onReset={refresh} />
					))}
				</Table>
			)}
		</>
	);
}

interface UpstreamRowProps {
	readonly upstream: Upstream;
	readonly onReset: () => void;
}

function UpstreamRow({ upstream, onReset }: UpstreamRowProps) {
	const { name, breaker, openUntil, recentFailures, running, limit } = upstream;
	const reset = useCommand(async () => {
		await readJson(`/v1/operator/upstreams/${encodeURIComponent(name)}/reset`, { method: 'POST' });
		onReset();
	});
	return (
		<tr>
			<th scope="row">
				<a href={jobsPath({ task: `upstreams/${name}` })}>{name}</a>
			</th>
			<td>
				<Status of={breaker} />
			</td>
			<td>{openUntil && <Age at={openUntil} />}</td>
			<td class="number">{recentFailures ?? ''}</td>
			<td class="number">{limit === undefined ? 'no limit' : `${running ?? 0} of ${limit}`}</td>
			<td>
				{may('operate') && breaker !== 'closed' && (
					<button type="button" onClick={reset.run} disabled={reset.isRunning}>
						Close the breaker
					</button>
				)}
				<ProblemNote error={reset.error} />
			</td>
		</tr>
	);
}
