/** A handle on one job: everything there is to do with it, from wherever it is held. */
import { documentOf, isOver, type JobEvent, type StatusDocument } from './document.ts';
import { EventStream } from './event-stream.ts';
import { follow } from './follow.ts';
import type { Http } from './http.ts';
import type { JobUrls } from './job-urls.ts';
import { assertSucceeded, resultIn } from './outcome.ts';
import type { Transport } from './transport.ts';
import { unlessAborted } from './wait.ts';

/** What every method takes. */
export interface CallOptions {
	/** Ends the call, with everything it has open; it then rejects with the signal's reason. Default: never. */
	readonly signal?: AbortSignal | undefined;
}

export interface EventsOptions extends CallOptions {
	/**
	 * The `seq` of the last event you have, to go on after it; or `now`, for a `snapshot` of the job and what comes then.
	 * Default: 0, everything since it was accepted.
	 */
	readonly after?: number | 'now';
}

/** What a handle needs of its client. */
export interface JobConnection {
	readonly http: Http;
	/** In order of preference. */
	readonly transports: (urls: JobUrls) => readonly Transport[];
}

/**
 * One job. A handle holds nothing open by itself: sockets and timers live as long as the call that needs them.
 *
 * Besides what is said at each method, all of them throw {@link ProblemError} when the server refuses (a wrong token is 401,
 * an unknown job 404), {@link JobGoneError} when the job was purged or has expired, {@link TransportError} when there is no
 * answer after several tries, {@link AnswerTimeoutError} among them, and {@link ProtocolError} when the answer makes no sense.
 */
export class Job<Result = unknown> {
	readonly #connection: JobConnection;
	readonly #urls: Promise<JobUrls>;

	/** @internal Handles come from `client.submit` and `client.job`. */
	constructor(connection: JobConnection, urls: Promise<JobUrls>) {
		this.#connection = connection;
		this.#urls = urls;
		// Whoever uses the handle is told; a handle that nobody uses must not end the process.
		urls.catch(() => {});
	}

	/** 64 hexadecimal digits, made by the server: known as soon as the job is accepted. Rejects when it is not. */
	get id(): Promise<string> {
		return this.#urls.then(({ id }) => id);
	}

	/** The job's status URL. Another process can `client.job(url)`. Treat it like a password: its token lets in who has it. */
	get url(): Promise<string> {
		return this.#urls.then(({ self }) => self);
	}

	/** How the job is now. */
	async status({ signal = never() }: CallOptions = {}): Promise<StatusDocument> {
		return this.#document({ url: (await this.#ready(signal)).operation, signal });
	}

	/**
	 * What happens to the job, each event once and in order, as it happens, and ends with the job. By WebSocket where that
	 * works, else as a stream, else by polling; what breaks is taken up again where it broke. Progress may be folded to its latest.
	 *
	 * @example
	 * for await (const { type, job: { percentComplete } } of job.events()) console.log(type, percentComplete);
	 */
	events({ after = 0, signal }: EventsOptions = {}): EventStream {
		const cursor = after === 'now' ? undefined : after;
		return new EventStream((stop) => this.#follow(cursor, stop), signal);
	}

	/**
	 * Waits for the job to end. JSON is given as the value the task returned, a result without a body as `undefined`, and any
	 * other as the `Response` with its bytes.
	 *
	 * @throws {JobFailedError} {@link JobCanceledError}
	 */
	async result({ signal = never() }: CallOptions = {}): Promise<Result> {
		const { http } = this.#connection;
		const url = await this.#succeeded(signal);
		// The one place where what came is taken for what the task's definition says: the server has checked it.
		return (await http.ask({ url, signal }, (response) => resultIn(response, http.reading(signal)))) as Result;
	}

	/**
	 * Waits for the job to end, and gives the result as it is, whatever it is: status, headers, bytes not yet read.
	 *
	 * @throws {JobFailedError} {@link JobCanceledError}
	 * @example await writeFile('small.jpg', (await job.response()).body);
	 */
	async response({ signal = never() }: CallOptions = {}): Promise<Response> {
		const url = await this.#succeeded(signal);
		return this.#connection.http.ask({ url, signal }, async (response) => response);
	}

	/**
	 * Asks for an end. A handle that `client.submit` gave has the right to; a handle made from a job's URL needs the `cancel`
	 * link instead, or an API key, where keys are needed. A running attempt is told to stop, and until it has, the job's phase is `canceling`; what was first
	 * written, the end or the cancel, holds. Canceling what is over changes nothing.
	 */
	async cancel({ signal = never() }: CallOptions = {}): Promise<StatusDocument> {
		const { cancel } = await this.#ready(signal);
		return this.#document({ url: cancel, method: 'POST', signal });
	}

	/**
	 * Runs a failed or canceled job again: same job, same input, attempts from 1. Needs an API key that may submit, where keys
	 * are needed. It is asked for once: after a {@link TransportError}, `status()` says whether it went through.
	 *
	 * @throws {ProblemError} with code `NotRetryable` when the job succeeded, or is not finished.
	 */
	async retry({ signal = never() }: CallOptions = {}): Promise<StatusDocument> {
		const { retry } = await this.#ready(signal);
		return this.#document({ url: retry, method: 'POST', signal, isRepeatable: false });
	}

	/**
	 * Deletes a finished job's data now; what is left answers {@link JobGoneError}.
	 *
	 * @throws {ProblemError} with code `NotFinished` when the job is not finished.
	 */
	async purge({ signal = never() }: CallOptions = {}): Promise<void> {
		const { purge } = await this.#ready(signal);
		const question = { url: purge, method: 'POST', signal };
		await this.#connection.http.ask(question, async ({ body }) => body?.cancel());
	}

	/** The result's URL, once there is one. */
	async #succeeded(signal: AbortSignal): Promise<string> {
		let job: StatusDocument | undefined;
		for await (const event of this.#follow(undefined, signal)) job = event.job;
		assertSucceeded(job && isOver(job) ? job : await this.status({ signal }));
		return (await this.#ready(signal)).result;
	}

	async *#follow(after: number | undefined, signal: AbortSignal): AsyncGenerator<JobEvent, void> {
		const urls = await this.#ready(signal);
		const { transports } = this.#connection;
		yield* follow({ transports: transports(urls), status: (stop) => this.status({ signal: stop }) }, after, signal);
	}

	#ready(signal: AbortSignal): Promise<JobUrls> {
		return unlessAborted(this.#urls, signal);
	}

	async #document(question: Parameters<Http['askJson']>[0]): Promise<StatusDocument> {
		return documentOf(await this.#connection.http.askJson(question));
	}
}

/** A signal for who has none: one for each call, so that nothing gathers on it. */
function never(): AbortSignal {
	return new AbortController().signal;
}
