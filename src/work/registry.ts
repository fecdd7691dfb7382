/** The tasks of a deployment, checked once at its start, so that a mistake fails the start and not a job. */
import * as z from 'zod';
import { NOW_LANE, NOW_TIMEOUT_SECONDS, OPTION_LIMITS } from '../core/job/limits.ts';
import type { AnyTask, BinaryInputSpec, Lane } from './task.ts';

export const MAX_TASK_NAME_CHARS = 64;
const NAME = new RegExp(`^[a-z][a-z0-9-]{0,${MAX_TASK_NAME_CHARS - 1}}$`);
const DEFAULT_LANE: Lane = 'jobs';

/** A task with all defaults applied. */
export interface RegisteredTask {
	readonly name: string;
	readonly description: string;
	/** Left out if the task takes only bytes. */
	readonly json?: z.ZodType;
	/** Left out if the task takes only JSON. */
	readonly binary?: BinaryInputSpec;
	readonly parameters: z.ZodObject;
	readonly lane: Lane;
	readonly maxAttempts: number;
	readonly timeoutSeconds: number;
	readonly mcp: NonNullable<AnyTask['mcp']>;
	readonly run: AnyTask['run'];
}

export type TaskRegistry = ReadonlyMap<string, RegisteredTask>;

/** @throws {TypeError} for an invalid task; the message names the task and the mistake. */
export function createRegistry(tasks: readonly AnyTask[]): TaskRegistry {
	const registry = new Map<string, RegisteredTask>();
	for (const task of tasks) {
		if (!NAME.test(task.name)) throw new TypeError(`Task name must match ${NAME.source}, got: "${task.name}"`);
		if (registry.has(task.name)) throw new TypeError(`Task "${task.name}" is registered twice`);
		registry.set(task.name, withDefaults(task));
	}
	return registry;
}

function withDefaults(task: AnyTask): RegisteredTask {
	return {
		name: task.name,
		description: task.description,
		...inputForms(task.input),
		parameters: (task.parameters ?? z.object({})).strict(),
		lane: task.lane ?? DEFAULT_LANE,
		maxAttempts: limited(task, 'maxAttempts'),
		timeoutSeconds: limited(task, 'timeoutSeconds'),
		mcp: task.mcp ?? 'tool',
		run: task.run.bind(task),
	};
}

function inputForms(input: AnyTask['input']): Pick<RegisteredTask, 'json' | 'binary'> {
	if (input instanceof z.ZodType) return { json: input };
	return 'json' in input ? { json: input.json, binary: input.binary } : { binary: input };
}

/** A number of a task, or its default. @throws {TypeError} if it is out of bounds. */
function limited(task: AnyTask, field: 'maxAttempts' | 'timeoutSeconds'): number {
	const isNow = field === 'timeoutSeconds' && task.lane === NOW_LANE;
	const { min, max, default: usual } = isNow ? NOW_TIMEOUT_SECONDS : OPTION_LIMITS[field];
	const value: number = task[field] ?? usual;
	if (Number.isInteger(value) && value >= min && value <= max) return value;
	const where = isNow ? ` on lane "${NOW_LANE}"` : '';
	throw new TypeError(
		`Task "${task.name}": ${field} must be a whole number from ${min} to ${max}${where}, got: ${value}`,
	);
}
