/** Jobs that forward a request to an upstream. Their `task` contains a slash, which the name of a task never does. Pure. */
import { defined } from '../defined.ts';
import type { JobRecord } from './record.ts';

const PREFIX = 'upstreams/';

/** The `task` of such a job. */
export function upstreamTask(name: string): string {
	return PREFIX + name;
}

/** The name of the upstream; `undefined` for the job of a task. */
export function upstreamNameOf(task: string): string | undefined {
	return task.startsWith(PREFIX) ? task.slice(PREFIX.length) : undefined;
}

/** The facts that a consumer needs before it starts the job. */
export interface UpstreamHint {
	readonly name: string;
	/** The timeout of one attempt. */
	readonly timeoutSeconds: number;
	/** The job was deferred before. */
	readonly hasWaited?: true | undefined;
}

export function upstreamHintOf({
	task,
	options,
	state,
}: Pick<JobRecord, 'task' | 'options' | 'state'>): UpstreamHint | undefined {
	const name = upstreamNameOf(task);
	if (name === undefined) return undefined;
	const hasWaited = state.name === 'pending' && state.waits !== undefined ? true : undefined;
	return defined({ name, timeoutSeconds: options.timeoutSeconds, hasWaited });
}
