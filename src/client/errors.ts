/**
 * The client's errors, one class for each kind of failure. All extend {@link CoatcheckError}. A call that you abort rejects
 * with the reason of your own signal instead, as everywhere on the platform. No message contains a token.
 *
 * @example
 * try {
 *   return await job.result();
 * } catch (error) {
 *   if (error instanceof JobFailedError) return report(error.code, error.details);
 *   if (error instanceof JobGoneError) return submitAgain();
 *   throw error;
 * }
 */
import type { OperationError } from '../core/operation/words.ts';
import type { StatusDocument } from './document.ts';
import type { OperationState } from './operation/state.ts';

export abstract class CoatcheckError extends Error {}

/** One validation error, and where it is in the request: a JSON Pointer into the body, a header, or a query parameter. */
export interface Fault {
	readonly message: string;
	readonly pointer?: string;
	readonly header?: string;
	readonly parameter?: string;
}

export interface ProblemFacts {
	/** The HTTP status: 400–599. */
	readonly status: number;
	/** A code for programs: `InvalidInput`, `Unauthorized`, `RateLimited`, … `undefined` when an intermediary answered. */
	readonly code: string | undefined;
	/** The validation errors of a malformed request. */
	readonly errors: readonly Fault[];
	readonly correlationId: string | undefined;
	/** The wait that the server asks for, in seconds. */
	readonly retryAfterSeconds: number | undefined;
}

/** The server refused a request and said why (RFC 9457). Transient refusals (429, 5xx) were retried before this is thrown. */
export class ProblemError extends CoatcheckError implements ProblemFacts {
	override readonly name: string = 'ProblemError';
	declare readonly status: number;
	declare readonly code: string | undefined;
	declare readonly errors: readonly Fault[];
	declare readonly correlationId: string | undefined;
	declare readonly retryAfterSeconds: number | undefined;

	constructor(message: string, facts: ProblemFacts) {
		super(message);
		Object.assign(this, facts);
	}
}

/** The job existed, but its data is deleted: 410. */
export class JobGoneError extends ProblemError {
	override readonly name = 'JobGoneError';

	/** `expired`: the retention time has passed. `purged`: the job was deleted on request. */
	get reason(): 'expired' | 'purged' {
		return this.code === 'JobPurged' ? 'purged' : 'expired';
	}
}

/** The job ran and failed. Carries the job's own error. */
export class JobFailedError extends CoatcheckError {
	override readonly name = 'JobFailedError';
	/**
	 * The code that the task threw, or `TaskFailed`, `ExecutionTimeout`, `StartDeadlinePassed`, `DeliveryFailed`,
	 * `UpstreamFailed`, …
	 */
	readonly code: string;
	/** More details for programs, as the task gave them. */
	readonly details: readonly unknown[];
	/** Whether `job.retry()` may succeed. */
	readonly retryable: boolean;
	/** The job in its final state; `links.result` returns the stored failure. */
	readonly job: StatusDocument;

	constructor(job: StatusDocument) {
		const { code = 'TaskFailed', message = 'The job failed', details = [], retryable = false } = job.error ?? {};
		super(message);
		this.code = code;
		this.details = details;
		this.retryable = retryable;
		this.job = job;
	}
}

/** The job was canceled and has no result. */
export class JobCanceledError extends CoatcheckError {
	override readonly name = 'JobCanceledError';
	/** The job in its final state. */
	readonly job: StatusDocument;

	constructor(job: StatusDocument) {
		super('The job was canceled and has no result');
		this.job = job;
	}
}

/** An operation of another service failed. Carries the operation's own error. */
export class OperationFailedError extends CoatcheckError implements OperationError {
	override readonly name = 'OperationFailedError';
	/** The service's own code; `OperationFailed` when it sent none. */
	readonly code: string;
	/** More details for programs, as the service gave them. */
	readonly details: readonly unknown[];
	/** The operation in its final state; `body` is the complete JSON that the service sent. */
	readonly state: OperationState;

	constructor({ code, message, details }: OperationError, state: OperationState) {
		super(message);
		this.code = code;
		this.details = details;
		this.state = state;
	}
}

/** An operation of another service was canceled and has no result. */
export class OperationCanceledError extends CoatcheckError implements OperationError {
	override readonly name = 'OperationCanceledError';
	/** The service's own code; `OperationCanceled` when it sent none. */
	readonly code: string;
	readonly details: readonly unknown[];
	/** The operation in its final state; `body` is the complete JSON that the service sent. */
	readonly state: OperationState;

	constructor({ code, message, details }: OperationError, state: OperationState) {
		super(message);
		this.code = code;
		this.details = details;
		this.state = state;
	}
}

/** No response arrived, or it broke off: the network, a proxy, or the server failed. `cause` is the platform's error. */
export class TransportError extends CoatcheckError {
	override readonly name: string = 'TransportError';
}

/** No response arrived in time. */
export class AnswerTimeoutError extends TransportError {
	override readonly name = 'AnswerTimeoutError';
}

/**
 * An intermediary answered in the server's place, such as the login page of a hotel's network. The failure may be transient.
 */
export class ForeignAnswerError extends TransportError {
	override readonly name = 'ForeignAnswerError';
}

/**
 * The response is not one that Coatcheck sends: another service, another version, or an intermediary that rewrites responses.
 * For an operation of another service: a response from which the client can't tell how the operation continues.
 */
export class ProtocolError extends CoatcheckError {
	override readonly name = 'ProtocolError';
}
