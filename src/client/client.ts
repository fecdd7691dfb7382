/** A deployment of Coatcheck, as its clients see it. */

import type { SocketClass } from './by-websocket.ts';
import { documentOf, type StatusDocument } from './document.ts';
import { type Fetch, Http } from './http.ts';
import type { Bytes, InputOf, ParametersOf, ResultOf, TaskCatalogue, TaskName, TaskNamed } from './inference.ts';
import { type CallOptions, Job, type JobConnection } from './job.ts';
import { httpUrl, jobUrls } from './job-urls.ts';
import { ANSWER_TIMEOUT_MS } from './limits.ts';
import { type SubmitOptions, type SubmitRequest, submitRequest, uploadTimeoutMs } from './submission.ts';
import { SubmittedJob } from './submitted-job.ts';
import { PREFERENCE, type TransportName, transportsFor } from './transports.ts';

export interface ClientOptions {
	/** Where the deployment is, with the path that a gateway may add: `https://jobs.example`. */
	readonly baseUrl: string | URL;
	/** Sent to the origin of `baseUrl`, and to nobody else. Keep it out of web pages: they attach by a job's URL. Default: none. */
	readonly apiKey?: string | undefined;
	/** Default: the platform's. In a Worker, `(url, init) => env.COATCHECK.fetch(url, init)` goes over a service binding. */
	readonly fetch?: Fetch | undefined;
	/**
	 * Default: the platform's, where there is one; none when `fetch` is given, for then the network may not be the way to go.
	 * Node has one from 22 on; `ws` is one too.
	 */
	readonly WebSocket?: SocketClass | undefined;
	/** Which ways of being told of events to use, the preferred one first. Default: `websocket`, `sse`, `polling`. */
	readonly transports?: readonly TransportName[];
	/** How long an answer may take to begin, or fall silent, in milliseconds; an upload has longer, by its size. Default: 30,000. */
	readonly timeoutMs?: number;
}

/** What `submit` takes besides the input; `parameters` has to be there when the task has one that does. */
export type SubmitArguments<Parameters> =
	Record<never, never> extends Parameters
		? [options?: SubmitOptions & CallOptions & { readonly parameters?: Parameters }]
		: [options: SubmitOptions & CallOptions & { readonly parameters: Parameters }];

/** Made by {@link createClient}. It holds nothing open: there is nothing to close. */
export class Client<Tasks extends TaskCatalogue = TaskCatalogue> {
	readonly #connection: JobConnection;
	readonly #http: Http;
	readonly #base: string;
	readonly #timeoutMs: number;

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
		const transports = transportsFor(options.transports ?? PREFERENCE, this.#http, SocketClass);
		this.#connection = { http: this.#http, transports };
	}

	/**
	 * Hands a job over. It is on its way when this returns, and the handle can be used at once: everything it does waits for
	 * the server to have accepted the job.
	 *
	 * @param task the task's name.
	 * @param input JSON as the task's schema reads it, or bytes, as the task takes them.
	 * @param options of the job; `parameters` are the task's own, `signal` ends the submission, and with it the handle's use.
	 * @example
	 * const job = client.submit('thumbnail', photo, { parameters: { width: 320 } });
	 * const picture = await (await job.response()).blob();
	 */
	submit<Name extends TaskName<Tasks>>(
		task: Name,
		input: InputOf<TaskNamed<Tasks, Name>>,
		...[options = {}]: SubmitArguments<ParametersOf<TaskNamed<Tasks, Name>>>
	): SubmittedJob<ResultOf<TaskNamed<Tasks, Name>>> {
		const { signal = new AbortController().signal, parameters, ...rest } = options;
		const idempotencyKey = rest.idempotencyKey ?? randomKey();
		const accepted = this.#submit(() => submitRequest(task, input, { ...rest, idempotencyKey }, parameters), signal);
		return new SubmittedJob(this.#connection, idempotencyKey, accepted);
	}

	/**
	 * Attaches to a job that somebody submitted. Nothing is asked yet: whether the job is there shows with the first call.
	 *
	 * @param url the job's `Location` or `Operation-Location`, or `job.url`, with its token.
	 * @throws {TypeError} for what is no URL of a job.
	 * @example const job = client.job<'sleep'>(url);
	 */
	job<Name extends TaskName<Tasks>>(url: string | URL): Job<ResultOf<TaskNamed<Tasks, Name>>> {
		return new Job(this.#connection, Promise.resolve(jobUrls(url)));
	}

	async #submit(request: () => SubmitRequest, signal: AbortSignal): Promise<StatusDocument> {
		const { path, headers, body } = request();
		const document = await this.#http.askJson({
			url: this.#base + path,
			method: 'POST',
			headers,
			body: body as string | Exclude<Bytes, ArrayBufferView>,
			signal,
			isRepeatable: !(body instanceof ReadableStream),
			timeoutMs: uploadTimeoutMs(body, this.#timeoutMs),
		});
		return documentOf(document);
	}
}

/**
 * A client for one deployment.
 *
 * @typeParam Tasks the type of its tasks, for inputs and results: a list or a record of what `defineTask` returns. Only the
 * type is needed: none of the tasks' code gets into the client.
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

/** `crypto.randomUUID` is not there on pages without TLS. */
function randomKey(): string {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
