import { useEffect } from 'preact/hooks';
import { type Filter, filterQuery, isEmptyFilter, PHASES, readFilter, STATUSES } from '../pure/filters.ts';
import { fromLocalInput, toLocalInput } from '../pure/local-time.ts';
import { navigate } from '../state/router.ts';
import { loadTasks, tasks } from '../state/tasks.ts';

/** The filter as a form. It only changes the address. */
export function FilterForm({ filter }: { readonly filter: Filter }) {
	useEffect(() => {
		// Without the tasks, the field takes any name.
		loadTasks().catch(() => {});
	}, []);
	return (
		<form
			class="filter filter-grid"
			aria-label="Filter"
			onSubmit={(event) => {
				event.preventDefault();
				apply(event.currentTarget);
			}}
		>
			<Choice name="status" label="Status" values={STATUSES} chosen={filter.status} />
			<Choice name="phase" label="Phase" values={PHASES} chosen={filter.phase} />
			<label>
				Task
				<input name="task" list="tasks" defaultValue={filter.task} autocomplete="off" />
			</label>
			<datalist id="tasks">
				{tasks.value?.map(({ name }) => (
					<option key={name} value={name} />
				))}
			</datalist>
			<Text name="errorCode" label="Error code" value={filter.errorCode} />
			<Text name="tags" label="Tags (a, b)" value={filter.tags.join(', ')} />
			<div class="buttons">
				<button type="submit" class="main">
					Filter
				</button>
				{!isEmptyFilter(filter) && <a href="/jobs">Show all</a>}
			</div>
			<details open={hasRare(filter)}>
				<summary>More</summary>
				<div class="filter-grid">
					<Text name="correlationId" label="Correlation id" value={filter.correlationId} />
					<Text name="idempotencyKey" label="Idempotency key" value={filter.idempotencyKey} />
					<Time name="createdAfter" label="Created at or after" value={filter.createdAfter} />
					<Time name="createdBefore" label="Created before" value={filter.createdBefore} />
				</div>
			</details>
		</form>
	);
}

/** Whether a member is set that the form shows only on request. */
function hasRare({ correlationId, idempotencyKey, createdAfter, createdBefore }: Filter): boolean {
	return [correlationId, idempotencyKey, createdAfter, createdBefore].some((value) => value !== undefined);
}

interface ChoiceProps {
	readonly name: string;
	readonly label: string;
	readonly values: readonly string[];
	readonly chosen: string | undefined;
}

function Choice({ name, label, values, chosen = '' }: ChoiceProps) {
	return (
		<label>
			{label}
			<select name={name} onChange={(event) => event.currentTarget.form && apply(event.currentTarget.form)}>
				<option value="">any</option>
				{values.map((value) => (
					<option key={value} value={value} selected={value === chosen}>
						{value}
					</option>
				))}
			</select>
		</label>
	);
}

interface FieldProps {
	readonly name: string;
	readonly label: string;
	readonly value: string | undefined;
}

function Text({ name, label, value }: FieldProps) {
	return (
		<label>
			{label}
			<input name={name} defaultValue={value} autocomplete="off" spellcheck={false} />
		</label>
	);
}

function Time({ name, label, value }: FieldProps) {
	return (
		<label>
			{label}
			<input name={name} type="datetime-local" step="1" defaultValue={value && toLocalInput(value)} />
		</label>
	);
}

function apply(form: HTMLFormElement): void {
	const query = new URLSearchParams();
	for (const [name, value] of new FormData(form)) {
		const text = String(value).trim();
		if (name === 'tags') for (const tag of text.split(',')) query.append('tag', tag);
		else query.set(name, name.startsWith('created') ? fromLocalInput(text) : text);
	}
	const asked = filterQuery(readFilter(query));
	navigate(asked.size === 0 ? '/jobs' : `/jobs?${asked}`);
}
