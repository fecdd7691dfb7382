import type { ActionDocument, JobEvent } from '../../../src/client/index.ts';

/** An action after an event of its job: `progress.data` has the counts. */
export function afterActionEvent(action: ActionDocument, text: string): ActionDocument {
	const { job } = JSON.parse(text) as JobEvent;
	const { status, phase, percentComplete = action.percentComplete, progress } = job;
	const counts = (progress?.data ?? {}) as Partial<Pick<ActionDocument, 'matched' | 'done' | 'refused'>>;
	const { matched = action.matched, done = action.done, refused = action.refused } = counts;
	return { ...action, status, phase, percentComplete, matched, done, refused };
}
