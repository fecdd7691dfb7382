import type { SubscriptionDocument } from '../../../src/client/index.ts';
import { usePoll } from '../state/live.ts';
import { useQuery } from '../state/use-query.ts';
import { ProblemNote } from './problem.tsx';
import { Status } from './status.tsx';
import { Table } from './table.tsx';

/** Where the events of a topic go. */
export function Subscriptions({ topic }: { readonly topic: string }) {
	const url = `/v1/topics/${encodeURIComponent(topic)}/subscriptions`;
	const { data, error, refresh } = useQuery<{ readonly subscriptions: readonly SubscriptionDocument[] }>(url);
	usePoll([refresh]);
	return (
		<section>
			<h2>Subscriptions</h2>
			<ProblemNote error={error} />
			{data?.subscriptions.length === 0 && <p class="quiet">No subscription.</p>}
			{data && data.subscriptions.length > 0 && (
				<Table heads={['name', 'status', 'to', 'at event', 'behind', 'delivered', 'given up']}>
					{data.subscriptions.map(({ name, status, task, webhook, cursor, lag, delivered, givenUp }) => (
						<tr key={name}>
							<th scope="row">{name}</th>
							<td>
								<Status of={status} />
							</td>
							<td class="cut">{task ?? webhook?.url ?? ''}</td>
							<td class="number">{cursor}</td>
							<td class="number">{lag}</td>
							<td class="number">{delivered}</td>
							<td class="number">{givenUp.count}</td>
						</tr>
					))}
				</Table>
			)}
		</section>
	);
}
