import { useEffect } from 'preact/hooks';
import { ProblemNote } from '../parts/problem.tsx';
import { SubmitForm } from '../parts/submit-form.tsx';
import { draft } from '../state/draft.ts';
import { may } from '../state/session.ts';
import { loadTasks, tasks } from '../state/tasks.ts';
import { useCommand } from '../state/use-command.ts';

export function SubmitPage({ task: name }: { readonly task: string }) {
	const load = useCommand(loadTasks);
	useEffect(() => {
		void load.run();
		return () => {
			draft.value = undefined;
		};
	}, []);
	const task = tasks.value?.find((candidate) => candidate.name === name);
	const earlier = draft.value?.task === name ? draft.value : undefined;
	return (
		<>
			<h1>{name}</h1>
			<ProblemNote error={load.error} />
			{tasks.value && !task && <p>This deployment has no task of this name.</p>}
			{task && <p class="quiet">{task.description}</p>}
			{earlier && (
				<p class="note">
					A new job, with the input of <a href={`/jobs/${earlier.from}`}>another one</a>
					{earlier.payload ? '.' : ': that is deleted, so the form is empty.'} Parameters and options are not copied.
				</p>
			)}
			{task && !may('submit') && <p>Your key may not submit jobs.</p>}
			{task && may('submit') && <SubmitForm task={task} earlier={earlier} />}
		</>
	);
}
