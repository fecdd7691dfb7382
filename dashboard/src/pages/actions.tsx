import type { ActionDocument } from '../../../src/client/index.ts';
import { ProblemNote } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { Age } from '../parts/time.tsx';
import { describeAction } from '../pure/describe-action.ts';
import { formatCount } from '../pure/format.ts';
import { usePoll } from '../state/live.ts';
import { address } from '../state/router.ts';
import { useQuery } from '../state/use-query.ts';

type ListedAction = Omit<ActionDocument, 'links'> & { readonly by?: string };

interface ActionsListing {
	readonly actions: readonly ListedAction[];
	readonly nextCursor?: string;
}

/** Who did what: the bulk actions of the tenant, the newest first. */
export function ActionsPage() {
	const cursor = address.value.query.get('cursor');
	const page = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
	const { data, error, refresh } = useQuery<ActionsListing>(`/v1/actions?limit=50${page}`);
	usePoll(cursor === null ? [refresh] : []);
	return (
		<>
			<h1>Actions</h1>
			<p class="quiet">Bulk actions, with the key that made them. Filter the list of jobs to make another one.</p>
			<ProblemNote error={error} />
			{data?.actions.length === 0 && <p>No action was made yet.</p>}
			{data && data.actions.length > 0 && (
				<Table heads={['status', 'action', 'by', 'created', 'matched', 'done', 'refused']}>
					{data.actions.map((action) => (
						<ActionRow key={action.id + action.createdAt} action={action} />
					))}
				</Table>
			)}
			<nav class="pages" aria-label="Pages of the log">
				{cursor !== null && <a href="/actions">Newest</a>}
				{data?.nextCursor !== undefined && <a href={`/actions?cursor=${encodeURIComponent(data.nextCursor)}`}>Older</a>}
			</nav>
		</>
	);
}

function ActionRow({ action }: { readonly action: ListedAction }) {
	const { id, status, by, createdAt, matched, done, refused } = action;
	return (
		<tr>
			<td>
				<Status of={status} />
			</td>
			<th scope="row">
				<a href={`/actions/${id}`}>{describeAction(action)}</a>
			</th>
			<td>{by ?? ''}</td>
			<td>
				<Age at={createdAt} />
			</td>
			<td class="number">{formatCount(matched)}</td>
			<td class="number">{formatCount(done)}</td>
			<td class="number">{formatCount(refused)}</td>
		</tr>
	);
}
