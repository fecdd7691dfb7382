/** Shows a plan: new files whole, and the lines that are added to others. Pure. */
import type { Style } from '../terminal/style.ts';
import type { Change, Plan } from './plan.ts';

/** Lines of the secrets in `.dev.vars` are shown without their values. */
const SECRET = /^(SIGNING_KEYS|WEBHOOK_SECRETS)=.*$/;

export function renderPlan({ changes }: Plan, style: Style): string[] {
	return changes.flatMap((change) => [
		style('bold', `${change.before === undefined ? 'create' : 'extend'} ${change.path}`),
		...addedLines(change).map((line) => style('green', `  + ${line.replace(SECRET, '$1=…')}`)),
		'',
	]);
}

export function renderSteps({ steps }: Plan, style: Style): string[] {
	return steps.flatMap(({ text, lines }) => [
		style('bold', `  ${text}`),
		...(lines === undefined
			? []
			: [
					'',
					...lines
						.trimEnd()
						.split('\n')
						.map((line) => `    ${line}`),
					'',
				]),
	]);
}

/** The lines that `after` has and `before` has not, in their order: nothing is ever removed. */
export function addedLines({ before, after }: Change): string[] {
	const lines = after.trimEnd().split('\n');
	if (before === undefined) return lines;
	const old = before.split('\n');
	let next = 0;
	return lines.filter((line) => {
		if (next < old.length && line === old[next]) {
			next++;
			return false;
		}
		return true;
	});
}
