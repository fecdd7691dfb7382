/** Commands on an existing job: cancel it, run it again, delete its data. */
import type { Change, RetryTerms } from '../core/job/object-api.ts';
import { tellAndSend } from '../queue/tell-first.ts';
import { rerunJob } from '../rpc/rerun-job.ts';
import { readerOf, tenantOf } from './access/auth.ts';
import { acceptedResponse, documentResponse } from './job-response.ts';
import { mayChange } from './preconditions.ts';
import { Problem, shown } from './problem.ts';
import { forget } from './read/edge-cache.ts';
import { readJob } from './read/reading.ts';
import { missing, type RequestContext, readJobId } from './request-context.ts';
import { isFull, refuseWhenFull } from './submit/capacity.ts';
import { quotaExceeded } from './submit/quota.ts';
import { listingFor, messageFor } from './submit/submit.ts';

/** `DELETE /v1/jobs/{id}`, `POST …/cancel`: 202 while an attempt still has to release the job, 200 when the job is finished. */
export async function cancelJob(context: RequestContext): Promise<Response> {
	const { jobs, principal } = context;
	await refuseFailedPrecondition(context);
	const change = await jobs.call<Change>(readJobId(context), (job) => job.cancelJob(readerOf(principal)));
	if (change.found !== 'job') throw missing(change, principal);
	const isOver = change.view.facts.status !== 'running';
	if (isOver) return documentResponse(context, change.view);
	return documentResponse(context, change.view, { status: 202, headers: ({ links }) => ({ location: links.self }) });
}

/** `POST /v1/jobs/{id}/retry`: runs the same job again; responds like a submission. */
export async function retryJob(context: RequestContext): Promise<Response> {
	const { jobs, lanes, tenants, config, principal, waitUntil } = context;
	const id = readJobId(context);
	await refuseFailedPrecondition(context);
	await refuseRetryWhenFull(context);
	const tenant = tenantOf(principal);
	// Called only once: a repeated call would be rejected although the first one succeeded.
	const rerun = (terms: RetryTerms) => jobs.callOnce<Change>(id, (job) => job.retryJob({ tenant }, terms));
	const reran = await rerunJob({ jobs, tenants, quotas: config.quotas }, { id, tenant, rerun });
	if (reran.type === 'no room') throw quotaExceeded(reran.shortage, reran.roomAt);
	const { change } = reran;
	if (change.found !== 'job') throw missing(change, principal);
	if (change.refusal === 'late')
		throw new Problem('Overloaded', 'The request took too long: nothing was changed, try again');
	if (change.refusal === 'succeeded')
		throw new Problem('NotRetryable', 'The job succeeded: only failed and canceled jobs can be retried');
	if (change.refusal === 'system')
		throw new Problem('NotRetryable', 'The job is a bulk action: make another one with POST /v1/actions');
	if (change.refusal !== undefined)
		throw new Problem('NotRetryable', 'The job is not finished: wait until it has failed, or cancel it first');
	const sending = { message: messageFor(change.view), listing: listingFor(context, change.news) };
	waitUntil(tellAndSend({ lanes, lane: change.view.lane }, [sending]));
	return acceptedResponse(context, change.view);
}

/** @throws {Problem} for a missing job, and for an `If-Match` that does not match. */
async function refuseFailedPrecondition(context: RequestContext): Promise<void> {
	const { headers } = context.request;
	if (mayChange(headers)) return;
	// A missing job takes precedence over the condition (RFC 9110 §13.2.1).
	await readJob(context, false);
	const got = shown(headers.get('if-match') ?? '');
	const message = `expected * or no If-Match, because a job's ETags are weak, got: ${got}`;
	const errors = [{ header: 'If-Match', message }];
	throw new Problem('PreconditionFailed', `Nothing was changed. If-Match: ${message}`, { errors });
}

/** Reads the job's lane only when any lane is full, because that takes a call. */
async function refuseRetryWhenFull(context: RequestContext): Promise<void> {
	const { jobs, lanes, principal } = context;
	if (![...lanes.keys()].some((lane) => isFull(context, lane))) return;
	const reading = await jobs.call(readJobId(context), (job) => job.readJob(readerOf(principal)));
	if (reading.found === 'job') refuseWhenFull(context, reading.view.lane);
}

/** `POST /v1/jobs/{id}/purge`: deletes a finished job's data now. */
export async function purgeJob(context: RequestContext): Promise<Response> {
	const { jobs, principal } = context;
	const id = readJobId(context);
	await refuseFailedPrecondition(context);
	const change = await jobs.call<Change>(id, (job) => job.purgeJob(readerOf(principal)));
	if (change.found === 'nothing') throw missing(change, principal);
	if (change.refusal === 'unfinished') throw new Problem('NotFinished', 'The job is not finished: cancel it first');
	if (change.found === 'tombstone') await forget(context, id, change.createdAt);
	return new Response(null, { status: 204 });
}
