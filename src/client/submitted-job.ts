/** A job that this client submitted. The handle exists before the server has answered. */
import type { StatusDocument } from './document.ts';
import { ProtocolError } from './errors.ts';
import { type CallOptions, Job, type JobConnection } from './job.ts';
import { type JobUrls, jobUrls } from './job-urls.ts';
import { unlessAborted } from './wait.ts';

/**
 * The immediate result of `client.submit`.
 *
 * The server makes the job's id, so the id is a promise. `key`, the Idempotency-Key, is made by the client and identifies the
 * job at once. A submission that broke off is retried under the same key and creates no second job. A process can store the key
 * before it submits: after a crash it gets the same job by submitting the same again with `{ idempotencyKey: key }`.
 *
 * A failed submission is silent until you call a method of the handle: await `accepted()` to see the failure.
 *
 * @example
 * const job = client.submit('sleep', { seconds: 3 });
 * await db.put('ticket', job.key);          // before anything was awaited
 * console.log(await job.id, await job.result());
 */
export class SubmittedJob<Result = unknown> extends Job<Result> {
	/** The job's Idempotency-Key: it identifies the job before there is an id. */
	readonly key: string;
	readonly #accepted: Promise<StatusDocument>;

	/** @internal */
	constructor(connection: JobConnection, key: string, accepted: Promise<StatusDocument>) {
		super(connection, accepted.then(readUrls));
		this.key = key;
		this.#accepted = accepted;
	}

	/**
	 * Waits until the server has stored the job durably, and returns its status at that moment.
	 *
	 * @throws {ProblemError} when the server refuses: `InvalidInput` and `InvalidRequest` with `errors`, `UnknownTask`,
	 * `PayloadTooLarge`, `UnsupportedMediaType`, `IdempotencyKeyReused`, `Unauthorized`, `RateLimited`, `RequestTimeout`, …
	 */
	accepted({ signal }: CallOptions = {}): Promise<StatusDocument> {
		return unlessAborted(this.#accepted, signal);
	}
}

/** @throws {ProtocolError} */
function readUrls({ links }: StatusDocument): JobUrls {
	try {
		const urls = jobUrls(links.self);
		// Only the `cancel` link carries the permission to cancel.
		return links.cancel === undefined ? urls : { ...urls, cancel: links.cancel };
	} catch (cause) {
		throw new ProtocolError('Expected a link to the job itself', { cause });
	}
}
