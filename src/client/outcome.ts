/** Converts a finished job to the caller's result or error. */
import { isJson } from '../core/http/media-type.ts';
import { discardBody, type ReadOptions, readText, responseMediaType } from './body.ts';
import { parseResponseText, type StatusDocument } from './document.ts';
import { JobCanceledError, JobFailedError } from './errors.ts';

/** @throws {JobFailedError} {@link JobCanceledError} */
export function assertSucceeded(job: StatusDocument): void {
	if (job.status === 'failed') throw new JobFailedError(job);
	if (job.status === 'canceled') throw new JobCanceledError(job);
}

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205]);

/** Returns JSON as a value, no body as `undefined`, and anything else as the `Response`. */
export async function resultIn(response: Response, options: ReadOptions): Promise<unknown> {
	if (WITHOUT_BODY.has(response.status)) {
		discardBody(response);
		return undefined;
	}
	return isJson(responseMediaType(response)) ? parseResponseText(await readText(response, options)) : response;
}
