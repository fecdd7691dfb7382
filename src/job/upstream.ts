/**
 * Jobs that forward a request to an upstream. They are told from a task's by their name alone: a task's holds no slash.
 * Pure.
 */
import type { JobRecord } from './record.ts';

const PREFIX = 'upstreams/';

/** What the `task` of such a job is called. */
export function upstreamTask(name: string): string {
	return PREFIX + name;
}

/** The name of the upstream; `undefined` for the job of a task. */
export function upstreamNameOf(task: string): string | undefined {
	return task.startsWith(PREFIX) ? task.slice(PREFIX.length) : undefined;
}

/** What a consumer has to know before it starts the job. */
export interface UpstreamHint {
	readonly name: string;
	/** Of one attempt. */
	readonly timeoutSeconds: number;
	/** The job was told to wait for its turn. */
	readonly hasWaited?: true | undefined;
}

export function upstreamHintOf({
	task,
	options,
	state,
}: Pick<JobRecord, 'task' | 'options' | 'state'>): UpstreamHint | undefined {
	const name = upstreamNameOf(task);
	if (name === undefined) return undefined;
	const hasWaited = state.name === 'pending' && state.waits !== undefined;
	return { name, timeoutSeconds: options.timeoutSeconds, ...(hasWaited && { hasWaited }) };
}
