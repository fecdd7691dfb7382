/** The next step for an operation of another service. Pure data. */
import type { OperationError, Told } from './words.ts';

/** The request that starts an operation. */
export interface OperationRequest {
	readonly method: string;
	readonly url: string;
	/**
	 * The location of the result after success, if the service's description has it (OpenAPI:
	 * `x-ms-long-running-operation-options`). A `resourceLocation` in the last response takes precedence.
	 * Default: the URL itself after PUT and PATCH, the last response after DELETE, otherwise the first response's `Location`.
	 */
	readonly finalStateVia?: FinalStateVia | undefined;
}

export type FinalStateVia = 'original-uri' | 'location' | 'operation-location' | 'azure-async-operation';

/** A running operation: plain data, to be stored and continued later. */
export interface Operation {
	/** In upper case. */
	readonly method: string;
	/** The URL of the next request. */
	readonly askAt: string;
	/**
	 * The kind of resource at `askAt`. `status`: a document with the operation's status. `location`: 202 until the operation
	 * has finished. `resource`: the resource that the operation makes, with its state. `result`: the finished result.
	 */
	readonly asksFor: 'status' | 'location' | 'resource' | 'result';
	/** The URL of the result, if it is known from the start. */
	readonly resultAt?: string;
}

export type Step =
	/** The operation continues: ask at `operation.askAt`, not sooner than `retryAfterMs`. */
	| {
			readonly type: 'ask';
			readonly operation: Operation;
			readonly retryAfterMs: number | undefined;
			readonly told: Told;
	  }
	/** The operation has succeeded: the result is at `operation.askAt`. */
	| { readonly type: 'fetch'; readonly operation: Operation; readonly told: Told }
	/** The operation has succeeded, or there was none: this response is the result. */
	| { readonly type: 'result'; readonly told: Told }
	| { readonly type: 'failed' | 'canceled'; readonly error: OperationError; readonly told: Told }
	/**
	 * The same request must be sent to another URL. Without `operation` it is the first request, with its method and body. The
	 * caller limits the number of redirects.
	 */
	| { readonly type: 'moved'; readonly url: string; readonly operation?: Operation }
	/** 400 or more. It is about the request, not the operation: the caller decides whether to ask again. */
	| { readonly type: 'refused'; readonly retryAfterMs: number | undefined }
	/** The response is not one that an operation can have here. */
	| { readonly type: 'nonsense'; readonly reason: string };
