/** What a client can ask of a job that it has: cancel it, run it again, delete its data. */
import type { Change } from '../job/object-api.ts';
import { sendJob } from '../queue/send.ts';
import { tenantOf } from './auth.ts';
import { isFull, refuseWhenFull } from './capacity.ts';
import { forget } from './edge-cache.ts';
import { type Exchange, jobIdOf, missing } from './exchange.ts';
import { mayChange } from './preconditions.ts';
import { Problem, shown } from './problem.ts';
import { leavePlace, takePlaceAgain } from './quota.ts';
import { readJob } from './reading.ts';
import { acceptedResponse, documentResponse } from './respond.ts';
import { messageOf } from './submit.ts';

/** `DELETE /v1/jobs/{id}`, `POST …/cancel`: 202 while an attempt has still to let go, 200 when it is over. */
export async function cancelJob(exchange: Exchange): Promise<Response> {
	const { jobs, principal } = exchange;
	await refuseFailedPrecondition(exchange);
	const change = await jobs.call<Change>(jobIdOf(exchange), (job) =>
		job.cancel(principal.tenant, principal.token?.createdAt),
	);
	if (change.found !== 'job') throw missing(change, principal);
	const isOver = change.view.facts.status !== 'running';
	return documentResponse(exchange, change.view, isOver ? 200 : 202, ({ links }) =>
		isOver ? {} : { location: links.self },
	);
}

/** `POST /v1/jobs/{id}/retry`: the same job once more; answers like a submission. */
export async function retryJob(exchange: Exchange): Promise<Response> {
	const { jobs, lanes, principal, waitUntil } = exchange;
	const id = jobIdOf(exchange);
	await refuseFailedPrecondition(exchange);
	await refuseRetryWhenFull(exchange);
	const place = await takePlaceAgain(exchange, id);
	if (place instanceof Problem) throw place;
	// Not repeated by itself: a second time it would be refused, although the first went through.
	const change = await jobs.callOnce<Change>(id, (job) => job.retry(tenantOf(principal), place));
	if (change.found !== 'job' || change.refusal !== undefined) await leavePlace(exchange, place);
	if (change.found !== 'job') throw missing(change, principal);
	if (change.refusal === 'late') throw new Problem('Overloaded', 'It took too long: nothing was done, try again');
	if (change.refusal === 'succeeded')
		throw new Problem('NotRetryable', 'The job succeeded: there is nothing to run again');
	if (change.refusal !== undefined)
		throw new Problem('NotRetryable', 'The job is not finished: it can be run again when it is');
	waitUntil(sendJob(lanes, change.view.lane, messageOf(change.view)));
	return acceptedResponse(exchange, change.view);
}

/** @throws {Problem} for a job that is not there, and for an `If-Match` that does not hold: nothing is done then. */
async function refuseFailedPrecondition(exchange: Exchange): Promise<void> {
	const { headers } = exchange.request;
	if (mayChange(headers)) return;
	// A condition is about a job that is there (RFC 9110 §13.2.1).
	await readJob(exchange, false);
	const got = shown(headers.get('if-match') ?? '');
	const message = `expected * or no If-Match, for the ETags of a job are weak, got: ${got}`;
	const errors = [{ header: 'If-Match', message }];
	throw new Problem('PreconditionFailed', `Nothing was done. If-Match: ${message}`, { errors });
}

/** Which lane the job has takes a call to know: it is asked only when any lane is full. */
async function refuseRetryWhenFull(exchange: Exchange): Promise<void> {
	const { jobs, lanes, principal } = exchange;
	if (![...lanes.keys()].some((lane) => isFull(exchange, lane))) return;
	const reading = await jobs.call(jobIdOf(exchange), (job) => job.read(principal.tenant));
	if (reading.found === 'job') refuseWhenFull(exchange, reading.view.lane);
}

/** `POST /v1/jobs/{id}/purge`: the data of a finished job goes now. */
export async function purgeJob(exchange: Exchange): Promise<Response> {
	const { jobs, principal } = exchange;
	const id = jobIdOf(exchange);
	await refuseFailedPrecondition(exchange);
	const change = await jobs.call<Change>(id, (job) => job.purge(principal.tenant, principal.token?.createdAt));
	if (change.found === 'nothing') throw missing(change, principal);
	if (change.refusal === 'unfinished') throw new Problem('NotFinished', 'The job is not finished: cancel it first');
	if (change.found === 'tombstone') await forget(exchange, id, change.createdAt);
	return new Response(null, { status: 204 });
}
