import { createParser } from 'eventsource-parser';
import { useEffect, useRef, useState } from 'preact/hooks';
import { readEvent, type ShownEvent, withTopicEvents } from '../pure/topic.ts';
import { isRefused, readJson, sendChecked } from './api.ts';
import { isPaused } from './live.ts';

const RECONNECT_MS = 3_000;
/** The service sends a heartbeat every 15 s: after three missed ones, the connection is dead. */
const SILENCE_MS = 45_000;

export interface Tail {
	readonly events: readonly ShownEvent[];
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
	const [events, setEvents] = useState<readonly ShownEvent[]>([]);
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
		const onEvent = (event: ShownEvent) => setEvents((before) => withTopicEvents(before, [event]));
		const onState = (failure: Error | undefined) => {
			setError(failure);
			if (isRefused(failure)) setRunning(false);
		};
		void follow({ topic, cursor, signal: abort.signal, onEvent, onState });
		return () => abort.abort();
	}, [topic, after, isOpen]);
	return { events, error, isRunning, start: () => setRunning(true), stop: () => setRunning(false) };
}

interface Following {
	readonly topic: string;
	/** The number of the last event that was read, or the place that the stream told. */
	readonly cursor: { current: number | undefined };
	readonly signal: AbortSignal;
	readonly onEvent: (event: ShownEvent) => void;
	/** Called with why there is no connection, and with `undefined` when there is one again. */
	readonly onState: (failure: Error | undefined) => void;
}

async function follow({ topic, cursor, signal, onEvent, onState }: Following): Promise<void> {
	const path = `/v1/topics/${encodeURIComponent(topic)}/events`;
	const parser = createParser({
		// The number of an event, or the place of a reader that gets no event.
		onId: (id) => {
			cursor.current = Number(id);
		},
		onEvent: ({ data }) => onEvent(readEvent(data)),
	});
	while (!signal.aborted) {
		try {
			// The place is known before the stream opens, so that nothing is missed if it breaks before its first event.
			cursor.current ??= (await readJson<{ readonly lastSeq: number }>(`${path}?after=now`, { signal })).lastSeq;
			const url = `${path}?after=${cursor.current}`;
			const response = await sendChecked(url, { signal, headers: { accept: 'text/event-stream' } });
			onState(undefined);
			await readStream(response, (text) => parser.feed(text));
		} catch (error) {
			if (signal.aborted) return;
			onState(error as Error);
			if (isRefused(error)) return;
		}
		parser.reset();
		await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
	}
}

async function readStream({ body }: Response, onText: (text: string) => void): Promise<void> {
	const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
	while (reader) {
		const timer = setTimeout(() => reader.cancel(), SILENCE_MS);
		const { done, value } = await reader.read().finally(() => clearTimeout(timer));
		if (done) return;
		onText(value);
	}
}
