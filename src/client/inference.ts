/** Infers the types of inputs and results from task definitions. This file has no code at run time. */
import type * as z from 'zod';
import type { BinaryInputSpec, JsonValue, WaitingForWorker } from '../work/task.ts';

/** The part of a task that its client needs: every `defineTask` result has it. */
export interface TaskTypes {
	readonly name: string;
	readonly input: unknown;
	readonly parameters?: unknown;
	run(input: never, job: never): unknown;
}

/** Tasks in a list or a record, such as a module of them. */
export type TaskCatalogue = readonly TaskTypes[] | Readonly<Record<string, TaskTypes>>;

type MemberOf<Tasks extends TaskCatalogue> = Tasks extends readonly (infer Task extends TaskTypes)[]
	? Task
	: Extract<Tasks[keyof Tasks], TaskTypes>;

/** Whether the type has the tasks' literal names. A task typed as `Task` or `AnyTask` has only `string`. */
type HasNames<Tasks extends TaskCatalogue> = string extends MemberOf<Tasks>['name'] ? false : true;

/** The names of the tasks. Without literal names: the keys of a record, or any string. */
export type TaskName<Tasks extends TaskCatalogue> =
	HasNames<Tasks> extends true
		? MemberOf<Tasks>['name']
		: Tasks extends readonly TaskTypes[]
			? string
			: keyof Tasks & string;

/** The task with this name. */
export type TaskNamed<Tasks extends TaskCatalogue, Name extends string> =
	HasNames<Tasks> extends true
		? Extract<MemberOf<Tasks>, { readonly name: Name }>
		: Tasks extends readonly TaskTypes[]
			? MemberOf<Tasks>
			: Name extends keyof Tasks
				? Extract<Tasks[Name], TaskTypes>
				: TaskTypes;

/** Bytes to send. A stream can be sent only once: its submission is not retried when the connection breaks off. */
export type Bytes = Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer> | ReadableStream<Uint8Array>;

type IsAny<Type> = 0 extends 1 & Type ? true : false;

/** The task's input: JSON that its schema accepts, bytes, or either. */
export type InputOf<Task extends TaskTypes> =
	IsAny<Task['input']> extends true ? unknown : unknown extends Task['input'] ? unknown : FromSpec<Task['input']>;

type FromSpec<Spec> = Spec extends z.ZodType
	? z.input<Spec>
	: Spec extends { readonly json: infer Json extends z.ZodType; readonly binary: BinaryInputSpec }
		? z.input<Json> | Bytes
		: Bytes;

/** The task's query parameters. `z.coerce` accepts `unknown`; this type shows what it returns instead. */
export type ParametersOf<Task extends TaskTypes> =
	IsAny<Task['parameters']> extends true
		? Readonly<Record<string, string | number | boolean>>
		: NonNullable<Task['parameters']> extends infer Schema extends z.ZodObject
			? { readonly [Key in keyof z.input<Schema>]: Meant<z.input<Schema>[Key], z.output<Schema>, Key> }
			: Readonly<Record<string, string | number | boolean>>;

type Meant<Input, Output, Key> = unknown extends Input ? (Key extends keyof Output ? Output[Key] : never) : Input;

/**
 * The type of `result()`: the JSON that the task returned. For a task that returns a `Response`: the `Response`, its JSON, or
 * nothing.
 */
export type ResultOf<Task extends TaskTypes> = FromWire<ByTask<Awaited<ReturnType<Task['run']>>>>;

/**
 * An external worker must give a result of the task's type. For a task that never returns one itself, the result may be
 * anything.
 */
type ByTask<Returned> = [Exclude<Returned, WaitingForWorker>] extends [never]
	? Response
	: Exclude<Returned, WaitingForWorker>;

type FromWire<Returned> = Returned extends Response ? Response | JsonValue | undefined : Returned;
