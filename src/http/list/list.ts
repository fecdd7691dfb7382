/** Finds jobs of the caller's tenant, and counts them. */
import { CALLS_A_REQUEST } from '../../core/batch/limits.ts';
import { defined } from '../../core/defined.ts';
import { jobLinks } from '../../core/job/links.ts';
import type { JobView } from '../../core/job/object-api.ts';
import { upstreamTask } from '../../core/job/upstream.ts';
import { countedAs, matchesFilter } from '../../core/list/filter.ts';
import type { JobCounts, JobFilter, ListedEntry } from '../../core/list/list-api.ts';
import { comparePositions } from '../../core/list/position.ts';
import { Combinations, countJob, jobCounts } from '../../core/list/tally.ts';
import { readerOf, tenantOf } from '../access/auth.ts';
import { countMoreRequests, requestsPerWindow } from '../access/rate-limit.ts';
import { createLinkBase, PRIVATE } from '../job-response.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { type Lookup, readCountQuery, readListQuery } from './query.ts';

/** `GET /v1/jobs`: a page of the jobs that match, the newest first. */
export async function listJobs(context: RequestContext): Promise<Response> {
	requireLists(context);
	const { lookup, ...query } = readListQuery(context.url);
	if (lookup) return pageResponse(context, await lookUp(context, lookup, query.filter));
	const page = await context.lists.call(tenantOf(context.principal), (list) => list.listJobs(query));
	return pageResponse(context, page.entries, page.nextCursor);
}

/** `GET /v1/jobs/counts`: how many jobs match, by status, task and error code. */
export async function countListedJobs(context: RequestContext): Promise<Response> {
	requireLists(context);
	const { lookup, filter } = readCountQuery(context.url);
	const { oldestPendingAt, ...counts } = lookup
		? countEach(await lookUp(context, lookup, filter))
		: await context.lists.call(tenantOf(context.principal), (list) => list.countJobs(filter));
	const oldest = oldestPendingAt === undefined ? undefined : new Date(oldestPendingAt).toISOString();
	return Response.json(defined({ ...counts, oldestPendingAt: oldest }), { headers: PRIVATE });
}

function requireLists({ lists }: RequestContext): void {
	if (lists.areOn) return;
	throw new Problem('NotFound', 'The list of jobs is off in this deployment: a job can be read by its own link only');
}

function pageResponse(context: RequestContext, entries: readonly ListedEntry[], nextCursor?: string): Response {
	const { principal } = context;
	// An item has one link, which can't cancel.
	const scopes = new Set([...principal.scopes].filter((scope) => scope !== 'cancel'));
	const reader = { ...context, principal: { ...principal, scopes } };
	const jobs = entries.map((entry) => listItem(reader, entry));
	return Response.json(defined({ jobs, nextCursor }), { headers: PRIVATE });
}

function listItem(context: RequestContext, { job, readableUntil, flags = {} }: ListedEntry) {
	const { self } = jobLinks(job.id, createLinkBase(context, { facts: job, readableUntil, flags }));
	return { ...job, links: { self } };
}

/** Asks the jobs themselves, so that a job is found at once after its 202. Many calls count as more than one request. */
async function lookUp(context: RequestContext, lookup: Lookup, filter: JobFilter): Promise<ListedEntry[]> {
	const ids = idsFor(context, lookup, filter);
	const most = Math.floor(requestsPerWindow(context) / 2);
	await countMoreRequests(context, Math.min(most, Math.ceil(ids.length / CALLS_A_REQUEST) - 1));
	const found = await Promise.all(ids.map((id) => readListed(context, id)));
	return found
		.flatMap((entry) => (entry && matchesFilter(entry.job, filter) ? [entry] : []))
		.sort((a, b) => comparePositions(positionFor(b), positionFor(a)));
}

function idsFor(context: RequestContext, { id, idempotencyKey }: Lookup, { task }: JobFilter): string[] {
	const { jobs, tasks, config, principal } = context;
	const known = id === undefined ? undefined : [id].filter((one) => jobs.isId(one));
	if (idempotencyKey === undefined) return known ?? [];
	const names = task === undefined ? [...tasks.keys(), ...[...config.upstreams.keys()].map(upstreamTask)] : [task];
	const keyed = names.map((name) => jobs.idForKey(tenantOf(principal), name, idempotencyKey));
	return known ? keyed.filter((one) => known.includes(one)) : keyed;
}

async function readListed({ jobs, principal }: RequestContext, id: string): Promise<ListedEntry | undefined> {
	const reading = await jobs.call(id, (job) => job.readJob(readerOf(principal)));
	return reading.found === 'job' ? entryFor(reading.view) : undefined;
}

function entryFor({ facts, epoch, readableUntil, flags }: JobView): ListedEntry {
	const { percentComplete: _percent, progress: _progress, webhook: _webhook, ...job } = facts;
	return { job, epoch, readableUntil, flags };
}

function positionFor({ job: { createdAt, id } }: ListedEntry) {
	return { createdAt: Date.parse(createdAt), id };
}

function countEach(entries: readonly ListedEntry[]): JobCounts {
	const combinations = new Combinations();
	const totals = new Map<number, number>();
	for (const { job } of entries) countJob(totals, combinations.numberFor(countedAs(job)));
	const pending = entries.filter(({ job }) => job.status === 'pending').map((entry) => positionFor(entry).createdAt);
	const oldestPendingAt = pending.length > 0 ? Math.min(...pending) : undefined;
	return defined({ ...jobCounts(totals, combinations), oldestPendingAt });
}
