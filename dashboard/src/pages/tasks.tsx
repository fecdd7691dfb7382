import { useEffect } from 'preact/hooks';
import { ProblemNote } from '../parts/problem.tsx';
import { loadTasks, tasks } from '../state/tasks.ts';
import { useCommand } from '../state/use-command.ts';

/** The tasks that can be submitted. */
export function TasksPage() {
	const load = useCommand(loadTasks);
	useEffect(() => {
		void load.run();
	}, []);
	return (
		<>
			<h1>Submit a job</h1>
			<ProblemNote error={load.error} />
			{tasks.value?.length === 0 && <p>This deployment has no tasks.</p>}
			<ul class="tasks">
				{tasks.value?.map(({ name, description }) => (
					<li key={name}>
						<a href={`/submit/${encodeURIComponent(name)}`}>{name}</a>
						<p class="quiet">{description}</p>
					</li>
				))}
			</ul>
		</>
	);
}
