/** Responses about a bulk action. */
import { ActionParameters, actionFilterDocument } from '../../core/action/request.ts';
import { type ActionCounts, countsOfWalk, START_OF_WALK } from '../../core/action/walk.ts';
import { defined } from '../../core/defined.ts';
import { documentTag } from '../../core/job/document-tag.ts';
import { jobLinks, type LinkBase } from '../../core/job/links.ts';
import type { JobView } from '../../core/job/object-api.ts';
import { createLinkBase, isMatch, jobRetryAfter, PRIVATE } from '../job-response.ts';
import type { RequestContext } from '../request-context.ts';

/** 202: the action is durable. */
export function acceptedActionResponse(context: RequestContext, view: JobView, isReplay: boolean): Response {
	const document = actionDocument(context, view);
	const headers = {
		...actionHeaders(context, view),
		location: document.links.self,
		'retry-after': jobRetryAfter(view)['retry-after'] ?? '1',
	};
	return Response.json(document, {
		status: 202,
		headers: isReplay ? { ...headers, 'idempotent-replayed': 'true' } : headers,
	});
}

/** The action's document, with `Retry-After` until it is over. */
export function actionResponse(context: RequestContext, view: JobView, status = 200): Response {
	const headers = actionHeaders(context, view);
	const { method, headers: sent } = context.request;
	const isKnown = method !== 'DELETE' && isMatch(sent.get('if-none-match'), headers.etag);
	if (isKnown) return new Response(null, { status: 304, headers });
	const document = actionDocument(context, view);
	const location: Record<string, string> = status === 202 ? { location: document.links.self } : {};
	return Response.json(document, { status, headers: { ...headers, ...location } });
}

function actionHeaders(context: RequestContext, view: JobView) {
	return {
		...PRIVATE,
		etag: documentTag(view.facts),
		'x-correlation-id': context.correlation.adopt(view.facts.correlationId),
		...jobRetryAfter(view),
	};
}

/** A wire contract: fields are only added. */
function actionDocument(context: RequestContext, view: JobView) {
	const { facts, parameters, requestedBy } = view;
	const { action, filter, matched } = ActionParameters.parse(parameters);
	const { id, status, phase, percentComplete = 0, error, correlationId } = facts;
	const { createdAt, startedAt, finishedAt, lastUpdatedAt, expiresAt } = facts;
	const base = createLinkBase(context, view);
	const { events, socket } = jobLinks(id, base);
	const self = actionLink(id, base);
	const isOver = finishedAt !== undefined;
	return defined({
		id,
		action,
		filter: actionFilterDocument(filter),
		status,
		phase,
		...actionCounts(facts.progress?.data, matched),
		percentComplete,
		createdAt,
		startedAt,
		finishedAt,
		lastUpdatedAt,
		expiresAt,
		correlationId,
		by: requestedBy,
		error,
		links: isOver ? { self, events } : { self, events, socket },
	});
}

export function actionLink(id: string, { origin, token }: LinkBase): string {
	return `${origin}/v1/actions/${id}${token === undefined ? '' : `?token=${token}`}`;
}

/** Before its first portion, an action has no counts. */
export function actionCounts(data: unknown, matched: number): ActionCounts {
	return (data as ActionCounts | undefined) ?? countsOfWalk(START_OF_WALK, matched);
}
