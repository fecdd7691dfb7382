import type { StatusDocument } from '../../../src/client/index.ts';
import { Deliveries } from '../parts/deliveries.tsx';
import { JobCommands } from '../parts/job-commands.tsx';
import { JobFacts } from '../parts/job-facts.tsx';
import { PayloadView } from '../parts/payload.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Status } from '../parts/status.tsx';
import { Age, Clock } from '../parts/time.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { hasInput } from '../pure/job-event.ts';
import { hideSecrets, prettyJson } from '../pure/json-text.ts';
import { whyItWaits } from '../pure/timeline.ts';
import { useJob } from '../state/use-job.ts';

export function JobPage({ id }: { readonly id: string }) {
	const { job, events, error, refresh } = useJob(id);
	if (!job)
		return (
			<>
				<h1>Job</h1>
				<ProblemNote error={error} />
				{!error && <p class="loading">Loading…</p>}
			</>
		);
	return (
		<>
			<div class="title">
				<h1>{job.task}</h1>
				<Status of={job.phase} />
				<JobCommands job={job} onDone={refresh} />
			</div>
			<ProblemNote error={error} />
			<Waiting job={job} />
			<Failure job={job} />
			<Progress job={job} />
			<div class="columns">
				<JobFacts job={job} />
				<Timeline events={events} />
			</div>
			<div class="columns">
				<section>
					<h2>Input</h2>
					{hasInput(job) ? (
						<PayloadView url={`/v1/jobs/${id}/input`} what="input" key={job.status} />
					) : (
						<p class="quiet">The job succeeded, so its input was deleted.</p>
					)}
				</section>
				<section>
					<h2>Result</h2>
					{job.status === 'succeeded' ? (
						<PayloadView url={`/v1/jobs/${id}/result`} what="result" />
					) : (
						<p class="quiet">The job has no result.</p>
					)}
				</section>
			</div>
			<Deliveries job={job} onSent={refresh} />
		</>
	);
}

function Waiting({ job }: { readonly job: StatusDocument }) {
	const reason = whyItWaits(job);
	if (reason === undefined) return null;
	return (
		<p class="note warn">
			{reason}
			{job.nextAttemptAt && (
				<>
					{' '}
					The next attempt starts <Age at={job.nextAttemptAt} /> (<Clock at={job.nextAttemptAt} />
					).
				</>
			)}
		</p>
	);
}

function Failure({ job: { error } }: { readonly job: StatusDocument }) {
	if (!error) return null;
	return (
		<section class="note bad" aria-label="Error">
			<strong>{error.code}</strong>
			<p class="message">{hideSecrets(error.message)}</p>
			{error.details && <pre>{hideSecrets(prettyJson(JSON.stringify(error.details)))}</pre>}
			<p class="quiet">{error.retryable ? 'It can be retried.' : 'Its task says that another try would fail too.'}</p>
		</section>
	);
}

function Progress({ job }: { readonly job: StatusDocument }) {
	const { percentComplete, progress, status } = job;
	if (percentComplete === undefined && !progress) return null;
	return (
		<section aria-label="Progress" class={`live ${status}`}>
			{percentComplete !== undefined && <ProgressBar percent={percentComplete} label={`Progress, ${status}`} />}
			{progress?.message && <p class="message">{hideSecrets(progress.message)}</p>}
			{progress?.data !== undefined && (
				<details>
					<summary>Data of the progress</summary>
					<pre>{hideSecrets(prettyJson(JSON.stringify(progress.data)))}</pre>
				</details>
			)}
		</section>
	);
}
