import { navigate } from '../state/router.ts';

/** The topic of the tenant's own jobs exists in every deployment with a list. */
const JOBS_TOPIC = 'jobs';

export function TopicsPage() {
	return (
		<>
			<h1>Topics</h1>
			<p class="quiet">
				A topic is a log of events that many can read. The service does not list topics: open one by its name. The topic{' '}
				<a href={`/topics/${JOBS_TOPIC}`}>{JOBS_TOPIC}</a> has the events of all jobs.
			</p>
			<form
				class="row"
				onSubmit={(event) => {
					event.preventDefault();
					const name = String(new FormData(event.currentTarget).get('topic') ?? '').trim();
					if (name !== '') navigate(`/topics/${encodeURIComponent(name)}`);
				}}
			>
				<label>
					Name of the topic
					<input name="topic" required autocomplete="off" spellcheck={false} />
				</label>
				<button type="submit" class="main">
					Open
				</button>
			</form>
		</>
	);
}
