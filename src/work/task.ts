/**
 * The vocabulary of a task: everything that a task author needs.
 *
 * A task declares its input (a zod schema, raw bytes, or either), its retry policy, and the function that does the work.
 * The code in this file only holds these facts together.
 */
import type * as z from 'zod';
import type { ExternalWaitTerms } from '../core/job/lifecycle.ts';
import type { AttemptLinks } from '../core/job/links.ts';

/**
 * The lanes that a task can name. A lane is a set of queues; it keeps slow work apart from fast work.
 *
 * - `jobs`: work of up to some seconds.
 * - `long`: work of minutes.
 * - `now`: work of milliseconds. The Worker that accepted the job runs it at once, without a queue. What it can't run at
 *   once, and every later attempt, goes to the queues of `jobs`.
 */
export type Lane = 'jobs' | 'long' | 'now';

/** The raw bytes that a task accepts. */
export interface BinaryInputSpec {
	/** Accepted media types, without parameters, in lower case: `image/png`. A wildcard subtype is allowed: `image/*`. */
	readonly mediaTypes: readonly string[];
	/**
	 * The task reads text by its `charset`. A submission in an encoding that the runtime doesn't support is rejected before
	 * the 202.
	 */
	readonly isText?: boolean;
	/** Maximum size of the body, in bytes. Default: the deployment's `MAX_INPUT_BYTES`. */
	readonly maxBytes?: number;
}

/** A task's raw input. It stays in the job's object until it is read, so read it once and as late as possible. */
export interface BinaryInput {
	/** The media type the client sent, with its parameters. */
	readonly mediaType: string;
	/** The length in bytes. */
	readonly sizeBytes: number;
	/** Returns the bytes as a stream, so that the whole input is never in memory at once. */
	stream(): ReadableStream<Uint8Array>;
	/** Returns all bytes at once. */
	bytes(): Promise<Uint8Array>;
}

/** The context of one attempt at a job. */
export interface JobContext<Parameters = Record<string, never>> {
	/** The job's id: 64 hexadecimal digits. */
	readonly id: string;
	/** The number of this attempt, from 1. */
	readonly attempt: number;
	/** The validated query parameters of the submission. */
	readonly parameters: Parameters;
	/** Aborts when the job is canceled, the attempt times out, or another attempt supersedes this one. */
	readonly signal: AbortSignal;
	/** The caller's `X-Correlation-ID`, or one generated at submission. */
	readonly correlationId: string;
	/**
	 * An idempotency key for your own calls: the same for every attempt, and a new one after `POST …/retry`:
	 * `{id}-{epoch}`. Send it to every service that you call, so that the service recognises a repeated call. It is never
	 * the caller's own key, because two tenants may use the same one.
	 */
	readonly idempotencyKey: string;
	/** The caller's W3C trace context, if it sent one. */
	readonly traceparent: string | undefined;
	/**
	 * Reports progress to watchers. Call it as often as you like: at most one report a second is sent.
	 *
	 * @param percent 0–100. It never decreases within an attempt; a lower value is ignored. Leave it out when unknown.
	 * @param message for people, at most 500 characters.
	 * @param data for programs: JSON of at most 4 KiB; larger data is left out.
	 */
	progress(percent?: number, message?: string, data?: unknown): void;
	/**
	 * `fetch`, aborted with the attempt. It rejects private and link-local addresses, unless the deployment allows them.
	 *
	 * @throws {TaskError} `TargetNotAllowed` (not retryable) if the address, or a redirect's, is rejected.
	 */
	fetch(url: string | URL, init?: RequestInit): Promise<Response>;
	/**
	 * Lets an external worker finish this attempt: issues the links with which it reports progress, the result or a failure.
	 * Send the links to the worker, and return the value from `run`. The job then waits, which costs nothing. The links grant
	 * the right to end this attempt, and no other.
	 *
	 * @throws {TaskError} `WaitNotPossible` (not retryable) if the deployment has no `SIGNING_KEYS`.
	 * @throws {RangeError} for times out of bounds.
	 * @example
	 * const waiting = await job.waitFor({ startWithinSeconds: 60, timeoutSeconds: 3_600 });
	 * await job.fetch('https://render-farm.example/jobs', { method: 'POST', body: JSON.stringify(waiting.links) });
	 * return waiting;
	 */
	waitFor(options?: WaitOptions): Promise<WaitingForWorker>;
}

/**
 * How long an attempt waits for its external worker. After that, the attempt fails, and the job is retried by its retry
 * policy.
 */
export interface WaitOptions {
	/** Time until the worker must send its first report, in seconds: from 1 s to 30 days. Default: no limit. */
	readonly startWithinSeconds?: number;
	/** Time until the worker must report the outcome, in seconds: from 1 s to 7 days. Default: one hour. */
	readonly timeoutSeconds?: number;
}

/** An attempt that an external worker finishes. Created by {@link JobContext.waitFor}, and returned from `run`. */
export class WaitingForWorker {
	/** The URLs for the worker's reports, each with a token for this attempt: `progress`, `complete` and `fail`. */
	readonly links: AttemptLinks;
	/** @internal */
	readonly terms: ExternalWaitTerms;

	constructor(links: AttemptLinks, terms: ExternalWaitTerms) {
		this.links = links;
		this.terms = terms;
	}
}

/**
 * The return value of a task: JSON; a `Response`, whose status, content type and bytes become the result's; or, for an
 * attempt that an external worker finishes, a {@link WaitingForWorker}.
 */
export type TaskResult = Response | JsonValue | WaitingForWorker | undefined;

/** Any value that `JSON.stringify` preserves. */
export type JsonValue =
	| string
	| number
	| boolean
	| null
	| readonly JsonValue[]
	| { readonly [key: string]: JsonValue | undefined };

/** The input of a task: a zod schema for JSON, media types for bytes, or both. */
export type InputSpec = z.ZodType | BinaryInputSpec | { readonly json: z.ZodType; readonly binary: BinaryInputSpec };

/** The input as `run` receives it. */
export type InputOf<Spec> = Spec extends z.ZodType
	? z.output<Spec>
	: Spec extends { json: infer Json extends z.ZodType; binary: BinaryInputSpec }
		? z.output<Json> | BinaryInput
		: BinaryInput;

/** One kind of work. Create it with {@link defineTask}. */
export interface Task<
	Input extends InputSpec = InputSpec,
	Params extends z.ZodObject = z.ZodObject,
	Name extends string = string,
	Result extends TaskResult = TaskResult,
> {
	/** 1–64 of `a–z 0–9 -`, starting with a letter. Part of URLs: don't rename it while jobs are stored. */
	readonly name: Name;
	/** One sentence for `GET /v1/tasks`. */
	readonly description: string;
	readonly input: Input;
	/** Query parameters. They arrive as strings: use `z.coerce`. Default: none. */
	readonly parameters?: Params;
	/** `jobs` for up to some seconds, `long` for minutes, `now` for milliseconds. Default: `jobs`. */
	readonly lane?: Lane;
	/** Attempts before the job fails, 1–50. Default: 4. */
	readonly maxAttempts?: number;
	/** The deadline of one attempt, in seconds, 1–840. Default: 60. On lane `now`: 1–20, default 10. */
	readonly timeoutSeconds?: number;
	/**
	 * How agents see the task: `tool`, a tool whose calls wait and then become a task of the protocol; `task-required`, only for clients
	 * that take tasks, and at once; `off`, not at all. Default: `tool`.
	 */
	readonly mcp?: 'tool' | 'task-required' | 'off';
	/** Does the work. It may be called again for the same job after a failure or a crash. */
	run(input: InputOf<Input>, job: JobContext<z.output<Params>>): Promise<Result> | Result;
}

/** Any task. */
// biome-ignore lint/suspicious/noExplicitAny: `run` is contravariant in its input, so only `any` holds every task.
export type AnyTask = Task<any, any>;

/**
 * Ties a task's schemas to the types of its `run`.
 *
 * @example
 * export const greet = defineTask({
 *   name: 'greet',
 *   description: 'Says hello.',
 *   input: z.object({ name: z.string() }),
 *   run: ({ name }) => ({ greeting: `Hello, ${name}` }),
 * });
 */
export function defineTask<
	const Input extends InputSpec,
	Params extends z.ZodObject = z.ZodObject<Record<string, never>>,
	const Name extends string = string,
	Result extends TaskResult = TaskResult,
>(task: Task<Input, Params, Name, Result>): Task<Input, Params, Name, Result> {
	return task;
}

/** The options of a {@link TaskError}. */
export interface TaskErrorOptions extends ErrorOptions {
	/** Whether another attempt may succeed. Default: true. */
	readonly retryable?: boolean;
	/** The HTTP status of the stored failure, 400–599. Default: 500. */
	readonly status?: number;
	/** Minimum wait before the next attempt, in seconds. Default: backoff decides. */
	readonly retryAfterSeconds?: number;
	/** Additional details for the client's program: JSON. */
	readonly details?: readonly JsonValue[];
}

/** A failure that the client sees: its code and message become the job's `error`. Any other error is private. */
export class TaskError extends Error {
	override readonly name = 'TaskError';
	readonly code: string;
	readonly retryable: boolean;
	readonly status: number;
	readonly retryAfterSeconds: number | undefined;
	readonly details: readonly JsonValue[] | undefined;

	/**
	 * @param code a stable word for programs, PascalCase: `ImageTooLarge`.
	 * @param message a sentence for people.
	 */
	constructor(code: string, message: string, options: TaskErrorOptions = {}) {
		super(message, options);
		this.code = code;
		this.retryable = options.retryable ?? true;
		this.status = options.status ?? 500;
		this.retryAfterSeconds = Number.isFinite(options.retryAfterSeconds) ? options.retryAfterSeconds : undefined;
		this.details = options.details;
	}
}
