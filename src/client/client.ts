/** Client of one Coatcheck deployment. */

import { defined } from '../core/defined.ts';
import { Actions } from './actions.ts';
import { parseStatusDocument, type StatusDocument } from './document.ts';
import type { SocketClass } from './events/by-websocket.ts';
import { assertUsable, PREFERENCE, type TransportName, type TransportTerms } from './events/transport-terms.ts';
import { type Fetch, Http } from './http.ts';
import type { Bytes, InputOf, ParametersOf, ResultOf, TaskCatalogue, TaskName, TaskNamed } from './inference.ts';
import { type CallOptions, Job, type JobConnection } from './job.ts';
import { httpUrl, jobUrls } from './job-urls.ts';
import { JobsClient } from './jobs.ts';
import { ANSWER_TIMEOUT_MS } from './limits.ts';
import { loadPart } from './load-part.ts';
import type { PageOptions } from './pages.ts';
import { randomKey, type SubmitOptions, type SubmitRequest, submitRequest } from './submission.ts';
import { SubmittedJob } from './submitted-job.ts';
import type { TaskDescription } from './task-description.ts';
import { Topic } from './topic.ts';
import type { ListedTopic } from './topics.ts';
import { unaborted } from './wait.ts';

export interface ClientOptions {
	/** The deployment's URL, with any path that a gateway adds: `https://jobs.example`. */
	readonly baseUrl: string | URL;
	/** Sent only to the origin of `baseUrl`. Keep it out of web pages: they attach by a job's URL. Default: none. */
	readonly apiKey?: string | undefined;
	/** Default: the platform's `fetch`. In a Worker, `(url, init) => env.COATCHECK.fetch(url, init)` uses a service binding. */
	readonly fetch?: Fetch | undefined;
	/**
	 * Default: the platform's `WebSocket`, if it has one. With a `fetch` of your own, the default is none, because sockets
	 * would bypass it. Node has one since version 22; the class of the package `ws` works too. Sockets of topics with an `apiKey`
	 * need a class that adds the key to the handshake; without one, topics are read by server-sent events.
	 */
	readonly WebSocket?: SocketClass | undefined;
	/** The event transports to use, in order of preference. Default: `websocket`, `sse`, `polling`. */
	readonly transports?: readonly TransportName[];
	/** Maximum time until a response begins, and silence within it, in milliseconds; more for large uploads. `Infinity`: no limit. Default: 30,000. */
	readonly timeoutMs?: number;
}

/** The arguments of `submit` after the input. `parameters` is required when the task has a required parameter. */
export type SubmitArguments<Parameters> =
	Record<never, never> extends Parameters
		? [options?: SubmitOptions & CallOptions & { readonly parameters?: Parameters }]
		: [options: SubmitOptions & CallOptions & { readonly parameters: Parameters }];

/** Made by {@link createClient}. A client holds no connection open, so there is nothing to close. */
export class Client<Tasks extends TaskCatalogue = TaskCatalogue> {
	/** Finds and counts jobs. */
	readonly jobs: JobsClient;
	/** Cancel, retry or purge every job that matches a filter. */
	readonly actions: Actions;
	readonly #connection: JobConnection;
	readonly #http: Http;
	readonly #base: string;
	readonly #timeoutMs: number;
	readonly #topicTransports: TransportTerms;

	/** @throws {TypeError} for options that can't work. */
	constructor(options: ClientOptions) {
		const { origin, pathname } = httpUrl(options.baseUrl);
		this.#timeoutMs = options.timeoutMs ?? ANSWER_TIMEOUT_MS;
		this.#base = origin + pathname.replace(/\/+$/, '');
		this.#http = new Http({
			fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
			apiKey: options.apiKey,
			origin,
			timeoutMs: this.#timeoutMs,
		});
		const SocketClass = options.WebSocket ?? (options.fetch ? undefined : globalThis.WebSocket);
		const transports = { names: options.transports ?? PREFERENCE, SocketClass };
		assertUsable(transports);
		this.#connection = { http: this.#http, transports };
		// A topic has no links with tokens, and the platform's sockets can't carry the key.
		this.#topicTransports =
			options.apiKey === undefined ? transports : { ...transports, SocketClass: options.WebSocket };
		this.jobs = new JobsClient(this.#http, this.#base);
		this.actions = new Actions(this.#http, this.#base);
	}

	/**
	 * Submits a job. The request is on its way when this method returns, and you can use the handle at once: all its methods
	 * wait until the server has accepted the job.
	 *
	 * @param task the task's name.
	 * @param input JSON that the task's schema accepts, or bytes, depending on the task.
	 * @param options of the job. `parameters` are the task's own. `signal` aborts the submission; once the job is accepted, only the
	 * signal of a method ends that method.
	 * @example
	 * const job = client.submit('thumbnail', photo, { parameters: { width: 320 } });
	 * const picture = await (await job.response()).blob();
	 */
	submit<Name extends TaskName<Tasks>>(
		task: Name,
		input: InputOf<TaskNamed<Tasks, Name>>,
		...[options = {}]: SubmitArguments<ParametersOf<TaskNamed<Tasks, Name>>>
	): SubmittedJob<ResultOf<TaskNamed<Tasks, Name>>> {
		const { signal = unaborted(), parameters, ...rest } = options;
		const idempotencyKey = rest.idempotencyKey ?? randomKey();
		const keyed = defined({ ...rest, idempotencyKey, parameters });
		const accepted = this.#submit(() => submitRequest(task, input, keyed), signal);
		return new SubmittedJob(this.#connection, idempotencyKey, accepted);
	}

	/**
	 * Attaches to an existing job. This method sends no request: a job that doesn't exist is reported by the first call.
	 *
	 * @param url the job's `Location` or `Operation-Location`, or `job.url`, with its token.
	 * @throws {TypeError} when the URL is not a job's.
	 * @example const job = client.job<'sleep'>(url);
	 */
	job<Name extends TaskName<Tasks>>(url: string | URL): Job<ResultOf<TaskNamed<Tasks, Name>>> {
		return new Job(this.#connection, Promise.resolve(jobUrls(url)));
	}

	/**
	 * A handle on a topic. This method sends no request: a topic is made by its first event, and can be read before.
	 *
	 * @typeParam Data of its events, as publishers and readers have agreed.
	 * @param name 1–128 of `A-Za-z0-9._-`.
	 * @example
	 * const pictures = client.topic<{ name: string }>('pictures');
	 * await pictures.publish({ name: 'galaxy.jpg' }, { type: 'uploaded' });
	 */
	topic<Data = unknown>(name: string): Topic<Data, TaskName<Tasks>> {
		const url = `${this.#base}/v1/topics/${encodeURIComponent(name)}`;
		return new Topic({ http: this.#http, url, transports: this.#topicTransports });
	}

	/**
	 * Lists the topics that have events or subscriptions. The topic `jobs` comes first, the others are sorted by name.
	 *
	 * @throws {ProblemError} when the server refuses.
	 * @example for await (const { name } of client.topics()) console.log(name);
	 */
	async *topics(options: PageOptions = {}): AsyncGenerator<ListedTopic, void> {
		const { streamTopics } = await loadPart(import('./parts/lists.ts'));
		yield* streamTopics({ http: this.#http, url: `${this.#base}/v1/topics` }, options);
	}

	/** The deployment's tasks, with the JSON Schemas of their inputs and parameters. @throws {ProblemError} */
	async tasks(options: CallOptions = {}): Promise<readonly TaskDescription[]> {
		const { readTasks } = await loadPart(import('./parts/lists.ts'));
		return readTasks({ http: this.#http, url: `${this.#base}/v1/tasks` }, options);
	}

	async #submit(request: () => Promise<SubmitRequest>, signal: AbortSignal): Promise<StatusDocument> {
		const { path, headers, body, uploadMs, leastTimeoutMs = 0 } = await request();
		const document = await this.#http.askJson({
			url: this.#base + path,
			method: 'POST',
			headers,
			body: body as string | Exclude<Bytes, ArrayBufferView>,
			signal,
			isRepeatable: !(body instanceof ReadableStream),
			timeoutMs: Math.max(this.#timeoutMs + uploadMs, leastTimeoutMs),
		});
		return parseStatusDocument(document);
	}
}

/**
 * Creates a client for one deployment.
 *
 * @typeParam Tasks the type of the deployment's tasks, for inputs and results: a list or a record of `defineTask` results. Only
 * the type is imported: the client contains none of the tasks' code.
 * @throws {TypeError} for options that can't work.
 * @example
 * import { createClient } from 'coatcheck/client';
 * import type { tasks } from 'our-worker/tasks';
 *
 * const client = createClient<typeof tasks>({ baseUrl: 'https://jobs.example', apiKey });
 * const job = client.submit('sleep', { seconds: 3 });
 * for await (const { job: { percentComplete } } of job.events()) console.log(percentComplete);
 * const { sleptSeconds } = await job.result({ signal: AbortSignal.timeout(60_000) });
 */
export function createClient<Tasks extends TaskCatalogue = TaskCatalogue>(options: ClientOptions): Client<Tasks> {
	return new Client<Tasks>(options);
}
