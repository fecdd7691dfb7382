/** The hooks. What they show and do is in `job-watch.ts` and `topic-watch.ts`. */
import { useCallback, useMemo, useState, useSyncExternalStore } from 'react';
import { type Client, createClient, type SubmitArguments } from '../client/client.ts';
import type { StatusDocument } from '../client/document.ts';
import type { InputOf, ParametersOf, ResultOf, TaskCatalogue, TaskName, TaskNamed } from '../client/inference.ts';
import type { Job } from '../client/job.ts';
import type { SubmittedJob } from '../client/submitted-job.ts';
import { IDLE, jobState, LOADING } from './job-state.ts';
import { JobWatch, type Shown, type WatchedJob, type WatchTerms } from './job-watch.ts';
import { type TopicState, TopicWatch, type UseTopicOptions } from './topic-watch.ts';

export interface UseJobOptions {
	/** The status document of this job as the server rendered it, shown until a newer one arrives. Default: none. */
	readonly initial?: StatusDocument | undefined;
	/** Whether to read the result. `false` for a result that the page only links to. Default: true. */
	readonly readsResult?: boolean;
}

/** Stable functions: they never reject, and change only with the job. */
export interface JobCommands {
	/** Requests cancellation. A page needs the job's `cancel` link as its URL for it. A failure is `commandError`. */
	readonly cancel: () => Promise<void>;
	/** Runs a failed or canceled job again. Requires an API key, if the deployment requires keys. A failure is `commandError`. */
	readonly retry: () => Promise<void>;
	/** Reads the job again: after an error, or when another program may have retried it. */
	readonly refetch: () => void;
}

export type UsedJob<Result> = WatchedJob<Shown<Result>> & JobCommands;

export type UsedSubmit<Result, Submit> = UsedJob<Result> & {
	/** Submits a job, and shows it from then on. Returns its handle at once. A refusal is the state's `error`. */
	readonly submit: Submit;
	/** The handle of the last submission. */
	readonly handle: SubmittedJob<Result> | undefined;
	/** Forgets the last submission: the state is `idle` again. The job itself goes on. */
	readonly reset: () => void;
};

/** Owner of the jobs that are followed by nothing but their URL. */
const BY_URL = {};

/**
 * Follows a job while the component is mounted. Components with the same URL, or the same handle, and the same `readsResult` share one
 * connection. The two kinds don't: one reads the result and may fail at it, and the other must not, and few pages have both for one job.
 *
 * @param job the job's URL, with its token, or a handle of a client; `undefined` for none yet.
 * @example
 * const { status, job, result, error } = useJob<Report>(url);
 * if (error) return <p role="alert">{error.message}</p>;
 * if (status !== 'succeeded') return <progress max={100} value={job?.percentComplete} />;
 * return <Chart data={result} />;
 */
export function useJob<Result = unknown>(
	job: string | URL | Job<Result> | undefined,
	options: UseJobOptions = {},
): UsedJob<Result> {
	return useWatchedJob(undefined, job, options);
}

function useWatchedJob<Result>(
	client: Client | undefined,
	job: string | URL | Job<Result> | undefined,
	{ initial, readsResult = true }: UseJobOptions,
): UsedJob<Result> {
	const given = job instanceof URL ? String(job) : job;
	// biome-ignore lint/correctness/useExhaustiveDependencies: `initial` is of one moment, and a new object does not start a new watch.
	const watch = useMemo(
		() => new JobWatch<Result>(watchTerms(client, given, { initial, readsResult })),
		[client, given, readsResult],
	);
	const state = useWatched<WatchedJob<Shown<Result>>>(watch);
	const commands = useMemo(
		() => ({ cancel: () => watch.cancel(), retry: () => watch.retry(), refetch: () => watch.refetch() }),
		[watch],
	);
	return useMemo(() => ({ ...state, ...commands }), [state, commands]);
}

interface Watch<State> {
	watch(listener: () => void): () => void;
	state(): State;
	initialState(): State;
}

function useWatched<State>(watch: Watch<State>): State {
	const subscribe = useCallback((listener: () => void) => watch.watch(listener), [watch]);
	return useSyncExternalStore(
		subscribe,
		() => watch.state(),
		() => watch.initialState(),
	);
}

function watchTerms<Result>(
	client: Client | undefined,
	job: string | Job<Result> | undefined,
	{ initial, readsResult }: { readonly initial: StatusDocument | undefined; readonly readsResult: boolean },
): WatchTerms<Result> {
	const state = initial ? jobState(initial, readsResult) : job ? LOADING : IDLE;
	const shared = { initial: state, readsResult, name: `job ${typeof job === 'string' ? job : ''} ${readsResult}` };
	if (typeof job !== 'string') return { ...shared, owner: job ?? BY_URL, handle: () => job };
	const attach = () => (client ?? createClient({ baseUrl: job })).job(job) as Job<Result>;
	return { ...shared, owner: client ?? BY_URL, handle: attach };
}

function useSubmitted<Result>(
	client: Client,
	task: string,
	options: UseJobOptions,
): UsedSubmit<Result, (...submission: [input: unknown, ...SubmitArguments<never>]) => SubmittedJob<Result>> {
	const [handle, setHandle] = useState<SubmittedJob<Result>>();
	const job = useWatchedJob(client, handle, options);
	const submit = useCallback(
		(...submission: [input: unknown, ...SubmitArguments<never>]) => {
			const submitted = client.submit(task, ...submission) as SubmittedJob<Result>;
			setHandle(submitted);
			return submitted;
		},
		[client, task],
	);
	const reset = useCallback(() => setHandle(undefined), []);
	return useMemo(() => ({ ...job, submit, handle, reset }), [job, submit, handle, reset]);
}

function useWatchedTopic<Data>(client: Client, name: string, options: UseTopicOptions): UsedTopic<Data> {
	const { after, types, correlationId, limit } = options;
	const key = `topic ${JSON.stringify([name, after, types, correlationId, limit])}`;
	// biome-ignore lint/correctness/useExhaustiveDependencies: the key has all options, by their value.
	const watch = useMemo(
		() => new TopicWatch<Data>({ owner: client, name: key, topic: () => client.topic<Data>(name), options }),
		[client, key],
	);
	const state = useWatched(watch);
	const refetch = useCallback(() => watch.refetch(), [watch]);
	return useMemo(() => ({ ...state, refetch }), [state, refetch]);
}

/** The hooks of one client, typed by its tasks. Made by {@link createHooks}. */
export interface Hooks<Tasks extends TaskCatalogue> {
	/** As {@link useJob}, with the client's own `fetch`, key and transports. */
	useJob<Name extends TaskName<Tasks>>(
		job: string | URL | Job<ResultOf<TaskNamed<Tasks, Name>>> | undefined,
		options?: UseJobOptions,
	): UsedJob<ResultOf<TaskNamed<Tasks, Name>>>;

	/**
	 * Submits jobs of a task, and shows the last one. The state is `idle` before the first.
	 *
	 * @example
	 * const { submit, status, job, result, error } = useSubmit('thumbnail');
	 * <input type="file" onChange={({ target }) => submit(target.files[0], { parameters: { width: 320 } })} />
	 */
	useSubmit<Name extends TaskName<Tasks>>(
		task: Name,
		options?: Pick<UseJobOptions, 'readsResult'>,
	): UsedSubmit<
		ResultOf<TaskNamed<Tasks, Name>>,
		(
			input: InputOf<TaskNamed<Tasks, Name>>,
			...options: SubmitArguments<ParametersOf<TaskNamed<Tasks, Name>>>
		) => SubmittedJob<ResultOf<TaskNamed<Tasks, Name>>>
	>;

	/**
	 * Shows a topic's latest events while the component is mounted. Components with the same topic and options share one connection.
	 *
	 * @typeParam Data of the events, as publishers and readers have agreed.
	 * @example const { events, error } = useTopic<{ name: string }>('pictures', { after: 0, limit: 20 });
	 */
	useTopic<Data = unknown>(name: string, options?: UseTopicOptions): UsedTopic<Data>;
}

export type UsedTopic<Data> = TopicState<Data> & Pick<JobCommands, 'refetch'>;

/**
 * Creates the hooks of a client.
 *
 * @example
 * const client = createClient<typeof tasks>({ baseUrl: location.origin });
 * export const { useJob, useSubmit, useTopic } = createHooks(client);
 */
export function createHooks<Tasks extends TaskCatalogue>(client: Client<Tasks>): Hooks<Tasks> {
	const untyped = client as unknown as Client;
	const hooks = {
		useJob: <Result>(job: string | URL | Job<Result> | undefined, options: UseJobOptions = {}) =>
			useWatchedJob(untyped, job, options),
		useSubmit: <Result>(task: string, options: UseJobOptions = {}) => useSubmitted<Result>(untyped, task, options),
		useTopic: <Data>(name: string, options: UseTopicOptions = {}) => useWatchedTopic<Data>(untyped, name, options),
	};
	// The types of inputs and results are the tasks' own; the hooks work with any.
	return hooks as unknown as Hooks<Tasks>;
}
