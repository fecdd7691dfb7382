/**
 * The client's view of a job: the status document and the events. Both are wire contracts: fields are only added, and a
 * field without a value is left out, never `null`.
 *
 * Links depend on the reader (the address of the request, the rights of the token), so the caller passes them in.
 */

import { keptUntil } from './expiry.ts';
import { MS_PER_SECOND } from './limits.ts';
import type { LinkBase, Links } from './links.ts';
import {
	type Delivery,
	type EventType,
	type HistoryEntry,
	isFinal,
	type JobRecord,
	maxAttempts,
	type Status,
	type Webhook,
} from './record.ts';

export type Phase =
	| 'queued'
	| 'delayed'
	| 'running'
	| 'waiting'
	| 'retrying'
	| 'canceling'
	| 'succeeded'
	| 'failed'
	| 'canceled'
	| 'timed-out'
	| 'expired'
	| 'dead-lettered';

export interface DocumentError {
	readonly code: string;
	readonly message: string;
	readonly details?: readonly unknown[];
	readonly retryable: boolean;
}

/** The status document without its links. Times are RFC 3339, UTC, with milliseconds. */
export interface JobFacts {
	readonly id: string;
	readonly task: string;
	readonly status: Status;
	readonly phase: Phase;
	readonly percentComplete?: number;
	readonly progress?: { readonly message?: string; readonly data?: unknown };
	readonly attempt: number;
	readonly maxAttempts: number;
	readonly nextAttemptAt?: string;
	readonly seq: number;
	readonly createdAt: string;
	readonly startedAt?: string;
	readonly finishedAt?: string;
	readonly lastUpdatedAt: string;
	readonly expiresAt?: string;
	readonly correlationId: string;
	readonly tags: readonly string[];
	readonly error?: DocumentError;
	readonly webhook?: WebhookFacts;
}

/** The state of a webhook's deliveries. The URL has no query, because queries often hold a secret. */
export interface WebhookFacts {
	readonly url: string;
	readonly deliveries: readonly {
		readonly seq: number;
		readonly attempt: number;
		readonly status: Delivery['status'];
		readonly code?: number;
		readonly at?: string;
		readonly nextAttemptAt?: string;
	}[];
}

export type StatusDocument = JobFacts & { readonly resourceLocation?: string; readonly links: Links };

export interface JobEvent {
	readonly seq: number;
	readonly type: EventType | 'snapshot';
	readonly at: string;
	readonly job: StatusDocument;
}

/** An event whose document has no links. */
export type BareEvent = Omit<JobEvent, 'job'> & { readonly job: JobFacts };

/** The facts of a job at `now`. The job must not be a tombstone. */
export function jobFacts(id: string, job: JobRecord, now: number): JobFacts {
	const { state } = job;
	const over = isFinal(state) ? state : undefined;
	const percentComplete = state.name === 'succeeded' ? 100 : job.progress?.percentComplete;
	return {
		id,
		task: job.task,
		status: statusOf(job),
		phase: phaseOf(job, now),
		...(percentComplete !== undefined && { percentComplete }),
		...shownProgress(job),
		attempt: job.attempt,
		maxAttempts: maxAttempts(job),
		...(state.name === 'pending' && state.notBefore > now && { nextAttemptAt: timestamp(state.notBefore) }),
		seq: job.seq,
		createdAt: timestamp(job.createdAt),
		...(job.startedAt !== undefined && { startedAt: timestamp(job.startedAt) }),
		...(over && { finishedAt: timestamp(over.finishedAt) }),
		lastUpdatedAt: timestamp(job.updatedAt),
		...(over && { expiresAt: timestamp(keptUntil(job, over)) }),
		correlationId: job.options.correlationId,
		tags: job.options.tags,
		...(over && over.name !== 'succeeded' && { error: documentError(over) }),
		...(job.webhook && { webhook: webhookFacts(job.webhook) }),
	};
}

/**
 * The document for one reader. A finished job can't be watched or canceled, so it has no links for that. A reader without
 * `seesWebhookPath` sees only the origin of the webhook's URL.
 */
export function statusDocument(
	facts: JobFacts,
	links: Links,
	{ seesWebhookPath }: Pick<LinkBase, 'seesWebhookPath'> = {},
): StatusDocument {
	const { status, webhook } = facts;
	const shown =
		webhook && !seesWebhookPath ? { ...facts, webhook: { ...webhook, url: new URL(webhook.url).origin } } : facts;
	if (status === 'pending' || status === 'running') return { ...shown, links };
	const { socket: _socket, cancel: _cancel, ...kept } = links;
	return { ...shown, ...(status === 'succeeded' && { resourceLocation: links.result }), links: kept };
}

/**
 * Every lifecycle event after a cursor, oldest first, and the newest progress of a running job. The document of a past
 * event shows the job at that time, as far as history allows.
 *
 * @param after the `seq` of the last event that the reader has; 0 for all. A cursor beyond the last event counts as 0.
 */
export function eventsAfter(id: string, job: JobRecord, after: number, now: number): BareEvent[] {
	const cursor = after > job.seq ? 0 : after;
	const events = job.history.filter((entry) => entry.seq > cursor).map((entry) => storedEvent(id, job, entry, now));
	const last = job.history.at(-1)?.seq ?? 0;
	return job.seq > last && job.seq > cursor ? [...events, progressEvent(id, job, now)] : events;
}

/** One past event, with the job as it was then; `undefined` for an event that history no longer has. */
export function eventAt(id: string, job: JobRecord, seq: number, now: number): BareEvent | undefined {
	const entry = job.history.find((candidate) => candidate.seq === seq);
	return entry && storedEvent(id, job, entry, now);
}

/** The newest progress as an event. */
export function progressEvent(id: string, job: JobRecord, now: number): BareEvent {
	return { seq: job.seq, type: 'progress', at: timestamp(job.updatedAt), job: jobFacts(id, job, now) };
}

/** The first event of a reader without a cursor. */
export function snapshot(id: string, job: JobRecord, now: number): BareEvent {
	return { seq: job.seq, type: 'snapshot', at: timestamp(job.updatedAt), job: jobFacts(id, job, now) };
}

function storedEvent(id: string, job: JobRecord, entry: HistoryEntry, now: number): BareEvent {
	const facts = entry.seq === job.seq ? jobFacts(id, job, now) : factsAt(id, job, entry);
	return { seq: entry.seq, type: entry.type, at: timestamp(entry.at), job: facts };
}

function factsAt(id: string, job: JobRecord, entry: HistoryEntry): JobFacts {
	const { type, at, error } = entry;
	const isOver = type === 'succeeded' || type === 'failed' || type === 'canceled';
	const expiresAt = at + job.options.retainSeconds * MS_PER_SECOND;
	const firstStart = job.history.find(({ epoch, type: t }) => epoch === entry.epoch && t === 'started')?.at;
	const startedAt = firstStart !== undefined && firstStart <= at ? firstStart : undefined;
	return {
		id,
		task: job.task,
		...STATUS_AFTER[type],
		...(type === 'retrying' && error && { progress: { message: error.message } }),
		attempt: entry.attempt,
		maxAttempts: maxAttempts(job),
		...(entry.nextAttemptAt !== undefined && { nextAttemptAt: timestamp(entry.nextAttemptAt) }),
		seq: entry.seq,
		createdAt: timestamp(job.createdAt),
		...(startedAt !== undefined && { startedAt: timestamp(startedAt) }),
		...(isOver && { finishedAt: timestamp(at) }),
		lastUpdatedAt: timestamp(at),
		...(isOver && { expiresAt: timestamp(expiresAt) }),
		correlationId: job.options.correlationId,
		tags: job.options.tags,
		...(type === 'failed' && error && { error: { ...error, retryable: false } }),
		...(type === 'canceled' && { error: CANCELED }),
	};
}

const STATUS_AFTER: Record<EventType, { status: Status; phase: Phase }> = {
	accepted: { status: 'pending', phase: 'queued' },
	started: { status: 'running', phase: 'running' },
	progress: { status: 'running', phase: 'running' },
	retrying: { status: 'running', phase: 'retrying' },
	succeeded: { status: 'succeeded', phase: 'succeeded' },
	failed: { status: 'failed', phase: 'failed' },
	canceled: { status: 'canceled', phase: 'canceled' },
};

const CANCELED: DocumentError = { code: 'Canceled', message: 'The job was canceled', retryable: true };

function documentError(state: { name: 'failed'; error: DocumentError } | { name: 'canceled' }): DocumentError {
	return state.name === 'failed' ? state.error : CANCELED;
}

/** A job between two attempts stays `running`: a status of `pending` would look like a fresh start. */
function statusOf(job: JobRecord): Status {
	const { state } = job;
	if (state.name === 'tombstone') throw new TypeError('A tombstone has no status');
	return state.name === 'pending' && job.attempt > 0 ? 'running' : state.name;
}

function phaseOf(job: JobRecord, now: number): Phase {
	const { state } = job;
	switch (state.name) {
		case 'pending':
			if (state.waits !== undefined) return 'waiting';
			if (job.attempt > 0) return 'retrying';
			return state.notBefore > now ? 'delayed' : 'queued';
		case 'running':
			if (state.canceling) return 'canceling';
			return state.waiting ? 'waiting' : 'running';
		case 'failed':
			return state.phase;
		case 'tombstone':
			throw new TypeError('A tombstone has no phase');
		default:
			return state.name;
	}
}

function shownProgress({ progress }: JobRecord): Pick<JobFacts, 'progress'> {
	if (progress?.message === undefined && progress?.data === undefined) return {};
	const { message, data } = progress;
	return { progress: { ...(message !== undefined && { message }), ...(data !== undefined && { data }) } };
}

function webhookFacts({ url, deliveries }: Webhook): WebhookFacts {
	const { origin, pathname } = new URL(url);
	return {
		url: `${origin}${pathname}`,
		deliveries: deliveries.map(({ at, nextAttemptAt, wakes: _, ...delivery }) => ({
			...delivery,
			...(at !== undefined && { at: timestamp(at) }),
			...(nextAttemptAt !== undefined && { nextAttemptAt: timestamp(nextAttemptAt) }),
		})),
	};
}

function timestamp(ms: number): string {
	return new Date(ms).toISOString();
}
