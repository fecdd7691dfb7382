/**
 * What a task is: the whole vocabulary a task author needs.
 *
 * A task says what it takes (a zod schema, raw bytes, or either), how it is retried, and how to do the work. Nothing in
 * this file does anything at run time beyond holding those facts together.
 */
import type { z } from 'zod';
import type { WaitTerms } from '../job/lifecycle.ts';
import type { AttemptLinks } from '../job/links.ts';

/** The lanes a task can name. A lane is a set of queues; slow work must not share one with fast work. */
export type Lane = 'jobs' | 'long';

/** What a task that takes raw bytes accepts. */
export interface BinaryInputSpec {
	/** Media types taken, without parameters, lower case: `image/png`. A wildcard subtype is allowed: `image/*`. */
	readonly mediaTypes: readonly string[];
	/** The task reads text by its `charset`: an encoding that the runtime doesn't know is refused before the 202. */
	readonly isText?: boolean;
	/** The largest body taken, in bytes. Default: the deployment's `MAX_INPUT_BYTES`. */
	readonly maxBytes?: number;
}

/** A task's raw input. It stays in the job's object until it is read, so ask for it once and as late as you can. */
export interface BinaryInput {
	/** The media type the client sent, with its parameters. */
	readonly mediaType: string;
	/** The length in bytes. */
	readonly sizeBytes: number;
	/** The bytes as a stream: the whole input is never in memory at once. */
	stream(): ReadableStream<Uint8Array>;
	/** All the bytes at once. */
	bytes(): Promise<Uint8Array>;
}

/** What one attempt at a job knows and can do. */
export interface JobContext<Parameters = Record<string, never>> {
	/** The job's id: 64 hexadecimal digits. */
	readonly id: string;
	/** Which attempt this is, from 1. */
	readonly attempt: number;
	/** The validated query parameters of the submission. */
	readonly parameters: Parameters;
	/** Fires when the job is canceled, the attempt's time is over, or the attempt was given to somebody else. */
	readonly signal: AbortSignal;
	/** The caller's `X-Correlation-ID`, or one made up at submission. */
	readonly correlationId: string;
	/**
	 * The same for every attempt, and another one after `POST …/retry`: `{id}-{epoch}`. Hand it to every service that you
	 * call, so that the service recognises a repeat. Never the caller's own key: two tenants may use the same one.
	 */
	readonly idempotencyKey: string;
	/** The caller's W3C trace context, if it sent one. */
	readonly traceparent: string | undefined;
	/**
	 * Tells watchers how far the work is. Cheap: call it as often as you like, at most one a second goes out.
	 *
	 * @param percent 0–100; within an attempt it never goes down, a lower value is ignored. Leave it out when unknown.
	 * @param message for people, at most 500 characters.
	 * @param data for programs: JSON of at most 4 KiB; larger is left out.
	 */
	progress(percent?: number, message?: string, data?: unknown): void;
	/**
	 * `fetch`, aborted with the attempt, and refusing private and link-local addresses unless the deployment allows them.
	 *
	 * @throws {TaskError} `TargetNotAllowed` (not retryable) when the address, or a redirect's, is refused.
	 */
	fetch(url: string | URL, init?: RequestInit): Promise<Response>;
	/**
	 * Lets somebody else finish this attempt: gives out the links with which an external worker reports progress, the result
	 * or a failure. Tell it of them, and return what you got: the job then waits, and costs nothing while it does. Whoever has
	 * the links can end this attempt, and no other.
	 *
	 * @throws {TaskError} `WaitNotPossible` (not retryable) when the deployment has no `SIGNING_KEYS`.
	 * @throws {RangeError} for times out of bounds.
	 * @example
	 * const waiting = await job.waitFor({ startWithinSeconds: 60, timeoutSeconds: 3_600 });
	 * await job.fetch('https://render-farm.example/jobs', { method: 'POST', body: JSON.stringify(waiting.links) });
	 * return waiting;
	 */
	waitFor(options?: WaitOptions): Promise<WaitingForWorker>;
}

/** How long an attempt waits for its external worker. When that is over the attempt has failed, and the job is retried by its policy. */
export interface WaitOptions {
	/** Seconds until the worker must have reported for the first time, 1 s–30 days. Default: it need not. */
	readonly startWithinSeconds?: number;
	/** Seconds until it must have ended, 1 s–7 days. Default: one hour. */
	readonly timeoutSeconds?: number;
}

/** An attempt that goes on elsewhere. Made by {@link JobContext.waitFor}, and returned from `run`. */
export class WaitingForWorker {
	/** Where the worker reports, each with a token for this attempt: `progress`, `complete` and `fail`. */
	readonly links: AttemptLinks;
	/** @internal */
	readonly terms: WaitTerms;

	constructor(links: AttemptLinks, terms: WaitTerms) {
		this.links = links;
		this.terms = terms;
	}
}

/**
 * What a task may return: JSON, a `Response` whose status, content type and bytes become the result's, or that somebody else
 * will say what came of it.
 */
export type TaskResult = Response | JsonValue | WaitingForWorker | undefined;

/** Anything `JSON.stringify` keeps as it is. */
export type JsonValue =
	| string
	| number
	| boolean
	| null
	| readonly JsonValue[]
	| { readonly [key: string]: JsonValue | undefined };

/** How a task describes its input: a zod schema for JSON, media types for bytes, or both. */
export type InputSpec = z.ZodType | BinaryInputSpec | { readonly json: z.ZodType; readonly binary: BinaryInputSpec };

/** The input as `run` receives it. */
export type InputOf<Spec> = Spec extends z.ZodType
	? z.output<Spec>
	: Spec extends { json: infer Json extends z.ZodType; binary: BinaryInputSpec }
		? z.output<Json> | BinaryInput
		: BinaryInput;

/** One kind of work. Make it with {@link defineTask}. */
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
	/** Query parameters. They arrive as strings: use `z.coerce`. Default: none are taken. */
	readonly parameters?: Params;
	/** `jobs` for up to some seconds, `long` for minutes. Default: `jobs`. */
	readonly lane?: Lane;
	/** Attempts before the job fails, 1–50. Default: 4. */
	readonly maxAttempts?: number;
	/** The deadline of one attempt, in seconds, 1–840. Default: 60. */
	readonly timeoutSeconds?: number;
	/** Does the work. May be called again for the same job after a failure or a crash. */
	run(input: InputOf<Input>, job: JobContext<z.output<Params>>): Promise<Result> | Result;
}

/** Any task, whatever it takes. */
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

/** How {@link TaskError} says what should happen next. */
export interface TaskErrorOptions extends ErrorOptions {
	/** Whether another attempt may succeed. Default: true. */
	readonly retryable?: boolean;
	/** The HTTP status of the stored failure, 400–599. Default: 500. */
	readonly status?: number;
	/** Wait at least this long before the next attempt, in seconds. Default: backoff decides. */
	readonly retryAfterSeconds?: number;
	/** More for the client's program: JSON. */
	readonly details?: readonly JsonValue[];
}

/** A failure a client is meant to see: its code and message become the job's `error`. Anything else thrown is private. */
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
