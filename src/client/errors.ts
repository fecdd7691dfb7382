/**
 * Everything that can go wrong for a caller, one class each. All extend {@link CoatcheckError}; what a caller aborts rejects
 * with the reason of its own signal instead, as everywhere on the platform. No message shows a token.
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
import type { OperationError } from '../lro/words.ts';
import type { StatusDocument } from './document.ts';
import type { OperationState } from './operation-state.ts';

export abstract class CoatcheckError extends Error {}

/** Where in a request the server found a fault: a JSON Pointer into the body, a header, or a query parameter. */
export interface Fault {
	readonly message: string;
	readonly pointer?: string;
	readonly header?: string;
	readonly parameter?: string;
}

export interface ProblemFacts {
	/** The HTTP status: 400–599. */
	readonly status: number;
	/** A word for programs: `InvalidInput`, `Unauthorized`, `RateLimited`, … `undefined` when something on the way answered. */
	readonly code: string | undefined;
	/** What is wrong where, when the request was malformed. */
	readonly errors: readonly Fault[];
	readonly correlationId: string | undefined;
	/** How long the server asks to be left alone, in seconds. */
	readonly retryAfterSeconds: number | undefined;
}

/** The server refused a request, and says why (RFC 9457). Passing refusals (429, 5xx) were repeated before this is thrown. */
export class ProblemError extends CoatcheckError implements ProblemFacts {
	override readonly name: string = 'ProblemError';
	readonly status: number;
	readonly code: string | undefined;
	readonly errors: readonly Fault[];
	readonly correlationId: string | undefined;
	readonly retryAfterSeconds: number | undefined;

	constructor(message: string, { status, code, errors, correlationId, retryAfterSeconds }: ProblemFacts) {
		super(message);
		this.status = status;
		this.code = code;
		this.errors = errors;
		this.correlationId = correlationId;
		this.retryAfterSeconds = retryAfterSeconds;
	}
}

/** The job was there, and its data no longer is: 410. */
export class JobGoneError extends ProblemError {
	override readonly name = 'JobGoneError';

	/** `expired`: it was kept as long as was asked. `purged`: somebody deleted it. */
	get reason(): 'expired' | 'purged' {
		return this.code === 'JobPurged' ? 'purged' : 'expired';
	}
}

/** The job ran, and failed: its own error. */
export class JobFailedError extends CoatcheckError {
	override readonly name = 'JobFailedError';
	/** What the task threw, or `TaskFailed`, `ExecutionTimeout`, `StartDeadlinePassed`, `DeliveryFailed`, `UpstreamFailed`, … */
	readonly code: string;
	/** More for programs, as the task gave it. */
	readonly details: readonly unknown[];
	/** Whether `job.retry()` has a chance. */
	readonly retryable: boolean;
	/** The job as it ended; `links.result` answers the stored failure. */
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

/** The job was canceled, and so has no result. */
export class JobCanceledError extends CoatcheckError {
	override readonly name = 'JobCanceledError';
	/** The job as it ended. */
	readonly job: StatusDocument;

	constructor(job: StatusDocument) {
		super('The job was canceled: it has no result');
		this.job = job;
	}
}

/** An operation of another service failed: its own error. */
export class OperationFailedError extends CoatcheckError implements OperationError {
	override readonly name = 'OperationFailedError';
	/** The service's own; `OperationFailed` when it has none. */
	readonly code: string;
	/** More for programs, as the service gave it. */
	readonly details: readonly unknown[];
	/** The operation as it ended; `body` is all the service said. */
	readonly state: OperationState;

	constructor({ code, message, details }: OperationError, state: OperationState) {
		super(message);
		this.code = code;
		this.details = details;
		this.state = state;
	}
}

/** An operation of another service was canceled, and so has no result. */
export class OperationCanceledError extends CoatcheckError implements OperationError {
	override readonly name = 'OperationCanceledError';
	/** The service's own; `OperationCanceled` when it has none. */
	readonly code: string;
	readonly details: readonly unknown[];
	/** The operation as it ended; `body` is all the service said. */
	readonly state: OperationState;

	constructor({ code, message, details }: OperationError, state: OperationState) {
		super(message);
		this.code = code;
		this.details = details;
		this.state = state;
	}
}

/** There was no answer, or it broke off: the network, a proxy, a server that died. `cause` is what the platform said. */
export class TransportError extends CoatcheckError {
	override readonly name: string = 'TransportError';
}

/** There was no answer in time. */
export class AnswerTimeoutError extends TransportError {
	override readonly name = 'AnswerTimeoutError';
}

/** Something on the way answered in the server's place, as the login page of a hotel's network does. It may pass. */
export class ForeignAnswerError extends TransportError {
	override readonly name = 'ForeignAnswerError';
}

/**
 * What came is not what Coatcheck says: another service, another version, or something on the way that rewrites answers. Of an
 * operation of another service: no answer from which it can be told how it goes on.
 */
export class ProtocolError extends CoatcheckError {
	override readonly name = 'ProtocolError';
}
