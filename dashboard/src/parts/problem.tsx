import { hideSecrets } from '../pure/json-text.ts';
import { ProblemError } from '../state/api.ts';

/** A refusal of the service, or a missing connection. */
export function ProblemNote({ error }: { readonly error: Error | undefined }) {
	if (!error) return null;
	const problem = error instanceof ProblemError ? error.problem : undefined;
	return (
		<div class="note bad" role="alert">
			<strong>{problem ? problem.title : 'No connection'}</strong>
			<p>{hideSecrets(problem?.detail ?? error.message)}</p>
			{problem?.errors && (
				<ul>
					{problem.errors.map(({ message, ...place }) => (
						<li key={message}>
							<code>{Object.values(place).join(' ')}</code> {message}
						</li>
					))}
				</ul>
			)}
			{problem?.correlationId && (
				<p class="quiet">
					correlation id <code>{problem.correlationId}</code>
				</p>
			)}
		</div>
	);
}
