/** News of made-up jobs for tests of the list. */
import { defined } from '../../../src/core/defined.ts';
import type { Phase } from '../../../src/core/job/document.ts';
import type { JobNews, ListedJob, NewsEvent } from '../../../src/core/job/news.ts';

export const T0 = Date.UTC(2026, 0, 1);

/** An id that is always the same for a number. */
export function idFor(nth: number): string {
	const hash = Math.imul(nth + 1, 0x9e3779b1) >>> 0;
	return hash.toString(16).padStart(8, '0') + nth.toString(16).padStart(56, '0');
}

export interface MadeJob {
	readonly nth: number;
	readonly createdAt?: number;
	readonly phase?: Phase;
	readonly seq?: number;
	readonly task?: string;
	readonly tags?: readonly string[];
	readonly correlationId?: string;
	readonly errorCode?: string;
	readonly goneAt?: number;
	readonly updatedAt?: number;
	readonly readAt?: number;
	readonly isUnique?: true;
	readonly events?: readonly NewsEvent[];
}

const STATUSES: Partial<Record<Phase, ListedJob['status']>> = {
	queued: 'pending',
	succeeded: 'succeeded',
	failed: 'failed',
	'dead-lettered': 'failed',
	canceled: 'canceled',
};

export function newsFor(made: MadeJob): JobNews {
	const {
		nth,
		createdAt = T0 + nth,
		phase = 'queued',
		seq = 1,
		task = 'sleep',
		tags = [],
		goneAt,
		readAt,
		isUnique,
	} = made;
	const { errorCode, updatedAt = createdAt, correlationId = `c-${nth}`, events = eventsFor(made) } = made;
	const status = STATUSES[phase] ?? 'running';
	const error = errorCode === undefined ? undefined : { code: errorCode, message: 'It failed', retryable: true };
	const at = new Date(createdAt).toISOString();
	const lastUpdatedAt = new Date(updatedAt).toISOString();
	const job: ListedJob = defined({
		id: idFor(nth),
		task,
		status,
		phase,
		attempt: 1,
		maxAttempts: 4,
		seq,
		createdAt: at,
		lastUpdatedAt,
		correlationId,
		tags,
		error,
	});
	return defined({ id: job.id, tenant: 'acme', createdAt, epoch: 1, seq, job, goneAt, events, readAt, isUnique });
}

/** The news of a job that was erased. */
export function erased({ nth, createdAt = T0 + nth, seq = 1, goneAt = createdAt }: MadeJob): JobNews {
	return { id: idFor(nth), tenant: 'acme', createdAt, epoch: 1, seq, goneAt, events: [] };
}

function eventsFor({ nth, createdAt = T0 + nth, phase = 'queued', seq = 1 }: MadeJob): NewsEvent[] {
	const accepted: NewsEvent = { seq: 1, type: 'accepted', at: createdAt };
	const status = STATUSES[phase];
	if (status === undefined || status === 'pending' || status === 'running') return [accepted];
	return [accepted, { seq, type: status, at: createdAt }];
}
