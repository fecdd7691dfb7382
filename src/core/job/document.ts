/**
 * The client's view of a job: the status document and the events. Both are wire contracts: fields are only added, and a
 * field without a value is left out, never `null`.
 *
 * Links depend on the reader (the address of the request, the rights of the token), so the caller passes them in.
 */

import { defined } from '../defined.ts';
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
	retryProgress,
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

/** A job at a moment. */
export interface SeenJob {
	readonly id: string;
	readonly job: JobRecord;
	/** In milliseconds since the epoch. */
	readonly now: number;
}

/** The facts of a job at `now`. The job must not be a tombstone. */
export function jobFacts(id: string, job: JobRecord, now: number): JobFacts {
	const { state } = job;
	const over = isFinal(state) ? state : undefined;
	const percentComplete = state.name === 'succeeded' ? 100 : job.progress?.percentComplete;
	return defined({
		id,
		task: job.task,
		status: documentStatus(job),
		phase: documentPhase(job, now),
		percentComplete,
		progress: shownProgress(job),
		attempt: job.attempt,
		maxAttempts: maxAttempts(job),
		nextAttemptAt: state.name === 'pending' && state.notBefore > now ? timestamp(state.notBefore) : undefined,
		seq: job.seq,
		createdAt: timestamp(job.createdAt),
		startedAt: optionalTimestamp(job.startedAt),
		finishedAt: optionalTimestamp(over?.finishedAt),
		lastUpdatedAt: timestamp(job.updatedAt),
		expiresAt: over && timestamp(keptUntil(job, over)),
		correlationId: job.options.correlationId,
		tags: job.options.tags,
		error: over && over.name !== 'succeeded' ? documentError(over) : undefined,
		webhook: job.webhook && webhookFacts(job.webhook),
	});
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
	return defined({ ...shown, resourceLocation: status === 'succeeded' ? links.result : undefined, links: kept });
}

/**
 * Every lifecycle event after a cursor, oldest first, and the newest progress of a running job. The document of a past
 * event shows the job at that time, as far as history allows.
 *
 * @param after the `seq` of the last event that the reader has; 0 for all. A cursor beyond the last event counts as 0.
 */
export function eventsAfter(seen: SeenJob, after: number): BareEvent[] {
	const { id, job, now } = seen;
	const cursor = cursorWithin(job, after);
	const events = job.history.filter((entry) => entry.seq > cursor).map((entry) => storedEvent(seen, entry));
	const last = job.history.at(-1)?.seq ?? 0;
	return job.seq > last && job.seq > cursor ? [...events, progressEvent(id, job, now)] : events;
}

/** Returns a reader's cursor, or 0 for one that is beyond the last event: it belongs to an earlier job of the same key. */
export function cursorWithin({ seq, mayHaveStarted }: JobRecord, after: number): number {
	// The reader may have the event of a start that the object has forgotten.
	const lastSeq = mayHaveStarted ? seq + 1 : seq;
	return after > lastSeq ? 0 : after;
}

/** One past event, with the job as it was then; `undefined` for an event that history no longer has. */
export function eventAt(seen: SeenJob, seq: number): BareEvent | undefined {
	const entry = seen.job.history.find((candidate) => candidate.seq === seq);
	return entry && storedEvent(seen, entry);
}

/** The newest progress as an event. */
export function progressEvent(id: string, job: JobRecord, now: number): BareEvent {
	return { seq: job.seq, type: 'progress', at: timestamp(job.updatedAt), job: jobFacts(id, job, now) };
}

/** The first event of a reader without a cursor. */
export function snapshot(id: string, job: JobRecord, now: number): BareEvent {
	return { seq: job.seq, type: 'snapshot', at: timestamp(job.updatedAt), job: jobFacts(id, job, now) };
}

function storedEvent({ id, job, now }: SeenJob, entry: HistoryEntry): BareEvent {
	const facts = entry.seq === job.seq ? jobFacts(id, job, now) : factsAt(id, job, entry);
	return { seq: entry.seq, type: entry.type, at: timestamp(entry.at), job: facts };
}

function factsAt(id: string, job: JobRecord, entry: HistoryEntry): JobFacts {
	const { type, at, error } = entry;
	const isOver = type === 'succeeded' || type === 'failed' || type === 'canceled';
	const expiresAt = at + job.options.retainSeconds * MS_PER_SECOND;
	const firstStart = job.history.find(({ epoch, type: t }) => epoch === entry.epoch && t === 'started')?.at;
	const startedAt = firstStart !== undefined && firstStart <= at ? firstStart : undefined;
	return defined({
		id,
		task: job.task,
		...STATUS_AFTER[type],
		progress: type === 'retrying' && error ? retryProgress(job, entry.attempt, error) : undefined,
		attempt: entry.attempt,
		maxAttempts: maxAttempts(job),
		nextAttemptAt: optionalTimestamp(entry.nextAttemptAt),
		seq: entry.seq,
		createdAt: timestamp(job.createdAt),
		startedAt: optionalTimestamp(startedAt),
		finishedAt: isOver ? timestamp(at) : undefined,
		lastUpdatedAt: timestamp(at),
		expiresAt: isOver ? timestamp(expiresAt) : undefined,
		correlationId: job.options.correlationId,
		tags: job.options.tags,
		error: pastError(entry),
	});
}

function pastError({ type, error }: HistoryEntry): DocumentError | undefined {
	if (type === 'canceled') return CANCELED;
	return type === 'failed' && error ? { ...error, retryable: false } : undefined;
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
function documentStatus(job: JobRecord): Status {
	const { state } = job;
	if (state.name === 'tombstone') throw new TypeError('A tombstone has no status');
	return state.name === 'pending' && job.attempt > 0 ? 'running' : state.name;
}

function documentPhase(job: JobRecord, now: number): Phase {
	const { state } = job;
	switch (state.name) {
		case 'pending':
			if (state.waits !== undefined) return 'waiting';
			if (job.attempt > 0) return 'retrying';
			return state.notBefore > now ? 'delayed' : 'queued';
		case 'running':
			if (state.canceling) return 'canceling';
			return state.waiting && !state.waiting.following?.walk ? 'waiting' : 'running';
		case 'failed':
			return state.phase;
		case 'tombstone':
			throw new TypeError('A tombstone has no phase');
		default:
			return state.name;
	}
}

function shownProgress({ progress }: JobRecord): JobFacts['progress'] {
	if (progress?.message === undefined && progress?.data === undefined) return undefined;
	const { message, data } = progress;
	return defined({ message, data });
}

function webhookFacts({ url, deliveries }: Webhook): WebhookFacts {
	const { origin, pathname } = new URL(url);
	return {
		url: `${origin}${pathname}`,
		deliveries: deliveries.map(({ at, nextAttemptAt, wakes: _, ...delivery }) =>
			defined({ ...delivery, at: optionalTimestamp(at), nextAttemptAt: optionalTimestamp(nextAttemptAt) }),
		),
	};
}

function timestamp(ms: number): string {
	return new Date(ms).toISOString();
}

function optionalTimestamp(ms: number | undefined): string | undefined {
	return ms === undefined ? undefined : timestamp(ms);
}
