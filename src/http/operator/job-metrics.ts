/** Metrics of a tenant's jobs, from the list's index: no job is asked. Gauges, because counters of an isolate would mean nothing. */
import { MS_PER_HOUR, MS_PER_SECOND } from '../../core/job/limits.ts';
import { PAGE_ITEMS } from '../../core/list/limits.ts';
import type { CombinationCount, ListedEntry } from '../../core/list/list-api.ts';
import type { Lists } from '../../rpc/lists.ts';
import { boundedSamples, type Metric, type Sample } from './prometheus.ts';

/** Jobs that were created within this time are recent. */
const RECENT_MS = 1 * MS_PER_HOUR;
/** The label is not `quantile`: Prometheus keeps that for summaries. */
const PERCENTILES = [50, 95] as const;

export interface JobFigures {
	readonly tenant: string;
	readonly all: readonly CombinationCount[];
	readonly recent: readonly CombinationCount[];
	/** The newest of the recent jobs that succeeded. */
	readonly newest: readonly ListedEntry[];
	/** Creation of the oldest job in phase `queued`, in milliseconds since the epoch. */
	readonly oldestQueuedAt: number | undefined;
}

export async function readJobFigures(lists: Lists, tenant: string, now: number): Promise<JobFigures> {
	const recent = { createdAfter: now - RECENT_MS };
	const [all, ofHour, page, queued] = await lists.call(tenant, (list) =>
		Promise.all([
			list.countCombinations({}),
			list.countCombinations(recent),
			list.listJobs({ filter: { ...recent, status: 'succeeded' }, limit: PAGE_ITEMS.max }),
			list.countJobs({ phase: 'queued' }),
		]),
	);
	return { tenant, all, recent: ofHour, newest: page.entries, oldestQueuedAt: queued.oldestPendingAt };
}

export function jobMetrics(figures: JobFigures, now: number): Metric[] {
	const { tenant, all, recent, newest, oldestQueuedAt } = figures;
	const queuedSeconds = oldestQueuedAt === undefined ? 0 : Math.max(0, now - oldestQueuedAt) / MS_PER_SECOND;
	const failed = all.filter(({ status }) => status === 'failed');
	const recentlyFailed = recent.filter(({ status }) => status === 'failed');
	return [
		{
			name: 'coatcheck_jobs',
			help: 'Jobs in the list, by task, status and phase. A finished job leaves the list when its retention ends.',
			samples: samplesBy(tenant, all, ({ task, status, phase }) => ({ task, status, phase })),
		},
		{
			name: 'coatcheck_failed_jobs',
			help: 'Failed jobs in the list, by task and error code.',
			samples: samplesBy(tenant, failed, ({ task, errorCode = '' }) => ({ task, code: errorCode })),
		},
		{
			name: 'coatcheck_recent_jobs',
			help: 'Jobs that were created in the last hour, by task and status.',
			samples: samplesBy(tenant, recent, ({ task, status }) => ({ task, status })),
		},
		{
			name: 'coatcheck_recent_failed_jobs',
			help: 'Failed jobs that were created in the last hour, by task and error code.',
			samples: samplesBy(tenant, recentlyFailed, ({ task, errorCode = '' }) => ({ task, code: errorCode })),
		},
		{
			name: 'coatcheck_oldest_queued_job_age_seconds',
			help: 'Age of the oldest job in phase queued, in seconds; 0 without one.',
			samples: [{ labels: { tenant }, value: queuedSeconds }],
		},
		{
			name: 'coatcheck_recent_run_seconds',
			help: 'Percentiles of the time from the first start to the end, in seconds: of at most 100 jobs, the newest of the last hour that succeeded.',
			samples: runPercentiles(tenant, newest),
		},
	];
}

function samplesBy(
	tenant: string,
	counted: readonly CombinationCount[],
	labels: (counted: CombinationCount) => Record<string, string>,
): Sample[] {
	const counts = counted.map((one) => ({ labels: { tenant, ...labels(one) }, count: one.count }));
	return boundedSamples(counts, ['task', 'code']);
}

function runPercentiles(tenant: string, entries: readonly ListedEntry[]): Sample[] {
	const byTask = Map.groupBy(entries, ({ job }) => job.task);
	return [...byTask].flatMap(([task, jobs]) => {
		const seconds = jobs.flatMap(({ job: { startedAt, finishedAt } }) =>
			startedAt && finishedAt ? [(Date.parse(finishedAt) - Date.parse(startedAt)) / MS_PER_SECOND] : [],
		);
		seconds.sort((a, b) => a - b);
		return PERCENTILES.flatMap((percentile) => {
			const value = seconds[Math.min(seconds.length - 1, Math.floor((percentile * seconds.length) / 100))];
			return value === undefined ? [] : [{ labels: { tenant, task, percentile: String(percentile) }, value }];
		});
	});
}
