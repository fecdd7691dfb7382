/** Responses about a batch. */
import { batchRetryAfterSeconds, countUnfinished } from '../../core/batch/batch.ts';
import type { BatchView } from '../../core/batch/batch-api.ts';
import { jobLinks } from '../../core/job/links.ts';
import { linkTokens } from '../access/auth.ts';
import { createLinkBase, PRIVATE } from '../job-response.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';
import type { BatchItem } from './accept.ts';

/** 202: the accepted jobs, each with its link, and the errors of the rejected ones. */
export async function acceptedBatchResponse(
	context: RequestContext,
	{ id, view }: { readonly id: string; readonly view: BatchView },
	items: readonly BatchItem[],
): Promise<Response> {
	const jobs = await itemDocuments(context, items);
	const isReplay = items.every((item) => 'view' in item && !item.isNew);
	const document = await batchDocument(context, id, view);
	return Response.json(
		{ ...document, jobs },
		{
			status: 202,
			headers: {
				...PRIVATE,
				location: document.links.self,
				'retry-after': batchRetryAfter(view),
				...(isReplay ? { 'idempotent-replayed': 'true' } : {}),
			},
		},
	);
}

/** 202 without a `Location`: the jobs are accepted, each with its link, but no list of them was stored. */
export async function unlistedResponse(context: RequestContext, items: readonly BatchItem[]): Promise<Response> {
	return Response.json({ jobs: await itemDocuments(context, items) }, { status: 202, headers: PRIVATE });
}

/** 200: the number of the batch's jobs in each status. */
export async function batchResponse(context: RequestContext, id: string, view: BatchView): Promise<Response> {
	const isOver = countUnfinished(view.counts) === 0;
	const headers = isOver ? PRIVATE : { ...PRIVATE, 'retry-after': batchRetryAfter(view) };
	return Response.json(await batchDocument(context, id, view), { headers });
}

async function batchDocument(context: RequestContext, id: string, view: BatchView) {
	const { createdAt, keptUntil: readableUntil, countedAt, total, counts } = view;
	const facts = { id, createdAt: new Date(createdAt).toISOString() };
	// A batch can't be canceled, so its link does not carry that right.
	const scopes = new Set([...context.principal.scopes].filter((scope) => scope !== 'cancel'));
	const { read } = linkTokens({ ...context.principal, scopes }, { facts, readableUntil }, context.config);
	const self = `${linkOrigin(context)}/v1/batches/${id}${read === undefined ? '' : `?token=${read}`}`;
	return { ...facts, total, counts, countedAt: new Date(countedAt).toISOString(), links: { self } };
}

function batchRetryAfter({ counts, createdAt }: BatchView): string {
	return String(batchRetryAfterSeconds(counts, Date.now() - createdAt, Math.random()));
}

function itemDocuments(context: RequestContext, items: readonly BatchItem[]) {
	return Promise.all(items.map((item) => itemDocument(context, item)));
}

async function itemDocument(context: RequestContext, item: BatchItem) {
	if ('refused' in item) return { error: publicError(item.refused) };
	const { id } = item;
	if ('lost' in item) return { id, error: publicError(item.lost) };
	const { self } = jobLinks(id, createLinkBase(context, item.view));
	return { id, status: item.view.facts.status, links: { self } };
}

function publicError({ code, message }: { readonly code: string; readonly message: string }) {
	return { code, message };
}
