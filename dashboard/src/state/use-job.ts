import { useState } from 'preact/hooks';
import type { JobEvent, StatusDocument } from '../../../src/client/index.ts';
import { afterEvent, awaitsDelivery, isFinished, withEvent, withLiveEvents } from '../pure/job-event.ts';
import { usePoll, useWatcher } from './live.ts';
import { useQuery } from './use-query.ts';

interface EventsPage {
	readonly events: readonly JobEvent[];
}

/** What came by socket, of one job. */
interface LiveEvents {
	readonly id: string;
	readonly events: readonly JobEvent[];
}

export interface LiveJob {
	readonly job: StatusDocument | undefined;
	readonly events: readonly JobEvent[];
	readonly error: Error | undefined;
	readonly refresh: () => void;
}

/** A job, followed over its WebSocket until it ends. */
export function useJob(id: string): LiveJob {
	const place = encodeURIComponent(id);
	// This URL is always answered with the document, never with a redirect to the result.
	const document = useQuery<StatusDocument>(`/v1/operations/${place}`);
	const history = useQuery<EventsPage>(`/v1/jobs/${place}/events`);
	// They may come before the history does, and after it was read.
	const [latest, setLatest] = useState<LiveEvents>({ id, events: [] });
	const live = (known: LiveEvents) => (known.id === id ? known.events : []);
	const { data: job } = document;
	const refresh = () => {
		document.refresh();
		history.refresh();
	};
	useWatcher({
		link: job && !isFinished(job) ? job.links.socket : undefined,
		onMessage: (text) => {
			const event = JSON.parse(text) as JobEvent;
			if (job) document.set(afterEvent(job, event));
			setLatest((known) => ({ id, events: withEvent(live(known), event) }));
			// The socket is open: what happened before is in the history now.
			if (event.type === 'snapshot') history.refresh();
			// The end brings links and deliveries that an event does not have.
			if (isFinished(event.job)) refresh();
		},
		onEnd: refresh,
	});
	usePoll(job && awaitsDelivery(job) ? [document.refresh] : []);
	const events = history.data ? withLiveEvents(history.data.events, live(latest)) : [];
	return { job, events, error: document.error ?? history.error, refresh };
}
