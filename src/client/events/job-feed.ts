/** The events of one job. */
import { isOver, type JobEvent, parseEvent, parseResponseText } from '../document.ts';
import type { Http } from '../http.ts';
import type { JobUrls } from '../job-urls.ts';
import { type Feed, toMessage } from './transport.ts';

export function jobFeed(http: Http, urls: JobUrls): Feed<JobEvent> {
	return {
		socketUrl: urls.socket,
		streamUrl: urls.events,
		parse: (text) => [toMessage(parseEvent(parseResponseText(text)))],
		// It is the last one, unless the job was retried and the event belongs to an earlier run.
		isLast: ({ job }) => isOver(job),
		loadPolling: async () => (await import('./by-polling.ts')).byPolling({ http, urls }),
	};
}
