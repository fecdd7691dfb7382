/** What to do about an operation of another service. Pure data. */
import type { OperationError, Told } from './words.ts';

/** The request that starts an operation. */
export interface OperationRequest {
	readonly method: string;
	readonly url: string;
	/**
	 * Where the result is once the operation has succeeded, when the service's description says so (OpenAPI:
	 * `x-ms-long-running-operation-options`). A `resourceLocation` in its last answer goes before.
	 * Default: at the URL itself after PUT and PATCH, in the last answer after DELETE, else at the first answer's `Location`.
	 */
	readonly finalStateVia?: FinalStateVia | undefined;
}

export type FinalStateVia = 'original-uri' | 'location' | 'operation-location' | 'azure-async-operation';

/** An operation that is under way: plain data, to be written down and taken up again. */
export interface Operation {
	/** In capitals. */
	readonly method: string;
	/** Where to ask next. */
	readonly askAt: string;
	/**
	 * What is there. `status`: a document that says how the operation is. `location`: 202 until it is something else.
	 * `resource`: what the operation makes, with its state in it. `result`: what it has made.
	 */
	readonly asksFor: 'status' | 'location' | 'resource' | 'result';
	/** Where the result will be, as far as that is known from the start. */
	readonly resultAt?: string;
}

export type Step =
	/** It goes on: ask at `operation.askAt`, no sooner than this. */
	| {
			readonly is: 'ask';
			readonly operation: Operation;
			readonly retryAfterMs: number | undefined;
			readonly told: Told;
	  }
	/** It has succeeded: the result is at `operation.askAt`. */
	| { readonly is: 'fetch'; readonly operation: Operation; readonly told: Told }
	/** It has succeeded, or was no operation at all: this very answer is the result. */
	| { readonly is: 'result'; readonly told: Told }
	| { readonly is: 'failed' | 'canceled'; readonly error: OperationError; readonly told: Told }
	/**
	 * The same question has to be asked at another URL. Without an operation it is the first request, with its method and body.
	 * Whoever asks bounds how often.
	 */
	| { readonly is: 'moved'; readonly url: string; readonly operation?: Operation }
	/** 400 or more. It is about the question, not about the operation: whoever asks decides whether to ask again. */
	| { readonly is: 'refused'; readonly retryAfterMs: number | undefined }
	/** The answer makes no sense here. */
	| { readonly is: 'nonsense'; readonly reason: string };
