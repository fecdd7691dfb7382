import type { ActionDocument } from '../../../src/client/index.ts';
import { describeFilter, filterQuery, readFilter } from './filters.ts';

type Described = Pick<ActionDocument, 'action' | 'filter'>;

/** An action in words: `retry: status failed, tag nightly`. */
export function describeAction({ action, filter }: Described): string {
	return `${action}: ${describeFilter(readFilter(actionQuery({ filter })))}`;
}

/** The page of the jobs that match an action's filter now. */
export function actionJobsPath({ filter }: Pick<ActionDocument, 'filter'>): string {
	return `/jobs?${filterQuery(readFilter(actionQuery({ filter })))}`;
}

function actionQuery({ filter: { tag = [], ...members } }: Pick<ActionDocument, 'filter'>): URLSearchParams {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(members)) if (value !== undefined) query.set(name, String(value));
	for (const each of typeof tag === 'string' ? [tag] : tag) query.append('tag', each);
	return query;
}
