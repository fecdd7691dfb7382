/** Decides whether a submission repeats the request that created its job. Pure. */
import type { JobRecord } from './record.ts';

type Fingerprints = Pick<JobRecord, 'fingerprint' | 'requestFingerprint'>;

/**
 * Compares two requests as they were sent. A record of version 0.1.0, or a submission from a Worker of that version
 * during a deploy, has only the older fingerprint. In that case, both sides are compared by the older one.
 */
export function isRepeat(job: Fingerprints, submission: Fingerprints): boolean {
	const isNew = job.requestFingerprint !== undefined && submission.requestFingerprint !== undefined;
	return isNew ? job.requestFingerprint === submission.requestFingerprint : job.fingerprint === submission.fingerprint;
}
