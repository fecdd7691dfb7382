/** One component's view of a job: what it shows, and its commands. Knows nothing of React. */
import { isOver, type StatusDocument } from '../client/document.ts';
import type { Job } from '../client/job.ts';
import { type JobState, jobState } from './job-state.ts';
import { findShared, openShared, type SharedState, type Source } from './shared-state.ts';

/** A result as a component can show it again and again: a `Response`, which can be read only once, becomes a `Blob`. */
export type Shown<Result> = Result extends Response ? Blob : Result;

/** A job's state, and the failure of the last command. */
export type WatchedJob<Result> = JobState<Result> & {
	/** Why the last `cancel()` or `retry()` failed; `undefined` when it didn't. */
	readonly commandError: Error | undefined;
};

export interface WatchTerms<Result> {
	/** Components share one connection to what has the same owner and name. */
	readonly owner: object;
	readonly name: string;
	/** `undefined` to follow no job. @throws {TypeError} for a bad URL. */
	readonly handle: () => Job<Result> | undefined;
	readonly initial: JobState<undefined>;
	readonly readsResult: boolean;
}

type State<Result> = WatchedJob<Shown<Result>>;

/** Nothing is opened, sent or kept before `watch`: a server renders with it too. */
export class JobWatch<Result> {
	readonly #terms: WatchTerms<Result>;
	readonly #initial: State<Result>;
	#handle: Job<Result> | undefined;

	constructor(terms: WatchTerms<Result>) {
		this.#terms = terms;
		this.#initial = { ...terms.initial, commandError: undefined } as State<Result>;
	}

	/** Follows the job until the function that it returns is called. */
	watch(listener: () => void): () => void {
		const { owner, name } = this.#terms;
		const source: Source<State<Result>> = {
			initial: this.#initial,
			follow: (report, signal) => this.#follow(report, signal),
			failed: (error, last) => ({ ...last, status: 'error', result: undefined, error }),
		};
		return openShared(owner, name, source).watch(listener);
	}

	state(): State<Result> {
		return this.#shared()?.state ?? this.#initial;
	}

	initialState(): State<Result> {
		return this.#initial;
	}

	cancel(): Promise<void> {
		return this.#command((job) => job.cancel());
	}

	async retry(): Promise<void> {
		await this.#command((job) => job.retry());
		this.refetch();
	}

	refetch(): void {
		this.#shared()?.restart();
	}

	#shared(): SharedState<State<Result>> | undefined {
		return findShared(this.#terms.owner, this.#terms.name);
	}

	#job(): Job<Result> | undefined {
		this.#handle ??= this.#terms.handle();
		return this.#handle;
	}

	/** Never rejects. */
	async #command(send: (job: Job<Result>) => Promise<unknown>): Promise<void> {
		let commandError: Error | undefined;
		try {
			const job = this.#job();
			if (job) await send(job);
		} catch (thrown) {
			commandError = thrown as Error;
		}
		this.#shared()?.update((state) => ({ ...state, commandError }));
	}

	async #follow(report: (state: State<Result>) => void, signal: AbortSignal): Promise<void> {
		const handle = this.#job();
		if (!handle) return;
		for await (const state of this.#states(handle, signal))
			report({ ...state, commandError: this.state().commandError } as State<Result>);
	}

	async *#states(handle: Job<Result>, signal: AbortSignal): AsyncGenerator<JobState<unknown>, void> {
		const { readsResult } = this.#terms;
		let last: StatusDocument | undefined;
		for await (const { job } of handle.events({ after: 'now', signal })) {
			last = job;
			if (isOver(job)) break;
			yield jobState(job, readsResult);
		}
		const job = last && isOver(last) ? last : await handle.status({ signal });
		yield jobState(job, readsResult);
		if (job.status !== 'succeeded' || !readsResult) return;
		const result = await handle.result({ signal });
		const shown = result instanceof Response ? await result.blob() : result;
		yield { status: 'succeeded', job, result: shown, error: undefined };
	}
}
