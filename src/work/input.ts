/** Converts a job's stored input to the form that the task expects. */
import type { StoredBody, StoredInput } from '../core/job/record.ts';
import { download, downloadAll } from '../rpc/download.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { ARRIVING_MEMORY, JSON_MEMORY, MEMORY_PATIENCE_MS, memoryForJson, NoMemory } from './budget.ts';
import type { RegisteredTask } from './registry.ts';
import { type BinaryInput, TaskError } from './task.ts';

/** Delay before an attempt that had no memory to read its input is retried, in seconds. */
const NO_MEMORY_RETRY_SECONDS = 5;

/**
 * @throws {TaskError} `InvalidInput`, not retryable: the schema has changed since the job was accepted; `TaskFailed`,
 * retryable: too much JSON is being read in this isolate.
 */
export async function readInput(
	task: RegisteredTask,
	jobs: Jobs,
	id: string,
	body: StoredInput | undefined,
): Promise<unknown> {
	if (!body) throw new TaskError('InvalidInput', 'The job has no input', { retryable: false });
	if (body.form === 'bytes') return binaryInput(jobs, id, body);
	try {
		return await readJsonInput(task, jobs, id, body);
	} catch (error) {
		if (!(error instanceof NoMemory)) throw error;
		throw new TaskError('TaskFailed', error.message, { retryAfterSeconds: NO_MEMORY_RETRY_SECONDS });
	}
}

/** Parses the parameters by the task's schema. @throws {TaskError} as `readInput`. */
export function parametersOf(task: RegisteredTask, stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
	const parsed = task.parameters.safeParse(stored);
	if (!parsed.success) throw changedSchema(task, 'parameters');
	return parsed.data;
}

/** Downloading and parsing have separate budgets: a download may take long, and must not hold memory that parsing needs. */
async function readJsonInput(task: RegisteredTask, jobs: Jobs, id: string, body: StoredBody): Promise<unknown> {
	const arrivingBytes = 'inline' in body ? 0 : body.sizeBytes;
	return ARRIVING_MEMORY.use(arrivingBytes, MEMORY_PATIENCE_MS, async () => {
		const bytes = await downloadAll(jobs, id, body);
		return JSON_MEMORY.use(memoryForJson(body.sizeBytes), MEMORY_PATIENCE_MS, () => parseInput(task, bytes));
	});
}

async function parseInput(task: RegisteredTask, bytes: Uint8Array): Promise<unknown> {
	const parsed = await task.json?.safeParseAsync(JSON.parse(new TextDecoder().decode(bytes)));
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
	const message = `The ${part} failed validation: the schema of task "${task.name}" has changed since the submission`;
	return new TaskError('InvalidInput', message, { retryable: false });
}
