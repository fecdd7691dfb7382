/** Converts a job's stored input to the form that the task expects. */
import type { StoredBody } from '../core/job/record.ts';
import { download, downloadAll } from '../rpc/download.ts';
import type { Attempt } from './attempt.ts';
import { ARRIVING_MEMORY, JSON_MEMORY, MEMORY_PATIENCE_MS, memoryForJson, NoMemory } from './budget.ts';
import type { RegisteredTask } from './registry.ts';
import { type BinaryInput, TaskError } from './task.ts';

/** Delay before an attempt that had no memory to read its input is retried, in seconds. */
const NO_MEMORY_RETRY_SECONDS = 5;

type AttemptInput = Pick<Attempt, 'jobs' | 'id' | 'lease'>;

/**
 * @throws {TaskError} `InvalidInput`, not retryable: the schema has changed since the job was accepted; `TaskFailed`,
 * retryable: too much JSON is being read in this isolate.
 */
export async function readInput(task: RegisteredTask, attempt: AttemptInput): Promise<unknown> {
	const { input } = attempt.lease;
	if (!input) throw new TaskError('InvalidInput', 'The job has no input', { retryable: false });
	if (input.form === 'bytes') return binaryInput(attempt, input);
	try {
		return await readJsonInput(task, attempt, input);
	} catch (error) {
		if (!(error instanceof NoMemory)) throw error;
		throw new TaskError('TaskFailed', error.message, { retryAfterSeconds: NO_MEMORY_RETRY_SECONDS });
	}
}

/** Parses the parameters by the task's schema. @throws {TaskError} as `readInput`. */
export function parseParameters(
	task: RegisteredTask,
	stored: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
	const parsed = task.parameters.safeParse(stored);
	if (!parsed.success) throw changedSchema(task, 'parameters');
	return parsed.data;
}

/** Downloading and parsing have separate budgets: a download may take long, and must not hold memory that parsing needs. */
async function readJsonInput(task: RegisteredTask, { jobs, id }: AttemptInput, body: StoredBody): Promise<unknown> {
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

function binaryInput({ jobs, id }: AttemptInput, body: StoredBody): BinaryInput {
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
