/** One component's view of a topic: its latest events. Knows nothing of React. */
import type { Topic, TopicEventsOptions } from '../client/topic.ts';
import type { TopicItem } from '../client/topic-event.ts';
import { GATHER_MS, KEPT_EVENTS } from './limits.ts';
import { findShared, openShared, type SharedState, type Source } from './shared-state.ts';

export interface TopicState<Data = unknown> {
	/** The latest events, the oldest first. */
	readonly events: readonly TopicItem<Data>[];
	/** Why no more events arrive; `undefined` while they may. `refetch()` continues after the last one. */
	readonly error: Error | undefined;
}

export interface UseTopicOptions extends Pick<TopicEventsOptions, 'after' | 'types' | 'correlationId'> {
	/** Maximum number of events to keep; 0 keeps none. Default: 100. */
	readonly limit?: number;
}

const EMPTY: TopicState<never> = { events: [], error: undefined };

export interface TopicWatchTerms<Data> {
	readonly owner: object;
	readonly name: string;
	readonly topic: () => Topic<Data>;
	readonly options: UseTopicOptions;
}

export class TopicWatch<Data> {
	readonly #terms: TopicWatchTerms<Data>;
	/** The number of the event before the first one; `now` until the topic was asked. */
	#start: number | 'now';
	/** The last number that no event told. */
	#place = 0;

	constructor(terms: TopicWatchTerms<Data>) {
		this.#terms = terms;
		this.#start = terms.options.after ?? 'now';
	}

	/** Reads the topic until the function that it returns is called. */
	watch(listener: () => void): () => void {
		const { owner, name } = this.#terms;
		const source: Source<TopicState<Data>> = {
			initial: EMPTY,
			follow: (report, signal) => this.#follow(report, signal),
			failed: (error, { events }) => ({ events, error }),
		};
		return openShared(owner, name, source).watch(listener);
	}

	state(): TopicState<Data> {
		return this.#shared()?.state ?? EMPTY;
	}

	initialState(): TopicState<Data> {
		return EMPTY;
	}

	refetch(): void {
		this.#shared()?.restart();
	}

	#shared(): SharedState<TopicState<Data>> | undefined {
		return findShared(this.#terms.owner, this.#terms.name);
	}

	async #follow(report: (state: TopicState<Data>) => void, signal: AbortSignal): Promise<void> {
		const { limit = KEPT_EVENTS, ...options } = this.#terms.options;
		let { events } = this.state();
		let timer: ReturnType<typeof setTimeout> | undefined;
		const showEvents = () => {
			clearTimeout(timer);
			timer = undefined;
			report({ events, error: undefined });
		};
		showEvents();
		try {
			const topic = this.#terms.topic();
			// As a number, it holds during an outage before the first event.
			if (this.#start === 'now') this.#start = await topic.lastSeq({ signal });
			const last = events.at(-1)?.seq;
			const after = last === undefined ? this.#start : Math.max(last, this.#place);
			const onPlace = (lastSeq: number) => {
				this.#place = lastSeq;
				if (events.length === 0) this.#start = lastSeq;
			};
			for await (const event of topic.events({ ...options, after, signal, onPlace })) {
				if (limit > 0) events = [...events, event].slice(-limit);
				timer ??= setTimeout(showEvents, GATHER_MS);
			}
		} finally {
			showEvents();
		}
	}
}
