/** Whether a submission repeats the request that its job was made of. Pure. */
import type { JobRecord } from './record.ts';

type Fingerprints = Pick<JobRecord, 'fingerprint' | 'requestFingerprint'>;

/**
 * Two requests are compared as they were sent. A record of version 0.1.0, or a submission from a Worker of that version
 * during a deploy, has only the older fingerprint: then both sides are compared by that one.
 */
export function isRepeat(job: Fingerprints, submission: Fingerprints): boolean {
	const isNew = job.requestFingerprint !== undefined && submission.requestFingerprint !== undefined;
	return isNew ? job.requestFingerprint === submission.requestFingerprint : job.fingerprint === submission.fingerprint;
}
