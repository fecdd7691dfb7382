/** What a component knows of a job. Pure. */
import type { StatusDocument } from '../client/document.ts';
import { JobCanceledError, JobFailedError } from '../client/errors.ts';

interface Facts<Status extends string, Known> {
	readonly status: Status;
	/** The last status document; `undefined` before the first. */
	readonly job: Known;
}

interface WithoutEnd {
	readonly result: undefined;
	readonly error: undefined;
}

interface WithError<Reason> {
	readonly result: undefined;
	readonly error: Reason;
}

/**
 * A job at one moment. `status` says which other members there are:
 *
 * - `idle`: no job was given.
 * - `loading`: the server has not answered yet. A submission may be on its way.
 * - `pending`, `running`: as the job itself.
 * - `reading`: the job has succeeded, and its result is on its way.
 * - `succeeded`: `result` is there.
 * - `failed`, `canceled`: `error` is what `job.result()` would throw.
 * - `error`: the job can't be read, and `error` says why: it was not accepted, it is unknown or gone, or nothing answers. It may still
 *   run. `refetch()` tries again.
 */
export type JobState<Result = unknown> =
	| (Facts<'idle' | 'loading', undefined> & WithoutEnd)
	| (Facts<'pending' | 'running' | 'reading', StatusDocument> & WithoutEnd)
	| (Facts<'succeeded', StatusDocument> & { readonly result: Result; readonly error: undefined })
	| (Facts<'failed', StatusDocument> & WithError<JobFailedError>)
	| (Facts<'canceled', StatusDocument> & WithError<JobCanceledError>)
	| (Facts<'error', StatusDocument | undefined> & WithError<Error>);

const WITHOUT_END = { result: undefined, error: undefined } as const;

export const IDLE: JobState<never> = { status: 'idle', job: undefined, ...WITHOUT_END };
export const LOADING: JobState<never> = { status: 'loading', job: undefined, ...WITHOUT_END };

/** @param readsResult whether the result of a job that has succeeded will be read. */
export function jobState(job: StatusDocument, readsResult: boolean): JobState<undefined> {
	const { status } = job;
	if (status === 'failed') return { status, job, result: undefined, error: new JobFailedError(job) };
	if (status === 'canceled') return { status, job, result: undefined, error: new JobCanceledError(job) };
	return { status: status === 'succeeded' && readsResult ? 'reading' : status, job, ...WITHOUT_END };
}
