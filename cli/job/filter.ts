/** The filter of `list`, `counts` and `redrive`, from options to the client's form. Pure. */
import type { ArgsDef } from 'citty';
import type { ActionFilter, JobsFilter } from '../../src/client/index.ts';
import { UsageError } from '../failure.ts';

/** Options that choose jobs. A job must match all that are given. */
export const ACTION_FILTER = {
	status: {
		type: 'enum',
		options: ['pending', 'running', 'succeeded', 'failed', 'canceled'],
		description: 'Jobs with this status',
	},
	phase: { type: 'string', description: 'Jobs in this phase, for example dead-lettered' },
	task: { type: 'string', description: 'Jobs of this task, or of upstreams/<name>' },
	tag: { type: 'string', description: 'Jobs with this tag. Repeat it for jobs with all of several tags' },
	'correlation-id': { type: 'string', description: 'Jobs with this correlation id' },
	'error-code': { type: 'string', description: 'Failed jobs whose error has this code' },
	'created-after': { type: 'string', description: 'Jobs created then or later: RFC 3339, or an age such as 2h, 3d' },
	'created-before': { type: 'string', description: 'Jobs created before then' },
} satisfies ArgsDef;

export const JOBS_FILTER = {
	...ACTION_FILTER,
	'idempotency-key': { type: 'string', description: 'The jobs that were submitted with this key' },
	id: { type: 'string', description: 'The job with this id' },
} satisfies ArgsDef;

type Name = keyof typeof JOBS_FILTER;
/** The options' values by name. */
export type FilterValues = Partial<Record<Exclude<Name, 'tag'>, string | undefined>>;

const MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @param now in milliseconds since the epoch, for ages. @throws {UsageError} for a time that is none. */
export function jobsFilter(values: FilterValues, tags: readonly string[], now: number): JobsFilter {
	const members = {
		status: values.status,
		phase: values.phase,
		task: values.task,
		tag: tags.length > 0 ? tags : undefined,
		correlationId: values['correlation-id'],
		errorCode: values['error-code'],
		createdAfter: readTime('created-after', values['created-after'], now),
		createdBefore: readTime('created-before', values['created-before'], now),
		idempotencyKey: values['idempotency-key'],
		id: values.id,
	};
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** The filter of an action. Without one, a retry is for dead letters. */
export function actionFilter(filter: ActionFilter, action: string): ActionFilter {
	if (Object.keys(filter).length === 0 && action !== 'retry')
		throw new UsageError(`Expected at least one filter, because ${action} without one would mean every job`);
	const isChosen = filter.status !== undefined || filter.phase !== undefined || filter.errorCode !== undefined;
	return action === 'retry' && !isChosen ? { ...filter, phase: 'dead-lettered' } : filter;
}

/** The filter in words: `phase=dead-lettered, task=sleep`. */
export function describeFilter(filter: JobsFilter): string {
	return Object.entries(filter)
		.map(([name, value]) => `${name}=${Array.isArray(value) ? value.join('+') : String(value)}`)
		.join(', ');
}

const AGE = /^(\d{1,6})([smhd])$/;

/** A cursor belongs to one filter, and an age would make another one each time. @throws {UsageError} */
export function assertFixedTimes(values: FilterValues): void {
	for (const option of ['created-after', 'created-before'] as const)
		if (AGE.test(values[option] ?? ''))
			throw new UsageError(
				`--${option}: expected the time of the page before, because the cursor belongs to it, got an age`,
			);
}

/** The times of a filter as options, to continue with the same filter. */
export function fixedTimes({ createdAfter, createdBefore }: JobsFilter): string {
	const option = (name: string, time: unknown) => (time === undefined ? '' : ` --${name} ${String(time)}`);
	return option('created-after', createdAfter) + option('created-before', createdBefore);
}

function readTime(option: string, text: string | undefined, now: number): string | undefined {
	if (text === undefined) return undefined;
	const [, count, unit] = AGE.exec(text) ?? [];
	if (count !== undefined) return new Date(now - Number(count) * MS[unit as keyof typeof MS]).toISOString();
	if (/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text)))
		return text.includes('T') ? text : `${text}T00:00:00Z`;
	throw new UsageError(`--${option}: expected RFC 3339 (2026-01-31T18:00:00Z), a date, or an age (2h), got: "${text}"`);
}
