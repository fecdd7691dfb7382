/** Follows a job to its end. */
import type { Job, JobEvent, StatusDocument } from '../../src/client/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';

export interface FollowOptions {
	readonly after: number | 'now';
	readonly signal: AbortSignal;
	readonly show: (event: JobEvent) => void;
}

/** @returns the job's last state. */
export async function followJob(job: Job, { after, signal, show }: FollowOptions): Promise<StatusDocument> {
	let last: StatusDocument | undefined;
	for await (const event of job.events({ after, signal })) {
		show(event);
		last = event.job;
	}
	return last ?? (await job.status({ signal }));
}

export function exitCodeFor({ status }: Pick<StatusDocument, 'status'>): ExitCode {
	if (status === 'succeeded') return EXIT.success;
	return status === 'failed' || status === 'canceled' ? EXIT.failed : EXIT.unfinished;
}
