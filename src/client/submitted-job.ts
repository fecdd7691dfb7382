/** A job of one's own making: there before the server has answered. */
import type { StatusDocument } from './document.ts';
import { ProtocolError } from './errors.ts';
import { type CallOptions, Job, type JobConnection } from './job.ts';
import { type JobUrls, jobUrls } from './job-urls.ts';
import { unlessAborted } from './wait.ts';

/**
 * What `client.submit` gives at once.
 *
 * The job's id is the server's to make, so nothing that is here before the answer can be it. What is here is `key`: the
 * Idempotency-Key, made by the client, which names the job just as well. A submission that broke off is repeated under it and
 * makes no second job; and a process that wrote the key down before it submitted, and died, gets the same job by submitting
 * the same again with `{ idempotencyKey: key }`. The id itself is a promise.
 *
 * A submission that nobody asks about fails in silence: await `accepted()` (or anything else of the handle) to hear of it.
 *
 * @example
 * const job = client.submit('sleep', { seconds: 3 });
 * await db.put('ticket', job.key);          // before anything was awaited
 * console.log(await job.id, await job.result());
 */
export class SubmittedJob<Result = unknown> extends Job<Result> {
	/** The job's Idempotency-Key: its name before it has an id. */
	readonly key: string;
	readonly #accepted: Promise<StatusDocument>;

	/** @internal */
	constructor(connection: JobConnection, key: string, accepted: Promise<StatusDocument>) {
		super(connection, accepted.then(urlsOf));
		this.key = key;
		this.#accepted = accepted;
	}

	/**
	 * The job as it was when the server had it on disk. From here on it is not lost.
	 *
	 * @throws {ProblemError} for what was refused: `InvalidInput` and `InvalidRequest` with `errors`, `UnknownTask`,
	 * `PayloadTooLarge`, `UnsupportedMediaType`, `IdempotencyKeyReused`, `Unauthorized`, `RateLimited`, `RequestTimeout`, …
	 */
	accepted({ signal }: CallOptions = {}): Promise<StatusDocument> {
		return unlessAborted(this.#accepted, signal);
	}
}

/** @throws {ProtocolError} */
function urlsOf({ links }: StatusDocument): JobUrls {
	try {
		const urls = jobUrls(links.self);
		// The right to cancel is in the link for that, and in no other.
		return links.cancel === undefined ? urls : { ...urls, cancel: links.cancel };
	} catch (cause) {
		throw new ProtocolError('Expected a link to the job itself', { cause });
	}
}
