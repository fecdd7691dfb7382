import { useState } from 'preact/hooks';
import type { StatusDocument } from '../../../src/client/index.ts';
import { hasInput, isFinished, submittableTask } from '../pure/job-event.ts';
import { sendChecked } from '../state/api.ts';
import { draft } from '../state/draft.ts';
import { readPayload } from '../state/read-payload.ts';
import { navigate } from '../state/router.ts';
import { may } from '../state/session.ts';
import { useCommand } from '../state/use-command.ts';
import { Dialog } from './dialog.tsx';
import { ProblemNote } from './problem.tsx';

interface JobCommandsProps {
	readonly job: StatusDocument;
	readonly onDone: () => void;
}

/** The commands that the key allows and the job's state takes. */
export function JobCommands({ job, onDone }: JobCommandsProps) {
	const [isPurgeAsked, askPurge] = useState(false);
	const post = (command: string) => async () => {
		await sendChecked(`/v1/jobs/${job.id}/${command}`, { method: 'POST' });
		onDone();
	};
	const cancel = useCommand(post('cancel'));
	const retry = useCommand(post('retry'));
	const purge = useCommand(async () => {
		await post('purge')();
		askPurge(false);
	});
	const again = useCommand(() => openForm(job));
	const isOver = isFinished(job);
	const mayRetry = may('submit') && (job.status === 'failed' || job.status === 'canceled');
	return (
		<div class="buttons">
			{may('cancel') && !isOver && (
				<button type="button" onClick={cancel.run} disabled={cancel.isRunning || job.phase === 'canceling'}>
					Cancel
				</button>
			)}
			{mayRetry && (
				<button type="button" onClick={retry.run} disabled={retry.isRunning}>
					Retry
				</button>
			)}
			{may('submit') && submittableTask(job) !== undefined && (
				<button type="button" onClick={again.run} disabled={again.isRunning}>
					Retry with another input
				</button>
			)}
			{may('cancel') && isOver && (
				<button type="button" onClick={() => askPurge(true)}>
					Purge
				</button>
			)}
			<ProblemNote error={cancel.error ?? retry.error ?? again.error} />
			{isPurgeAsked && (
				<Dialog title="Purge this job?" onClose={() => askPurge(false)}>
					<p>Its record, input and result are deleted for good.</p>
					<ProblemNote error={purge.error} />
					<div class="buttons">
						<button type="button" class="main" onClick={purge.run} disabled={purge.isRunning}>
							Purge
						</button>
						<button type="button" onClick={() => askPurge(false)}>
							Keep it
						</button>
					</div>
				</Dialog>
			)}
		</div>
	);
}

/** Opens the form of the job's task with the job's input. The new job is another one: this one stays. */
async function openForm(job: StatusDocument): Promise<void> {
	const task = submittableTask(job);
	if (task === undefined) return;
	const payload = hasInput(job) ? await readPayload(`/v1/jobs/${job.id}/input`) : undefined;
	draft.value = { task, from: job.id, ...(payload && { payload }) };
	navigate(`/submit/${encodeURIComponent(task)}`);
}
