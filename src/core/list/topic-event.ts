/**
 * An event of the topic `jobs`. Its data names the job and what it became; the job itself is asked for more.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { defined } from '../defined.ts';
import type { NewsEvent, NewsType } from '../job/news.ts';
import type { Status } from '../job/record.ts';
import type { NewEvent } from '../topic/event.ts';
import type { ListNews } from './entry.ts';

const STATUS_AFTER: Record<NewsType, Status> = {
	accepted: 'pending',
	succeeded: 'succeeded',
	failed: 'failed',
	canceled: 'canceled',
};

/** The job may have changed since the event. */
export function jobsTopicEvent({ news, event }: { readonly news: ListNews; readonly event: NewsEvent }): NewEvent {
	const { id, job, createdAt } = news;
	const { type, seq, at, errorCode } = event;
	const data = defined({
		id,
		seq,
		status: STATUS_AFTER[type],
		task: job?.task,
		tags: job?.tags,
		createdAt: new Date(createdAt).toISOString(),
		errorCode,
	});
	return defined({ type, at, correlationId: job?.correlationId, data: JSON.stringify(data) });
}
