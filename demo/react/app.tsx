import { type FormEvent, useState } from 'react';
import type { JobState, UsedJob } from '../../src/react/index.ts';
import { useJob, useSubmit } from './hooks.ts';

/** The page's address keeps the job's URL, so that a reload finds the job again. */
const readJobUrl = () => new URLSearchParams(location.hash.slice(1)).get('job') ?? undefined;
const keepJobUrl = (url: string) => history.replaceState(null, '', `#${new URLSearchParams({ job: url })}`);

export function App() {
	const [url] = useState(readJobUrl);
	const submitted = useSubmit('sleep');
	const found = useJob<'sleep'>(submitted.handle ? undefined : url);

	const submit = (event: FormEvent<HTMLFormElement>) => {
		event.preventDefault();
		const seconds = Number(new FormData(event.currentTarget).get('seconds'));
		const handle = submitted.submit({ seconds, steps: Math.max(1, Math.min(100, Math.round(seconds * 4))) });
		// The link that may also cancel. The state shows a refusal.
		handle.accepted().then(
			({ links }) => keepJobUrl(links.cancel ?? links.self),
			() => {},
		);
	};

	return (
		<>
			<h1>A job, and its progress</h1>
			<form onSubmit={submit}>
				<label>
					Seconds <input name="seconds" type="number" min={0} max={600} step={0.5} defaultValue={5} />
				</label>{' '}
				<button type="submit">Submit</button>
			</form>
			<Progress {...(submitted.handle ? submitted : found)} />
		</>
	);
}

function Progress({ cancel, commandError, ...state }: UsedJob<{ sleptSeconds: number }>) {
	const { status, job } = state;
	const isUnfinished = status === 'pending' || status === 'running';
	return (
		<section aria-label="Job">
			<p role="status">{status}</p>
			{job && <progress aria-label="Progress" max={100} value={job.percentComplete ?? 0} />}{' '}
			{isUnfinished && (
				<button type="button" onClick={cancel}>
					Cancel
				</button>
			)}
			<Outcome {...state} />
			{commandError && <p role="alert">{commandError.message}</p>}
		</section>
	);
}

function Outcome({ status, result, error }: JobState<{ sleptSeconds: number }>) {
	if (status === 'succeeded') return <p>Slept for {result.sleptSeconds} s.</p>;
	return error ? <p role="alert">{error.message}</p> : null;
}
