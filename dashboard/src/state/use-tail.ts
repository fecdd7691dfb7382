import { createParser } from 'eventsource-parser';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { TopicEvent } from '../pure/topic.ts';
import { withTopicEvents } from '../pure/topic.ts';
import { sendChecked } from './api.ts';
import { isPaused } from './live.ts';

const RECONNECT_MS = 3_000;

export interface Tail {
	readonly events: readonly TopicEvent[];
	readonly error: Error | undefined;
	readonly isRunning: boolean;
	readonly start: () => void;
	readonly stop: () => void;
}

/**
 * Follows a topic. The stream is read with `fetch`, because only that sends the key. It ends while the page is paused, and continues
 * after the last event.
 *
 * @param after the number of the event before the first one; `undefined` begins with the next event.
 */
export function useTail(topic: string, after: number | undefined): Tail {
	const [events, setEvents] = useState<readonly TopicEvent[]>([]);
	const [error, setError] = useState<Error>();
	const [isRunning, setRunning] = useState(true);
	const cursor = useRef(after);
	const isOpen = isRunning && !isPaused.value;
	useEffect(() => {
		cursor.current = after;
		setEvents([]);
	}, [topic, after]);
	useEffect(() => {
		if (!isOpen) return;
		const abort = new AbortController();
		const onEvent = (event: TopicEvent) => {
			cursor.current = event.seq;
			setError(undefined);
			setEvents((before) => withTopicEvents(before, [event]));
		};
		void follow({ topic, cursor: () => cursor.current, signal: abort.signal, onEvent, onError: setError });
		return () => abort.abort();
	}, [topic, after, isOpen]);
	return { events, error, isRunning, start: () => setRunning(true), stop: () => setRunning(false) };
}

interface Following {
	readonly topic: string;
	readonly cursor: () => number | undefined;
	readonly signal: AbortSignal;
	readonly onEvent: (event: TopicEvent) => void;
	readonly onError: (error: Error) => void;
}

async function follow({ topic, cursor, signal, onEvent, onError }: Following): Promise<void> {
	const parser = createParser({ onEvent: ({ data }) => onEvent(JSON.parse(data) as TopicEvent) });
	while (!signal.aborted) {
		try {
			const after = cursor();
			const query = after === undefined ? '' : `?after=${after}`;
			const url = `/v1/topics/${encodeURIComponent(topic)}/events${query}`;
			const response = await sendChecked(url, { signal, headers: { accept: 'text/event-stream' } });
			await readStream(response, (text) => parser.feed(text));
		} catch (error) {
			if (signal.aborted) return;
			onError(error as Error);
		}
		parser.reset();
		await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
	}
}

async function readStream({ body }: Response, onText: (text: string) => void): Promise<void> {
	const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
	while (reader) {
		const { done, value } = await reader.read();
		if (done) return;
		onText(value);
	}
}
