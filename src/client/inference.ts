/** What a client may send and will get, read off the task definitions. Nothing in here exists at run time. */
import type { z } from 'zod';
import type { BinaryInputSpec, JsonValue, WaitingForWorker } from '../work/task.ts';

/** As much of a task as its client needs to know: any `defineTask` result is one. */
export interface TaskTypes {
	readonly name: string;
	readonly input: unknown;
	readonly parameters?: unknown;
	run(input: never, job: never): unknown;
}

/** Tasks in a list, or a record (a module of them, for instance). */
export type TaskCatalogue = readonly TaskTypes[] | Readonly<Record<string, TaskTypes>>;

type MemberOf<Tasks extends TaskCatalogue> = Tasks extends readonly (infer Task extends TaskTypes)[]
	? Task
	: Extract<Tasks[keyof Tasks], TaskTypes>;

/** Whether a type's names are known one by one. A task typed as `Task` or `AnyTask` has forgotten its own. */
type HasNames<Tasks extends TaskCatalogue> = string extends MemberOf<Tasks>['name'] ? false : true;

/** The names of the tasks; where the tasks have forgotten them, a record's keys, or any string. */
export type TaskName<Tasks extends TaskCatalogue> =
	HasNames<Tasks> extends true
		? MemberOf<Tasks>['name']
		: Tasks extends readonly TaskTypes[]
			? string
			: keyof Tasks & string;

/** The task of this name. */
export type TaskNamed<Tasks extends TaskCatalogue, Name extends string> =
	HasNames<Tasks> extends true
		? Extract<MemberOf<Tasks>, { readonly name: Name }>
		: Tasks extends readonly TaskTypes[]
			? MemberOf<Tasks>
			: Name extends keyof Tasks
				? Extract<Tasks[Name], TaskTypes>
				: TaskTypes;

/** Bytes to send. A stream can be sent only once: a submission with one is not repeated when it breaks off. */
export type Bytes = Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer> | ReadableStream<Uint8Array>;

type IsAny<Type> = 0 extends 1 & Type ? true : false;

/** What the task takes: JSON as its schema reads it, bytes, or either. */
export type InputOf<Task extends TaskTypes> =
	IsAny<Task['input']> extends true ? unknown : unknown extends Task['input'] ? unknown : FromSpec<Task['input']>;

type FromSpec<Spec> = Spec extends z.ZodType
	? z.input<Spec>
	: Spec extends { readonly json: infer Json extends z.ZodType; readonly binary: BinaryInputSpec }
		? z.input<Json> | Bytes
		: Bytes;

/** The query parameters the task takes. `z.coerce` would take anything: what is meant is what it makes of it. */
export type ParametersOf<Task extends TaskTypes> =
	IsAny<Task['parameters']> extends true
		? Readonly<Record<string, string | number | boolean>>
		: NonNullable<Task['parameters']> extends infer Schema extends z.ZodObject
			? { readonly [Key in keyof z.input<Schema>]: Meant<z.input<Schema>[Key], z.output<Schema>, Key> }
			: Readonly<Record<string, string | number | boolean>>;

type Meant<Input, Output, Key> = unknown extends Input ? (Key extends keyof Output ? Output[Key] : never) : Input;

/** What `result()` comes to: the JSON that the task returned. Where it returned a `Response`, that, or its JSON, or nothing. */
export type ResultOf<Task extends TaskTypes> = FromWire<ByTask<Awaited<ReturnType<Task['run']>>>>;

/** An external worker is held to give what its task would; where the task itself gives nothing, it may be anything. */
type ByTask<Returned> = [Exclude<Returned, WaitingForWorker>] extends [never]
	? Response
	: Exclude<Returned, WaitingForWorker>;

type FromWire<Returned> = Returned extends Response ? Response | JsonValue | undefined : Returned;
