import type { ListedTopic } from '../../../src/client/index.ts';
import { ProblemNote } from '../parts/problem.tsx';
import { usePoll } from '../state/live.ts';
import { address, navigate } from '../state/router.ts';
import { useQuery } from '../state/use-query.ts';

interface TopicsListing {
	readonly topics: readonly ListedTopic[];
	readonly nextCursor?: string;
}

const pathOf = (topic: string) => `/topics/${encodeURIComponent(topic)}`;

export function TopicsPage() {
	const cursor = address.value.query.get('cursor');
	const page = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
	const { data, error, refresh } = useQuery<TopicsListing>(`/v1/topics?limit=100${page}`);
	usePoll([refresh]);
	return (
		<>
			<h1>Topics</h1>
			<p class="quiet">
				A topic is a log of events that many can read. These have events or subscriptions. The topic <code>jobs</code>{' '}
				has the events of all jobs.
			</p>
			<ProblemNote error={error} />
			{data && (
				<ul class="topics">
					{data.topics.map(({ name }) => (
						<li key={name}>
							<a href={pathOf(name)}>{name}</a>
						</li>
					))}
				</ul>
			)}
			<nav class="pages" aria-label="Pages of the topics">
				{cursor !== null && <a href="/topics">First</a>}
				{data?.nextCursor !== undefined && <a href={`/topics?cursor=${encodeURIComponent(data.nextCursor)}`}>Next</a>}
			</nav>
			<form
				class="row"
				onSubmit={(event) => {
					event.preventDefault();
					const name = String(new FormData(event.currentTarget).get('topic') ?? '').trim();
					if (name !== '') navigate(pathOf(name));
				}}
			>
				<label>
					Name of a topic, also of one that has no events yet
					<input name="topic" required autocomplete="off" spellcheck={false} />
				</label>
				<button type="submit" class="main">
					Open
				</button>
			</form>
		</>
	);
}
