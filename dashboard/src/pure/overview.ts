/** What the overview says: the last hour against the one before, and whether something is wrong. */
import type { JobCounts } from '../../../src/client/index.ts';

const HOUR_MS = 3_600_000;

export interface Lane {
	readonly name: string;
	readonly backlog: number;
	readonly backlogBytes?: number;
	readonly oldestMessageAt?: string;
}

export interface Upstream {
	readonly name: string;
	readonly breaker: 'closed' | 'open' | 'half-open';
	readonly openUntil?: string;
	readonly recentFailures?: number;
	readonly running?: number;
	readonly limit?: number;
}

/** The question for the jobs of the hour that ended `hoursAgo` hours ago. */
export function hourQuery(nowMs: number, hoursAgo: number): URLSearchParams {
	const endsAt = nowMs - hoursAgo * HOUR_MS;
	const query = new URLSearchParams({ createdAfter: new Date(endsAt - HOUR_MS).toISOString() });
	if (hoursAgo > 0) query.set('createdBefore', new Date(endsAt).toISOString());
	return query;
}

/** The names of a count with their numbers, the largest first. */
export function ranked(counts: Readonly<Record<string, number>> | undefined): (readonly [string, number])[] {
	return Object.entries(counts ?? {})
		.filter(([, count]) => count > 0)
		.sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1));
}

/** A message waits this long before the overview calls it late. */
const LATE_MS = 60_000;

export interface Health {
	readonly nowMs: number;
	readonly lastHour: JobCounts | undefined;
	readonly lanes: readonly Lane[] | undefined;
	readonly upstreams: readonly Upstream[] | undefined;
}

/** What is wrong, the worst first; empty if nothing is. */
export function findTroubles({ nowMs, lastHour, lanes = [], upstreams = [] }: Health): string[] {
	const open = upstreams.filter(({ breaker }) => breaker !== 'closed').map(({ name }) => name);
	const late = lanes.filter(({ oldestMessageAt }) => oldestMessageAt && nowMs - Date.parse(oldestMessageAt) > LATE_MS);
	const failed = lastHour?.byStatus.failed ?? 0;
	return [
		...(open.length > 0 ? [`The breaker of ${open.join(', ')} is not closed.`] : []),
		...(late.length > 0
			? [`Messages of lane ${late.map(({ name }) => name).join(', ')} wait for more than a minute.`]
			: []),
		...(failed > 0 ? [`${failed} of ${lastHour?.total ?? 0} jobs of the last hour failed.`] : []),
	];
}
