/** Submits many jobs in one request, and counts them by status. */

import pMap from 'p-map';
import { NotConfigured } from '../../config/not-configured.ts';
import type { JobStatus, Joining, StatusUpdates, Submitted } from '../../core/batch/batch.ts';
import type { BatchReading, BatchView } from '../../core/batch/batch-api.ts';
import { batchErasureAt } from '../../core/batch/erasure.ts';
import { CALLS_A_REQUEST, CALLS_AT_ONCE, JOBS_A_REQUEST, KEPT_LONGER_MS } from '../../core/batch/limits.ts';
import { defined } from '../../core/defined.ts';
import { MS_PER_SECOND, OPTION_LIMITS } from '../../core/job/limits.ts';
import { logError } from '../../log.ts';
import type { Batches } from '../../rpc/batches.ts';
import { type Principal, readerOf, tenantOf } from '../access/auth.ts';
import { countMoreRequests, requestsPerWindow } from '../access/rate-limit.ts';
import { Problem, passing } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import type { Draft } from '../submit/draft.ts';
import { acceptAll, type BatchItem, placeDrafts, statusBeforeRead } from './accept.ts';
import { readBatchDraft } from './drafts.ts';
import { acceptedBatchResponse, batchResponse, unlistedResponse } from './response.ts';

/**
 * `POST /v1/batches`: validates all jobs before it accepts any. A job without capacity has an `error` in the response. If no
 * job is accepted, the response is the first job's problem, and the batch's key stays unused.
 */
export async function submitBatch(context: RequestContext): Promise<Response> {
	const { principal } = context;
	const batches = requireBatches(context);
	const batch = await readBatchDraft(context);
	const { drafts, key } = batch;
	const tenant = tenantOf(principal);
	await countMoreRequests(context, Math.ceil(drafts.length / JOBS_A_REQUEST) - 1);
	const id = key ? batches.idForKey(tenant, key.text) : batches.newId();
	const placed = placeDrafts(context, batch);
	const erasure = {
		at: batchErasureAt(Date.now(), longestSeconds(drafts)),
		ids: placed.map(({ identity }) => identity.id),
	};
	const preparation = defined({ tenant, erasure, fingerprint: key?.fingerprint });
	if (!(await batches.call(id, (object) => object.prepare(preparation)))) throw keyReused();
	const items = await acceptAll(context, placed, erasure.at);
	const jobs = items.flatMap(batchEntries);
	const [first] = items;
	if (jobs.length === 0 && first && 'refused' in first) throw first.refused;
	const list = defined({ tenant, jobs, keptUntil: batchKeptUntil(drafts), fingerprint: key?.fingerprint });
	const view = await kept(batches, id, list);
	return view ? acceptedBatchResponse(context, { id, view }, items) : unlistedResponse(context, items);
}

/** Stores the list of jobs. A failure only removes the list from the response, because the jobs are already accepted. */
async function kept(batches: Batches, id: string, list: Submitted): Promise<BatchView | undefined> {
	try {
		const added = await batches.call(id, (object) => object.add(list));
		return added.added ? added.view : undefined;
	} catch (error) {
		logError('batch list not stored', { batch: id, error });
		return undefined;
	}
}

/** `GET /v1/batches/{id}`. */
export async function batchStatus(context: RequestContext): Promise<Response> {
	const { principal, params } = context;
	const { id = '' } = params;
	const batches = requireBatches(context);
	if (!batches.isId(id)) throw batchNotFound();
	const reading = await batches.call(id, (object) => object.readBatch(readerOf(principal)));
	if (reading.found === 'nothing') throw missingBatch(reading, principal);
	const view = reading.found === 'jobs' ? await countJobs(context, id, reading) : reading.view;
	return batchResponse(context, id, view);
}

/** Reads the jobs' statuses and stores them in the batch. */
async function countJobs(
	context: RequestContext,
	id: string,
	{ ask, round, view, tenant = context.principal.tenant }: Extract<BatchReading, { found: 'jobs' }>,
): Promise<BatchView> {
	const batches = requireBatches(context);
	const most = Math.floor(requestsPerWindow(context) / 2);
	await countMoreRequests(context, Math.min(most, Math.floor(ask.length / CALLS_A_REQUEST)));
	const countedAt = Date.now();
	const findings = await askAll(context, tenant, ask);
	// Some jobs were unreachable: the previous counts stay valid.
	if (findings.length < ask.length) return view;
	const noted = await batches.call(id, (object) => object.recordStatuses({ findings, countedAt, round }));
	return noted.found === 'counts' ? noted.view : view;
}

async function askAll(
	{ jobs }: RequestContext,
	tenant: string | undefined,
	ask: readonly (readonly [number, string])[],
): Promise<StatusUpdates> {
	const readStatus = async ([index, id]: readonly [number, string]): Promise<StatusUpdates> => {
		try {
			const reading = await jobs.call(id, (job) => job.readJob({ tenant }));
			const found: JobStatus = reading.found === 'job' ? reading.view.facts.status : 'gone';
			return [[index, found]] as const;
		} catch (error) {
			logError('batch job unreachable', { job: id, error });
			return [];
		}
	};
	return (await pMap(ask, readStatus, { concurrency: CALLS_AT_ONCE })).flat();
}

/** The batch's entry for a job; none for a rejected job. */
function batchEntries(item: BatchItem): Joining[] {
	if ('refused' in item) return [];
	return [{ id: item.id, found: statusBeforeRead(item), isNew: 'lost' in item || item.isNew }];
}

function batchKeptUntil(drafts: readonly Draft[]): number {
	return Date.now() + longestSeconds(drafts) * MS_PER_SECOND + KEPT_LONGER_MS;
}

/** The longest time from submission to the end of retention, for a job that takes no time. */
function longestSeconds(drafts: readonly Draft[]): number {
	const { delaySeconds: delay, retainSeconds: retain } = OPTION_LIMITS;
	const seconds = drafts.map(
		({ options }) => (options.delaySeconds ?? delay.default) + (options.retainSeconds ?? retain.default),
	);
	return Math.max(...seconds);
}

/** @throws {NotConfigured} in a Worker that mounts the routes without the objects. */
function requireBatches({ batches }: RequestContext): Batches {
	if (batches) return batches;
	throw new NotConfigured(['BATCHES'], 'Expected a binding BATCHES of the class BatchObject');
}

function keyReused(): Problem {
	const errors = [{ header: 'Idempotency-Key', message: 'expected a new key: this one belongs to a different batch' }];
	return new Problem(
		'IdempotencyKeyReused',
		'The idempotency key was already used for a different batch: send a new key',
		{ errors },
	);
}

/** An object of version 0.1.0 can't check a token's bearer, so the batch may exist. */
function missingBatch({ knowsTokens }: Extract<BatchReading, { found: 'nothing' }>, { tenant }: Principal): Problem {
	return tenant === undefined && !knowsTokens ? passing() : batchNotFound();
}

function batchNotFound(): Problem {
	return new Problem('BatchNotFound', 'No batch has this id: it never existed, or has expired');
}
