/** The package `coatcheck`: everything that a Worker with tasks of its own needs. */
export type { AttemptLinks } from './core/job/links.ts';
export { type CoatcheckHandlers, type CoatcheckOptions, coatcheck } from './handlers.ts';
export {
	BatchObject,
	JobObject,
	type ObjectClass,
	TenantObject,
	TopicObject,
	UpstreamGate,
} from './object/classes.ts';
export {
	type AnyTask,
	type BinaryInput,
	type BinaryInputSpec,
	defineTask,
	type InputOf,
	type InputSpec,
	type JobContext,
	type JsonValue,
	type Lane,
	type Task,
	TaskError,
	type TaskErrorOptions,
	type TaskResult,
	type WaitingForWorker,
	type WaitOptions,
} from './work/task.ts';
