/** Waits for a job on behalf of a call, and tells its progress. */

import { defined } from '../../core/defined.ts';
import type { BareEvent } from '../../core/job/document.ts';
import { MS_PER_SECOND } from '../../core/job/limits.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import { RisingProgress } from '../../core/mcp/rising-progress.ts';
import { logError } from '../../log.ts';
import { isTransientFailure } from '../../rpc/retry-transient.ts';
import { openFeed } from '../read/feed.ts';
import { waitForJob } from '../read/long-poll.ts';
import { readJob } from '../read/reading.ts';
import type { RequestContext } from '../request-context.ts';
import { jobRequest } from './own-request.ts';

export interface ProgressReport {
	/** 0–100. It rises with each report. */
	readonly progress: number;
	readonly message?: string;
}

interface Patience {
	readonly seconds: number;
	/** Ends the wait. */
	readonly signal: AbortSignal;
	/** Default: nobody wants to know. */
	readonly onProgress?: ((report: ProgressReport) => void) | undefined;
}

/**
 * The job with its outcome, when it has ended or the wait is over.
 *
 * @throws {Problem} for a job that does not exist, or no longer exists.
 */
export async function awaitJob(context: RequestContext, id: string, patience: Patience): Promise<FoundJob> {
	const request = jobRequest(context, id);
	const { seconds, signal, onProgress } = patience;
	if (seconds > 0 && !signal.aborted)
		await (onProgress
			? followProgress(request, patience, onProgress)
			: waitForJob(request, { waitSeconds: seconds, until: 'end', signal }));
	return readJob(request, true);
}

/**
 * What can be said of a job that was accepted; `undefined` if its object can't be reached now. An error would make an agent start the job
 * again.
 */
export async function unlessUnreachable<T>(id: string, say: () => Promise<T>): Promise<T | undefined> {
	try {
		return await say();
	} catch (error) {
		if (!isTransientFailure(error)) throw error;
		logError('accepted job not read', { job: id, error });
		return undefined;
	}
}

export function hasEnded({ view }: FoundJob): boolean {
	return view.facts.finishedAt !== undefined;
}

/** Follows the job's events until its last one. */
async function followProgress(
	request: RequestContext,
	{ seconds, signal }: Patience,
	onProgress: (report: ProgressReport) => void,
): Promise<void> {
	const socket = await openFeed(request, undefined);
	if (!socket) return;
	const rising = new RisingProgress();
	const { promise: over, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, seconds * MS_PER_SECOND);
	signal.addEventListener('abort', () => resolve(), { once: true });
	socket.addEventListener('close', () => resolve());
	socket.addEventListener('error', () => resolve());
	socket.addEventListener('message', ({ data }) => {
		const { job } = JSON.parse(String(data)) as BareEvent;
		const progress = rising.next(job.percentComplete ?? 0);
		const message = job.progress?.message;
		if (progress !== undefined) onProgress(defined({ progress, message }));
		if (job.finishedAt !== undefined) resolve();
	});
	socket.accept();
	await over;
	clearTimeout(timer);
	socket.close();
}
