import type { JobCounts, JobsPage as Listing } from '../../../src/client/index.ts';
import { BulkActions } from '../parts/bulk-actions.tsx';
import { FilterForm } from '../parts/filter-form.tsx';
import { JobsTable } from '../parts/jobs-table.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { RankedCounts } from '../parts/ranked-counts.tsx';
import { type Filter, type FilterName, filterQuery, readFilter, withMember } from '../pure/filters.ts';
import { formatJobs } from '../pure/format.ts';
import { ranked } from '../pure/overview.ts';
import { usePoll } from '../state/live.ts';
import { address } from '../state/router.ts';
import { useQuery } from '../state/use-query.ts';

const PAGE_SIZE = 100;

export function JobsPage() {
	const { query } = address.value;
	const filter = readFilter(query);
	const cursor = query.get('cursor');
	const asked = filterQuery(filter);
	const listing = useQuery<Listing>(`/v1/jobs?${withPage(asked, cursor)}`);
	const counts = useQuery<JobCounts>(`/v1/jobs/counts?${asked}`);
	// An older page stays as it is: only the newest one is read again.
	usePoll(cursor === null ? [listing.refresh, counts.refresh] : [counts.refresh]);
	const total = counts.data?.total;
	return (
		<>
			<div class="title">
				<h1>Jobs</h1>
				<p class="quiet" role="status">
					{total !== undefined && `${formatJobs(total)} match`}
				</p>
			</div>
			<FilterForm key={String(asked)} filter={filter} />
			<ProblemNote error={listing.error ?? counts.error} />
			<BulkActions filter={filter} matched={total} />
			<div class="list">
				<section aria-label="Jobs that match">
					{listing.data && <JobsTable jobs={listing.data.jobs} />}
					<Pages asked={asked} cursor={cursor} next={listing.data?.nextCursor} />
				</section>
				<Facets filter={filter} counts={counts.data} />
			</div>
		</>
	);
}

function withPage(asked: URLSearchParams, cursor: string | null): URLSearchParams {
	const query = new URLSearchParams(asked);
	query.set('limit', String(PAGE_SIZE));
	if (cursor !== null) query.set('cursor', cursor);
	return query;
}

interface PagesProps {
	readonly asked: URLSearchParams;
	readonly cursor: string | null;
	readonly next: string | undefined;
}

function Pages({ asked, cursor, next }: PagesProps) {
	if (cursor === null && next === undefined) return null;
	const older = new URLSearchParams(asked);
	if (next !== undefined) older.set('cursor', next);
	return (
		<nav class="pages" aria-label="Pages of the list">
			{cursor !== null && <a href={`/jobs?${asked}`}>Newest</a>}
			{next !== undefined && <a href={`/jobs?${older}`}>Older</a>}
		</nav>
	);
}

const FACETS = [
	['status', 'status', 'byStatus'],
	['task', 'task', 'byTask'],
	['errorCode', 'error code', 'byErrorCode'],
] as const satisfies [FilterName, string, keyof JobCounts][];

/** What matches, by status, task and error code. Each name narrows the filter. */
function Facets({ filter, counts }: { readonly filter: Filter; readonly counts: JobCounts | undefined }) {
	return (
		<aside aria-label="The jobs that match, counted">
			{FACETS.map(([name, title, member]) => (
				<RankedCounts
					key={name}
					title={title}
					counts={ranked(counts?.[member])}
					pathOf={(value) => `/jobs?${filterQuery(withMember(filter, name, value))}`}
				/>
			))}
		</aside>
	);
}
