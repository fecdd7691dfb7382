/** What is kept of a finished job of the service itself when its data is deleted. Pure. */
import { defined } from '../defined.ts';
import { readableUntil } from './expiry.ts';
import { isFinal, type JobError, type JobRecord, type Status } from './record.ts';
import { isSystemTask } from './system-task.ts';

/** A persisted contract: only add optional fields. Times are milliseconds since the epoch. */
export interface SystemJobSummary {
	readonly createdAt: number;
	readonly startedAt?: number;
	readonly finishedAt?: number;
	/** When the job's own document expires. */
	readonly readableUntil: number;
	readonly status: Status;
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly percentComplete?: number;
	/** The data of its last progress. */
	readonly progressData?: unknown;
	readonly requestedBy?: string;
	readonly correlationId: string;
	readonly error?: Pick<JobError, 'code' | 'message'>;
}

/** @returns `undefined` for a client's job, and for one that has not finished. */
export function systemJobSummary(job: JobRecord): SystemJobSummary | undefined {
	const { task, state, parameters, progress, createdAt, startedAt, requestedBy, options } = job;
	if (!isSystemTask(task) || !isFinal(state)) return undefined;
	const { name: status, finishedAt } = state;
	return defined({
		createdAt,
		startedAt,
		finishedAt,
		readableUntil: readableUntil(job),
		status,
		parameters,
		percentComplete: status === 'succeeded' ? 100 : progress?.percentComplete,
		progressData: progress?.data,
		requestedBy,
		correlationId: options.correlationId,
		error: state.name === 'failed' ? { code: state.error.code, message: state.error.message } : undefined,
	});
}
