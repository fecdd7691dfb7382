/** From a finished job to what its caller gets. */
import { discard, isJson, mediaTypeOf, type ReadOptions, textOf } from './body.ts';
import { parsed, type StatusDocument } from './document.ts';
import { JobCanceledError, JobFailedError } from './errors.ts';

/** @throws {JobFailedError} {@link JobCanceledError} */
export function assertSucceeded(job: StatusDocument): void {
	if (job.status === 'failed') throw new JobFailedError(job);
	if (job.status === 'canceled') throw new JobCanceledError(job);
}

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205]);

/** JSON as a value, nothing as `undefined`, and anything else as it came. */
export async function resultIn(response: Response, options: ReadOptions): Promise<unknown> {
	if (WITHOUT_BODY.has(response.status)) {
		discard(response);
		return undefined;
	}
	return isJson(mediaTypeOf(response)) ? parsed(await textOf(response, options)) : response;
}
