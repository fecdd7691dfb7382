/** A state that is followed while components watch it. Knows nothing of React. */
import { isTransient } from '../client/waiting.ts';
import { LINGER_MS } from './limits.ts';

export interface Source<State> {
	readonly initial: State;
	/** Reports states until there will be no more, or the signal fires. */
	readonly follow: (report: (state: State) => void, signal: AbortSignal) => Promise<void>;
	/** The state after a failure of `follow`. */
	readonly failed: (error: Error, last: State) => State;
}

/** The part of a page's global object that says when it may be worth trying again. */
interface Page {
	readonly addEventListener?: (type: string, listener: () => void) => void;
	readonly removeEventListener?: (type: string, listener: () => void) => void;
}

/** The device has a network again; the reader looks at the page again. */
const WAKING = ['online', 'visibilitychange'] as const;

export class SharedState<State> {
	readonly #source: Source<State>;
	readonly #forget: () => void;
	readonly #listeners = new Set<() => void>();
	#state: State;
	#run: AbortController | undefined;
	#farewell: ReturnType<typeof setTimeout> | undefined;
	#isCutOff = false;

	/** @param forget is called when the last listener has been gone for a while. */
	constructor(source: Source<State>, forget: () => void) {
		this.#source = source;
		this.#forget = forget;
		this.#state = source.initial;
	}

	get state(): State {
		return this.#state;
	}

	/** Follows while there are listeners, and a moment longer. @returns a function that removes the listener. */
	watch(listener: () => void): () => void {
		// Each call counts, even with the same listener.
		const each = () => listener();
		this.#listeners.add(each);
		clearTimeout(this.#farewell);
		if (!this.#run) this.#start();
		return () => {
			if (this.#listeners.delete(each) && this.#listeners.size === 0)
				this.#farewell = setTimeout(() => this.#stop(), LINGER_MS);
		};
	}

	/** Begins again, if the state is followed at all. */
	restart(): void {
		if (this.#run) this.#follow();
	}

	update(change: (state: State) => State): void {
		this.#state = change(this.#state);
		for (const listener of this.#listeners) listener();
	}

	#start(): void {
		for (const type of WAKING) (globalThis as Page).addEventListener?.(type, this.#restartIfCutOff);
		this.#follow();
	}

	#stop(): void {
		for (const type of WAKING) (globalThis as Page).removeEventListener?.(type, this.#restartIfCutOff);
		this.#run?.abort();
		this.#run = undefined;
		this.#forget();
	}

	readonly #restartIfCutOff = (): void => {
		if (this.#isCutOff) this.restart();
	};

	async #follow(): Promise<void> {
		this.#run?.abort();
		this.#isCutOff = false;
		const run = new AbortController();
		this.#run = run;
		try {
			await this.#source.follow((state) => {
				if (!run.signal.aborted) this.update(() => state);
			}, run.signal);
		} catch (thrown) {
			if (run.signal.aborted) return;
			this.#isCutOff = isTransient(thrown);
			this.update((last) => this.#source.failed(thrown as Error, last));
		}
	}
}

const STATES = new WeakMap<object, Map<string, SharedState<unknown>>>();

/** The state of this name that components watch now. The names are those of one owner: a client, or a job's handle. */
export function findShared<State>(owner: object, name: string): SharedState<State> | undefined {
	return STATES.get(owner)?.get(name) as SharedState<State> | undefined;
}

/** The same, made when there is none. */
export function openShared<State>(owner: object, name: string, source: Source<State>): SharedState<State> {
	const states = STATES.get(owner) ?? new Map<string, SharedState<unknown>>();
	STATES.set(owner, states);
	const found = findShared<State>(owner, name) ?? new SharedState<State>(source, () => states.delete(name));
	states.set(name, found as SharedState<unknown>);
	return found;
}
