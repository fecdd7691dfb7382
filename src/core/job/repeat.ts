/** Decides whether a submission repeats the request that created its job. Pure. */
import type { Submission } from './lifecycle.ts';
import { isFinal, type JobRecord } from './record.ts';
import { isSystemTask } from './system-task.ts';

type Fingerprints = Pick<JobRecord, 'fingerprint' | 'requestFingerprint'>;

/**
 * How a submission relates to the job that its object has. `first`: the object has no job, or only a tombstone, or an action that has ended. `same`: the
 * call was repeated. `repeat`: the request was repeated. `different`: the key belongs to another request.
 */
export type Relation = 'first' | 'same' | 'repeat' | 'different';

export function relationTo(existing: JobRecord | undefined, submission: Submission): Relation {
	if (!existing) return 'first';
	// Two tenants never share an id. If they ever did, this check would keep their jobs apart.
	if (existing.tenant !== submission.tenant) return 'different';
	if (existing.state.name === 'tombstone') return 'first';
	if (existing.submission === submission.submission) return 'same';
	// An action that has ended makes room for another one like it.
	if (isSystemTask(existing.task) && isFinal(existing.state)) return 'first';
	return isRepeat(existing, submission) ? 'repeat' : 'different';
}

/**
 * Compares two requests as they were sent. A record of version 0.1.0, or a submission from a Worker of that version
 * during a deploy, has only the older fingerprint. In that case, both sides are compared by the older one.
 */
function isRepeat(job: Fingerprints, submission: Fingerprints): boolean {
	const isNew = job.requestFingerprint !== undefined && submission.requestFingerprint !== undefined;
	return isNew ? job.requestFingerprint === submission.requestFingerprint : job.fingerprint === submission.fingerprint;
}
