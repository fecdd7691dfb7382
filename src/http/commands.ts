/** Commands on an existing job: cancel it, run it again, delete its data. */
import type { Change } from '../job/object-api.ts';
import { sendJob } from '../queue/send.ts';
import { tenantOf } from './auth.ts';
import { isFull, refuseWhenFull } from './capacity.ts';
import { forget } from './edge-cache.ts';
import { jobIdOf, missing, type RequestContext } from './exchange.ts';
import { mayChange } from './preconditions.ts';
import { Problem, shown } from './problem.ts';
import { releaseReservation, reserveAgain } from './quota.ts';
import { readJob } from './reading.ts';
import { acceptedResponse, documentResponse } from './respond.ts';
import { messageFor } from './submit.ts';

/** `DELETE /v1/jobs/{id}`, `POST …/cancel`: 202 while an attempt still has to release the job, 200 when the job is finished. */
export async function cancelJob(exchange: RequestContext): Promise<Response> {
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

/** `POST /v1/jobs/{id}/retry`: runs the same job again; responds like a submission. */
export async function retryJob(exchange: RequestContext): Promise<Response> {
	const { jobs, lanes, principal, waitUntil } = exchange;
	const id = jobIdOf(exchange);
	await refuseFailedPrecondition(exchange);
	await refuseRetryWhenFull(exchange);
	const place = await reserveAgain(exchange, id);
	if (place instanceof Problem) throw place;
	// Called only once: a repeated call would be rejected although the first one succeeded.
	const change = await jobs.callOnce<Change>(id, (job) => job.retry(tenantOf(principal), place));
	if (change.found !== 'job' || change.refusal !== undefined) await releaseReservation(exchange, place);
	if (change.found !== 'job') throw missing(change, principal);
	if (change.refusal === 'late')
		throw new Problem('Overloaded', 'The request took too long: nothing was changed, try again');
	if (change.refusal === 'succeeded')
		throw new Problem('NotRetryable', 'The job succeeded: only failed and canceled jobs can be retried');
	if (change.refusal !== undefined)
		throw new Problem('NotRetryable', 'The job is not finished: wait until it has failed, or cancel it first');
	waitUntil(sendJob(lanes, change.view.lane, messageFor(change.view)));
	return acceptedResponse(exchange, change.view);
}

/** @throws {Problem} for a missing job, and for an `If-Match` that does not match. */
async function refuseFailedPrecondition(exchange: RequestContext): Promise<void> {
	const { headers } = exchange.request;
	if (mayChange(headers)) return;
	// A missing job takes precedence over the condition (RFC 9110 §13.2.1).
	await readJob(exchange, false);
	const got = shown(headers.get('if-match') ?? '');
	const message = `expected * or no If-Match, because a job's ETags are weak, got: ${got}`;
	const errors = [{ header: 'If-Match', message }];
	throw new Problem('PreconditionFailed', `Nothing was changed. If-Match: ${message}`, { errors });
}

/** Reads the job's lane only when any lane is full, because that takes a call. */
async function refuseRetryWhenFull(exchange: RequestContext): Promise<void> {
	const { jobs, lanes, principal } = exchange;
	if (![...lanes.keys()].some((lane) => isFull(exchange, lane))) return;
	const reading = await jobs.call(jobIdOf(exchange), (job) => job.read(principal.tenant));
	if (reading.found === 'job') refuseWhenFull(exchange, reading.view.lane);
}

/** `POST /v1/jobs/{id}/purge`: deletes a finished job's data now. */
export async function purgeJob(exchange: RequestContext): Promise<Response> {
	const { jobs, principal } = exchange;
	const id = jobIdOf(exchange);
	await refuseFailedPrecondition(exchange);
	const change = await jobs.call<Change>(id, (job) => job.purge(principal.tenant, principal.token?.createdAt));
	if (change.found === 'nothing') throw missing(change, principal);
	if (change.refusal === 'unfinished') throw new Problem('NotFinished', 'The job is not finished: cancel it first');
	if (change.found === 'tombstone') await forget(exchange, id, change.createdAt);
	return new Response(null, { status: 204 });
}
