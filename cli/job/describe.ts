/** Jobs in words and in rows. Pure. */
import type {
	JobCounts,
	JobEvent,
	ListedJob,
	StatusDocument,
	TaskDescription,
	TopicItem,
} from '../../src/client/index.ts';
import type { Progress } from '../terminal/bar.ts';
import { visible } from '../terminal/style.ts';

const MS_PER_SECOND = 1_000;

export function jobProgress({ type, job }: Pick<JobEvent, 'type' | 'job'>): Progress {
	const isSnapshot = type === 'snapshot';
	return { type: isSnapshot ? job.phase : type, percent: job.percentComplete ?? 0, message: job.progress?.message };
}

/** How a job ended, or how it is, in one line. */
export function describeEnd({ id, status, phase, error, createdAt, finishedAt }: StatusDocument): string {
	const short = `${id.slice(0, 8)}…`;
	if (finishedAt === undefined) return `Job ${short}: ${phase}`;
	const seconds = (Date.parse(finishedAt) - Date.parse(createdAt)) / MS_PER_SECOND;
	const reason = error === undefined ? '' : `, ${error.code}: ${visible(error.message)}`;
	return `Job ${short}: ${status === phase ? status : `${status} (${phase})`} after ${seconds.toFixed(1)} s${reason}`;
}

export function jobRows(jobs: readonly ListedJob[]): string[][] {
	return [
		['CREATED', 'STATUS', 'TASK', 'ATTEMPT', 'ERROR', 'ID'],
		...jobs.map(({ createdAt, status, phase, task, attempt, maxAttempts, error, id }) => [
			createdAt.replace(/\.\d+Z$/, 'Z'),
			status === phase ? status : `${status} (${phase})`,
			visible(task),
			`${attempt}/${maxAttempts}`,
			visible(error?.code ?? ''),
			id,
		]),
	];
}

export function countRows({ total, byStatus, byTask, byErrorCode, oldestPendingAt }: JobCounts): string[][] {
	const group = (title: string, counts: Readonly<Record<string, number>>) =>
		Object.entries(counts)
			.sort(([, a], [, b]) => b - a)
			.map(([name, count], index) => [index === 0 ? title : '', visible(name), String(count)]);
	return [
		['', '', 'JOBS'],
		['total', '', String(total)],
		...group('by status', byStatus),
		...group('by task', byTask),
		...group('by error', byErrorCode),
		...(oldestPendingAt === undefined ? [] : [['oldest pending', oldestPendingAt, '']]),
	];
}

export function taskRows(tasks: readonly TaskDescription[]): string[][] {
	return [
		['TASK', 'INPUT', 'LANE', 'TIMEOUT', 'DESCRIPTION'],
		...tasks.map(({ name, input, lane, timeoutSeconds, description = '' }) => [
			name,
			[...(input.schema ? [schemaSummary(input.schema)] : []), ...(input.mediaTypes ?? [])].join(', '),
			lane,
			`${timeoutSeconds} s`,
			visible(description),
		]),
	];
}

/** The members of an object's schema: `{ seconds, steps? }`. */
function schemaSummary({ properties, required = [] }: Readonly<Record<string, unknown>>): string {
	if (typeof properties !== 'object' || properties === null) return 'JSON';
	const names = Object.keys(properties).map((name) => ((required as string[]).includes(name) ? name : `${name}?`));
	return `{ ${names.join(', ')} }`;
}

/** An event of a topic in one line. */
export function topicLine({ seq, at, type, ...event }: TopicItem): string {
	const { correlationId = '', data, dataBase64, mediaType } = event as Record<string, string | undefined>;
	const content =
		dataBase64 === undefined ? JSON.stringify(data) : `${mediaType}, ${dataBase64.length} characters of base64`;
	return visible([seq, at, type, correlationId, content ?? ''].filter((part) => part !== '').join('  '));
}
