/** What a page knows about a job: its document, and its events as they come in. */
import type { JobEvent, StatusDocument } from '../../../src/client/index.ts';

/**
 * The document after an event. The links and the webhook's URL stay: the token of the socket may only read, and sees less of both
 * than the key.
 */
export function afterEvent(before: StatusDocument, { job }: JobEvent): StatusDocument {
	if (job.seq < before.seq) return before;
	const { webhook } = before;
	const after = { ...job, links: before.links };
	return webhook ? { ...after, webhook: { ...webhook, ...job.webhook, url: webhook.url } } : after;
}

/** The events with another one. A snapshot is none, and newer progress takes the place of older. */
export function withEvent(events: readonly JobEvent[], event: JobEvent): readonly JobEvent[] {
	const last = events.at(-1);
	if (event.type === 'snapshot' || (last && event.seq <= last.seq)) return events;
	const kept = event.type === 'progress' && last?.type === 'progress' ? events.slice(0, -1) : events;
	return [...kept, event];
}

/** The events that were asked for, with those that came by socket meanwhile, in whatever order both arrived. */
export function withLiveEvents(history: readonly JobEvent[], live: readonly JobEvent[]): readonly JobEvent[] {
	return live.reduce(withEvent, history);
}

export function isFinished({ status }: Pick<StatusDocument, 'status'>): boolean {
	return status === 'succeeded' || status === 'failed' || status === 'canceled';
}

/** Whether a delivery has yet to reach its receiver: that changes without an event. */
export function awaitsDelivery({ webhook }: StatusDocument): boolean {
	return webhook?.deliveries.some(({ status }) => status === 'pending') ?? false;
}

/** An input is kept only while its job can run again. */
export function hasInput({ status }: Pick<StatusDocument, 'status'>): boolean {
	return status !== 'succeeded';
}

/** The task of a job that a form can submit again; `undefined` for a request that was forwarded. */
export function submittableTask({ task }: Pick<StatusDocument, 'task'>): string | undefined {
	return task.includes('/') ? undefined : task;
}
