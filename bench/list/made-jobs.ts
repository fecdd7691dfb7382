/** The jobs of the bench of lists, the same for every contender: a hundred thousand a day, the newest one now. */
import type { JobNews, ListedJob } from '../../src/core/job/news.ts';

const DAY_MS = 86_400_000;
export const JOBS_A_DAY = 100_000;
const RETAIN_MS = 30 * DAY_MS;
/** One job of a thousand failed, and another one waits. */
const RARE = 1_000;
const TASKS = ['sleep', 'thumbnail', 'profile-csv', 'invoice', 'report'];
/** One job of a hundred. */
export const RARE_TASK = 'rare';
/** Each for one job of two hundred. */
const BATCHES = 200;

export interface MadeList {
	readonly total: number;
	/** In milliseconds since the epoch. */
	readonly now: number;
}

export function madeNews(nth: number, list: MadeList): JobNews {
	const createdAt = createdAtFor(nth, list);
	const at = (afterMs: number) => new Date(createdAt + afterMs).toISOString();
	const kind = nth % RARE;
	const isPending = kind === 250;
	const isFailed = kind === 500;
	const job: ListedJob = {
		id: madeId(nth),
		task: nth % 100 === 33 ? RARE_TASK : (TASKS[nth % TASKS.length] ?? ''),
		status: isPending ? 'pending' : isFailed ? 'failed' : 'succeeded',
		phase: isPending ? 'delayed' : isFailed ? 'failed' : 'succeeded',
		attempt: isPending ? 0 : 1,
		maxAttempts: 4,
		seq: isPending ? 1 : 3,
		createdAt: at(0),
		lastUpdatedAt: at(isPending ? 0 : 900),
		correlationId: madeCorrelationId(nth),
		tags: ['import', `batch-${nth % BATCHES}`],
		...(!isPending && { startedAt: at(40), finishedAt: at(900), expiresAt: at(RETAIN_MS) }),
		...(isFailed && {
			error: { code: madeErrorCode(nth), message: 'The service did not answer in time', retryable: true },
		}),
	};
	const end = isPending ? [] : [{ seq: 3, type: isFailed ? 'failed' : 'succeeded', at: createdAt + 900 } as const];
	return {
		id: job.id,
		tenant: 'bench',
		createdAt,
		epoch: 1,
		seq: job.seq,
		job,
		events: [{ seq: 1, type: 'accepted', at: createdAt }, ...end],
		...(isPending ? {} : { goneAt: createdAt + RETAIN_MS }),
	};
}

export function madeCorrelationId(nth: number): string {
	return `order-${nth}-${nth * 7_919}`;
}

/** The first of three codes. */
export const ERROR_CODE = 'Timeout-0';

function madeErrorCode(nth: number): string {
	return `Timeout-${Math.floor(nth / RARE) % 3}`;
}

function createdAtFor(nth: number, { total, now }: MadeList): number {
	return now - Math.floor(((total - nth) * DAY_MS) / JOBS_A_DAY);
}

function madeId(nth: number): string {
	let id = '';
	for (let part = 0; part < 8; part++) {
		let bits = Math.imul(nth + 1, 0x9e3779b1) ^ Math.imul(part + 1, 0x85ebca6b);
		bits = Math.imul(bits ^ (bits >>> 15), 0xc2b2ae35);
		id += ((bits ^ (bits >>> 13)) >>> 0).toString(16).padStart(8, '0');
	}
	return id;
}

export interface Question {
	readonly name: string;
	readonly path: (list: MadeList) => string;
	/** A rare filter with a time, which the project has a target for. */
	readonly isRare?: true;
}

const dayBefore = ({ now }: MadeList) => new Date(now - DAY_MS).toISOString();

/** Limits are such that each size of the list answers with the same number of jobs. */
export const QUESTIONS: readonly Question[] = [
	{ name: 'newest 20', path: () => '/v1/jobs' },
	{
		name: 'failed of a day, 10',
		path: (list) => `/v1/jobs?status=failed&createdAfter=${dayBefore(list)}&limit=10`,
		isRare: true,
	},
	{ name: 'one task (1 %), 20', path: () => `/v1/jobs?task=${RARE_TASK}` },
	{ name: 'one tag (0.5 %), 20', path: () => '/v1/jobs?tag=batch-7' },
	{ name: 'a tag that no job has', path: () => '/v1/jobs?tag=none' },
	{ name: 'one correlation id', path: ({ total }) => `/v1/jobs?correlationId=${madeCorrelationId(total >> 1)}` },
	{ name: 'one error code (0.03 %), 3', path: () => `/v1/jobs?errorCode=${ERROR_CODE}&limit=3` },
	{ name: 'unfinished (0.1 %), 10', path: () => '/v1/jobs?status=pending&limit=10' },
	{ name: 'counts of all', path: () => '/v1/jobs/counts' },
	{ name: 'counts of one tag', path: () => '/v1/jobs/counts?tag=batch-7' },
	{ name: 'counts of the tag of all', path: () => '/v1/jobs/counts?tag=import' },
];
