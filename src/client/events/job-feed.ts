/** The events of one job. */
import { isOver, type JobEvent, parseEvent, parseResponseText } from '../document.ts';
import type { Http } from '../http.ts';
import type { JobUrls } from '../job-urls.ts';
import type { Feed } from './transport.ts';

export function jobFeed(http: Http, urls: JobUrls): Feed<JobEvent> {
	return {
		socketUrl: urls.socket,
		streamUrl: urls.events,
		parse: (text) => [parseEvent(parseResponseText(text))].filter((event) => event !== undefined),
		// It is the last one, unless the job was retried and the event belongs to an earlier run.
		isLast: ({ job }) => isOver(job),
		loadPolling: async () => (await import('./by-polling.ts')).byPolling({ http, urls }),
	};
}
