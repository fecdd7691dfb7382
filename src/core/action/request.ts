/** The request for a bulk action, as clients send it and as its job keeps it. Pure. */
import * as z from 'zod';
import { defined } from '../defined.ts';
import { STATUSES } from '../job/record.ts';
import type { JobFilter } from '../list/list-api.ts';
import { jobFilter, WireFilter } from '../list/wire-filter.ts';

export const ACTIONS = ['cancel', 'retry', 'purge'] as const;
export type ActionName = (typeof ACTIONS)[number];

/** The filters that can match several jobs. */
const ActionFilter = WireFilter().omit({ id: true, idempotencyKey: true });
const ONE_FILTER = `expected at least one filter: ${Object.keys(ActionFilter.shape).join(', ')}`;

export const ActionRequest = z.strictObject(
	{
		action: z.enum(ACTIONS, `expected one of ${ACTIONS.join(', ')}`),
		filter: z.record(z.string(), z.unknown(), ONE_FILTER).pipe(
			ActionFilter.transform(inOneForm).refine(hasMember, {
				error: ONE_FILTER,
				when: ({ issues }) => issues.length === 0,
			}),
		),
	},
	'expected { "action", "filter" }',
);
export type ActionRequest = z.infer<typeof ActionRequest>;

function hasMember(filter: JobFilter): boolean {
	return Object.keys(filter).length > 0;
}

/** The order of tags means nothing, and neither does a tag that is named twice. */
function inOneForm(filter: z.infer<typeof ActionFilter>): JobFilter {
	const { tags, ...members } = jobFilter(filter);
	return defined({ ...members, tags: tags && [...new Set(tags)].sort() });
}

/** The parameters of an action's job. A persisted contract: only add optional fields. Times are milliseconds since the epoch. */
export const ActionParameters = z.object({
	action: z.enum(ACTIONS),
	filter: z
		.object({
			status: z.enum(STATUSES).optional(),
			phase: z.string().optional(),
			task: z.string().optional(),
			tags: z.array(z.string()).optional(),
			correlationId: z.string().optional(),
			errorCode: z.string().optional(),
			createdAfter: z.number().optional(),
			createdBefore: z.number().optional(),
		})
		.transform((filter): JobFilter => defined(filter)),
	/** Number of jobs that matched when the action was made. */
	matched: z.int().nonnegative(),
});
export type ActionParameters = z.infer<typeof ActionParameters>;

/** Returns the filter of an action as clients see it. */
export function actionFilterDocument({ tags, createdAfter, createdBefore, ...members }: ActionParameters['filter']) {
	return defined({
		...members,
		tag: tags,
		createdAfter: timeText(createdAfter),
		createdBefore: timeText(createdBefore),
	});
}

function timeText(ms: number | undefined): string | undefined {
	return ms === undefined ? undefined : new Date(ms).toISOString();
}
