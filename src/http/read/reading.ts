/** Reads a job for a handler, from the edge cache or from its object. */
import type { FoundJob, Reading } from '../../core/job/object-api.ts';
import { readerOf } from '../access/auth.ts';
import { missing, type RequestContext, readJobId } from '../request-context.ts';

/**
 * @param withOutcome whether to read a finished job's reply, too.
 * @throws {Problem} for a job that does not exist, or no longer exists.
 */
export async function readJob(context: RequestContext, withOutcome: boolean): Promise<FoundJob> {
	const { config, jobs, principal, waitUntil } = context;
	const id = readJobId(context);
	// Loaded by deployments that use it.
	const cache = config.edgeCacheSeconds > 0 ? await import('./edge-cache.ts') : undefined;
	const known = await cache?.recall(context, id, withOutcome);
	if (known) return known;
	const reader = readerOf(principal);
	const answer = await jobs.call<Reading | string>(id, (job) =>
		withOutcome ? job.readJob(reader, { withOutcome }) : job.readJob(reader, { asText: true }),
	);
	const reading = typeof answer === 'string' ? (JSON.parse(answer) as Reading) : answer;
	if (reading.found !== 'job') throw missing(reading, principal);
	if (cache) waitUntil(cache.remember(context, reading));
	return reading;
}
