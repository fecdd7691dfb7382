/** How a handler reads a job. */
import type { FoundJob } from '../job/object-api.ts';
import { recall, remember } from './edge-cache.ts';
import { type Exchange, jobIdOf, missing } from './exchange.ts';

/**
 * @param withOutcome whether a finished job's reply is wanted too.
 * @throws {Problem} for a job that is not there (any more).
 */
export async function readJob(exchange: Exchange, withOutcome: boolean): Promise<FoundJob> {
	const { jobs, principal, waitUntil } = exchange;
	const id = jobIdOf(exchange);
	const known = await recall(exchange, id, withOutcome);
	if (known) return known;
	const reading = await jobs.call(id, (job) => job.read(principal.tenant, withOutcome, principal.token?.createdAt));
	if (reading.found !== 'job') throw missing(reading, principal);
	waitUntil(remember(exchange, reading));
	return reading;
}
