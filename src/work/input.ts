/** A job's stored input as the task wants it. */
import type { StoredBody, StoredInput } from '../job/record.ts';
import { download, downloadAll } from '../rpc/download.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { JSON_MEMORY, memoryForJson } from './budget.ts';
import type { RegisteredTask } from './registry.ts';
import { type BinaryInput, TaskError } from './task.ts';

/**
 * @throws {TaskError} `InvalidInput`, not retryable: the schema has changed since the job was accepted.
 */
export async function inputOf(
	task: RegisteredTask,
	jobs: Jobs,
	id: string,
	body: StoredInput | undefined,
): Promise<unknown> {
	if (!body) throw new TaskError('InvalidInput', 'The job has no input', { retryable: false });
	if (body.form === 'bytes') return binaryInput(jobs, id, body);
	// Only for the reading: whoever works on may do so for long, and must keep nobody's small job waiting.
	return JSON_MEMORY.use(memoryForJson(body.sizeBytes), () => jsonInput(task, jobs, id, body));
}

/** The parameters as the task's schema makes them. @throws {TaskError} as `inputOf`. */
export function parametersOf(task: RegisteredTask, stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
	const parsed = task.parameters.safeParse(stored);
	if (!parsed.success) throw changedSchema(task, 'parameters');
	return parsed.data;
}

async function jsonInput(task: RegisteredTask, jobs: Jobs, id: string, body: StoredBody): Promise<unknown> {
	const text = new TextDecoder().decode(await downloadAll(jobs, id, body));
	const parsed = await task.json?.safeParseAsync(JSON.parse(text));
	if (!parsed?.success) throw changedSchema(task, 'input');
	return parsed.data;
}

function binaryInput(jobs: Jobs, id: string, body: StoredBody): BinaryInput {
	return {
		mediaType: body.mediaType,
		sizeBytes: body.sizeBytes,
		stream: () => download(jobs, id, body),
		bytes: () => downloadAll(jobs, id, body),
	};
}

function changedSchema(task: RegisteredTask, part: string): TaskError {
	const message = `The ${part} no longer fit the schema of task "${task.name}": it has changed since the job was accepted`;
	return new TaskError('InvalidInput', message, { retryable: false });
}
