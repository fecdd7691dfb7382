import { filterQuery, idInText, searchFilters } from '../pure/filters.ts';
import { readJson } from '../state/api.ts';
import { navigate } from '../state/router.ts';
import { useCommand } from '../state/use-command.ts';

interface Found {
	readonly jobs: readonly { readonly id: string }[];
}

/** Finds a job by its id, its URL, its correlation id or its idempotency key. */
export function Search() {
	const field = { value: '' };
	const search = useCommand(async () => navigate(await placeOf(field.value)));
	return (
		<search>
			<form
				class="search"
				onSubmit={(event) => {
					event.preventDefault();
					field.value = String(new FormData(event.currentTarget).get('text') ?? '');
					void search.run();
				}}
			>
				<input
					name="text"
					type="search"
					aria-label="Find a job by id, correlation id or idempotency key"
					placeholder="Id, correlation id or idempotency key"
					autocomplete="off"
					spellcheck={false}
				/>
				<button type="submit" disabled={search.isRunning}>
					Find
				</button>
				{search.error && (
					<p class="note bad" role="alert">
						{search.error.message}
					</p>
				)}
			</form>
		</search>
	);
}

/** The page of the only job that matches, or the list of those that do. */
async function placeOf(text: string): Promise<string> {
	const id = idInText(text.trim());
	if (id !== undefined) return `/jobs/${id}`;
	const filters = searchFilters(text);
	for (const filter of filters) {
		const query = filterQuery(filter);
		const { jobs } = await readJson<Found>(`/v1/jobs?${query}&limit=2`);
		if (jobs.length === 1) return `/jobs/${jobs[0]?.id}`;
		if (jobs.length > 1) return `/jobs?${query}`;
	}
	const [first] = filters;
	return first ? `/jobs?${filterQuery(first)}` : '/jobs';
}
