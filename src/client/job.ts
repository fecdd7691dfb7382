/** A handle on one job, with all its operations. */
import { discardBody } from './body.ts';
import { isOver, type JobEvent, parseStatusDocument, type StatusDocument } from './document.ts';
import { EventStream } from './events/event-stream.ts';
import type { TransportTerms } from './events/transport-terms.ts';
import type { Http } from './http.ts';
import type { JobUrls } from './job-urls.ts';
import { loadPart } from './load-part.ts';
import { assertSucceeded, resultIn } from './outcome.ts';
import { unaborted, unlessAborted } from './wait.ts';

/** Options of every method. */
export interface CallOptions {
	/** Aborts the call and releases its connections. The call then rejects with the signal's reason. Default: never. */
	readonly signal?: AbortSignal | undefined;
}

export interface EventsOptions extends CallOptions {
	/**
	 * The `seq` of the last event you have, to continue after it; or `now`, for a `snapshot` and the events after it.
	 * Default: 0, all events since the job was accepted.
	 */
	readonly after?: number | 'now';
}

/** The part of a client that a handle needs. */
export interface JobConnection {
	readonly http: Http;
	readonly transports: TransportTerms;
}

/**
 * One job. A handle holds nothing open by itself: sockets and timers live as long as the call that needs them.
 *
 * All methods throw {@link ProblemError} when the server refuses (401 for a wrong token, 404 for an unknown job),
 * {@link JobGoneError} when the job was purged or has expired, {@link TransportError} when no response arrives after several
 * tries ({@link AnswerTimeoutError} is one kind), and {@link ProtocolError} for a malformed response. Each method lists its
 * other errors.
 */
export class Job<Result = unknown> {
	readonly #connection: JobConnection;
	readonly #urls: Promise<JobUrls>;
	#hasSucceeded = false;

	/** @internal Use `client.submit` or `client.job` to get a handle. */
	constructor(connection: JobConnection, urls: Promise<JobUrls>) {
		this.#connection = connection;
		this.#urls = urls;
		// Each method reports the rejection. An unused handle must not end the process with an unhandled one.
		urls.catch(() => {});
	}

	/** 64 hexadecimal digits, made by the server when it accepts the job. Rejects when the job is not accepted. */
	get id(): Promise<string> {
		return this.#urls.then(({ id }) => id);
	}

	/** The job's status URL, for `client.job(url)` in another process. Keep it secret: its token grants access to the job. */
	get url(): Promise<string> {
		return this.#urls.then(({ self }) => self);
	}

	/** Reads the job's current status. */
	async status({ signal = unaborted() }: CallOptions = {}): Promise<StatusDocument> {
		return this.#document({ url: (await this.#ready(signal)).operation, signal });
	}

	/**
	 * Streams the job's events as they happen, each once and in order, until the job has finished. Uses a WebSocket if that
	 * works, otherwise server-sent events, otherwise polling. After a broken connection it continues after the last event. Only
	 * the latest of several progress events may arrive.
	 *
	 * @example
	 * for await (const { type, job: { percentComplete } } of job.events()) console.log(type, percentComplete);
	 */
	events({ after = 0, signal }: EventsOptions = {}): EventStream {
		const cursor = after === 'now' ? undefined : after;
		return new EventStream((stop) => this.#follow(cursor, stop), signal);
	}

	/**
	 * Waits for the job to finish and returns its result. JSON is returned as the value that the task returned, a result
	 * without a body as `undefined`, and any other as the `Response` with its bytes.
	 *
	 * @throws {JobFailedError} {@link JobCanceledError}
	 */
	async result({ signal = unaborted() }: CallOptions = {}): Promise<Result> {
		const { http } = this.#connection;
		const url = await this.#succeeded(signal);
		// The only unchecked cast to the type in the task's definition: the server has validated the result.
		return (await http.ask({ url, signal }, (response) => resultIn(response, http.reading(signal)))) as Result;
	}

	/**
	 * Waits for the job to finish and returns its result as a `Response`: status, headers, and a body that is not read yet.
	 *
	 * @throws {JobFailedError} {@link JobCanceledError}
	 * @example await writeFile('small.jpg', (await job.response()).body);
	 */
	async response({ signal = unaborted() }: CallOptions = {}): Promise<Response> {
		const url = await this.#succeeded(signal);
		return this.#connection.http.ask({ url, signal }, async (response) => response);
	}

	/**
	 * Requests cancellation. A handle from `client.submit` may cancel. A handle made from a job's URL needs the `cancel` link
	 * instead, or an API key if the deployment requires keys. A running attempt is asked to stop, and the job's phase is
	 * `canceling` until it has stopped. If the job finishes at the same moment, the first of the two to be stored wins.
	 * Canceling a finished job changes nothing.
	 */
	async cancel({ signal = unaborted() }: CallOptions = {}): Promise<StatusDocument> {
		const { cancel } = await this.#ready(signal);
		return this.#document({ url: cancel, method: 'POST', signal });
	}

	/**
	 * Runs a failed or canceled job again: same job, same input, attempts from 1. Requires an API key with permission to
	 * submit, if the deployment requires keys. The request is sent only once: after a {@link TransportError}, check `status()`.
	 *
	 * @throws {ProblemError} with code `NotRetryable` when the job succeeded, or is not finished.
	 */
	async retry({ signal = unaborted() }: CallOptions = {}): Promise<StatusDocument> {
		const { retry } = await this.#ready(signal);
		return this.#document({ url: retry, method: 'POST', signal, isRepeatable: false });
	}

	/**
	 * Deletes a finished job's data now. Later calls throw {@link JobGoneError}.
	 *
	 * @throws {ProblemError} with code `NotFinished` when the job is not finished.
	 */
	async purge({ signal = unaborted() }: CallOptions = {}): Promise<void> {
		const { purge } = await this.#ready(signal);
		const question = { url: purge, method: 'POST', signal };
		await this.#connection.http.ask(question, async (response) => discardBody(response));
	}

	/** Waits until the job has succeeded, and returns the result's URL. */
	async #succeeded(signal: AbortSignal): Promise<string> {
		if (!this.#hasSucceeded) {
			let job: StatusDocument | undefined;
			for await (const event of this.#follow(undefined, signal)) job = event.job;
			assertSucceeded(job && isOver(job) ? job : await this.status({ signal }));
		}
		return (await this.#ready(signal)).result;
	}

	async *#follow(after: number | undefined, signal: AbortSignal): AsyncGenerator<JobEvent, void> {
		const urls = await this.#ready(signal);
		const { followJob } = await unlessAborted(loadPart(import('./events/follow-job.ts')), signal);
		const job = { ...this.#connection, urls, readStatus: (stop: AbortSignal) => this.status({ signal: stop }) };
		for await (const event of followJob(job, after, signal)) {
			this.#note(event.job);
			yield event;
		}
	}

	/** A job that has succeeded is never run again, so that its result can be read without following it once more. */
	#note({ status }: StatusDocument): void {
		if (status === 'succeeded') this.#hasSucceeded = true;
	}

	#ready(signal: AbortSignal): Promise<JobUrls> {
		return unlessAborted(this.#urls, signal);
	}

	async #document(question: Parameters<Http['askJson']>[0]): Promise<StatusDocument> {
		const job = parseStatusDocument(await this.#connection.http.askJson(question));
		this.#note(job);
		return job;
	}
}
