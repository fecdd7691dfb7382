/** The log of a tenant's actions: who did what, and what came of it. */
import { ActionParameters, actionFilterDocument } from '../../core/action/request.ts';
import { defined } from '../../core/defined.ts';
import type { JobView, Reading } from '../../core/job/object-api.ts';
import { ACTION_TASK } from '../../core/job/system-task.ts';
import type { LoggedAction, LogPosition } from '../../core/quota/tenant-api.ts';
import { readerOf, tenantOf } from '../access/auth.ts';
import { createLinkBase, PRIVATE } from '../job-response.ts';
import { readPageQuery } from '../page-query.ts';
import type { RequestContext } from '../request-context.ts';
import { requireTenants } from '../require-tenants.ts';
import { accountOfActions } from './places.ts';
import { actionCounts, actionLink } from './response.ts';

/** `GET /v1/actions`: the newest first. */
export async function listActions(context: RequestContext): Promise<Response> {
	requireTenants(context.tenants, 'bulk actions');
	tenantOf(context.principal);
	const { limit, position: before } = readPageQuery(context.url, parseLogCursor);
	// One more than asked for shows whether there is another page.
	const page = await context.tenants.call(accountOfActions(context), (object) =>
		object.readActionLog(defined({ before, limit: limit + 1 })),
	);
	const unfinished = await Promise.all([...new Set(page.unfinished)].map((id) => readUnfinished(context, id)));
	const known = new Set(page.finished.map(logCursor));
	const missed = unfinished.filter((action) => action !== undefined).filter((action) => !known.has(logCursor(action)));
	const all = [...missed.filter((action) => isBefore(action, before)), ...page.finished].sort(compareNewestFirst);
	const last = all.length > limit ? all[limit - 1] : undefined;
	const actions = all.slice(0, limit).map((action) => actionItem(context, action));
	return Response.json(defined({ actions, nextCursor: last && logCursor(last) }), { headers: PRIVATE });
}

/** Reads an action that may be at work. @returns `undefined` for one that was never accepted, or is deleted. */
async function readUnfinished({ jobs, principal }: RequestContext, id: string): Promise<LoggedAction | undefined> {
	const reading = await jobs.call<Reading>(id, (job) => job.readJob(readerOf(principal)));
	return reading.found === 'job' && reading.view.facts.task === ACTION_TASK ? actionInView(reading.view) : undefined;
}

function actionInView({ facts, parameters = {}, requestedBy, readableUntil }: JobView): LoggedAction {
	const { id, status, createdAt, startedAt, finishedAt, percentComplete, progress, correlationId, error } = facts;
	return defined({
		id,
		status,
		createdAt: Date.parse(createdAt),
		startedAt: startedAt === undefined ? undefined : Date.parse(startedAt),
		finishedAt: finishedAt === undefined ? undefined : Date.parse(finishedAt),
		readableUntil,
		parameters,
		percentComplete,
		progressData: progress?.data,
		requestedBy,
		correlationId,
		error,
	});
}

/** A wire contract: fields are only added. */
function actionItem(context: RequestContext, logged: LoggedAction) {
	const { id, status, parameters, percentComplete = 0, progressData, requestedBy, correlationId, error } = logged;
	const { action, filter, matched } = ActionParameters.parse(parameters);
	const createdAt = new Date(logged.createdAt).toISOString();
	const base = createLinkBase(context, { facts: { id, createdAt }, readableUntil: logged.readableUntil });
	return defined({
		id,
		action,
		filter: actionFilterDocument(filter),
		status,
		...actionCounts(progressData, matched),
		percentComplete,
		createdAt,
		startedAt: optionalTime(logged.startedAt),
		finishedAt: optionalTime(logged.finishedAt),
		correlationId,
		by: requestedBy,
		error: error && { code: error.code, message: error.message },
		links: { self: actionLink(id, base) },
	});
}

function optionalTime(ms: number | undefined): string | undefined {
	return ms === undefined ? undefined : new Date(ms).toISOString();
}

function compareNewestFirst(a: LogPosition, b: LogPosition): number {
	return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}

function isBefore(action: LogPosition, before: LogPosition | undefined): boolean {
	return before === undefined || compareNewestFirst(before, action) < 0;
}

function logCursor({ createdAt, id }: LogPosition): string {
	return `${createdAt.toString(36)}.${id}`;
}

function parseLogCursor(text: string): LogPosition | undefined {
	const [, time = '', id = ''] = /^([0-9a-z]{1,9})\.([0-9a-f]{64})$/.exec(text) ?? [];
	return id !== '' ? { createdAt: Number.parseInt(time, 36), id } : undefined;
}
