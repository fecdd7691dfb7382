/** Accepts a batch's drafts as jobs. Each is accepted like a single job, but queue messages are sent in groups. */

import pMap from 'p-map';
import type { JobStatus } from '../../core/batch/batch.ts';
import { CALLS_AT_ONCE } from '../../core/batch/limits.ts';
import type { JobView } from '../../core/job/object-api.ts';
import { logError } from '../../log.ts';
import { Outbox } from '../../queue/outbox.ts';
import type { NewJobSending } from '../../queue/tell-first.ts';
import { isOverloaded } from '../../rpc/retry-transient.ts';
import { traceSpan } from '../../trace.ts';
import { tenantOf } from '../access/auth.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import type { Draft } from '../submit/draft.ts';
import { acceptDraft, type Identity, jobIdentity, type Place } from '../submit/submit.ts';
import type { BatchDraft } from './drafts.ts';

/** The outcome of one job of a batch. */
export type BatchItem =
	| { readonly id: string; readonly view: JobView; readonly isNew: boolean }
	/** The call failed: the job may or may not be accepted. */
	| { readonly id: string; readonly lost: Problem }
	| { readonly refused: Problem };

/** A draft with the identity of its job. */
export interface PlacedDraft {
	readonly draft: Draft;
	readonly identity: Identity;
}

/** Chooses the ids of the jobs, before any of them is accepted. */
export function placeDrafts(context: RequestContext, { drafts, key }: BatchDraft): PlacedDraft[] {
	return drafts.map((draft, index) => {
		const isPlaced = key !== undefined && draft.options.idempotencyKey === undefined;
		return { draft, identity: isPlaced ? itemIdentity(context, key.text, index) : jobIdentity(context, draft) };
	});
}

/** @param batchErasesAt when the batch erases the jobs, in milliseconds since the epoch. */
export async function acceptAll(
	context: RequestContext,
	placed: readonly PlacedDraft[],
	batchErasesAt: number,
): Promise<BatchItem[]> {
	const outbox = new Outbox(context.lanes, context.waitUntil);
	const acceptItem = async ({ draft, identity }: PlacedDraft) => {
		const { item, sending } = await acceptDraftAsItem(context, draft, { ...identity, batchErasesAt });
		if (sending) outbox.add(draft.task.lane, sending);
		return item;
	};
	const facts = { jobs: placed.length, correlationId: context.correlation.correlationId };
	const items = await traceSpan('coatcheck.accept', facts, () =>
		pMap(placed, acceptItem, { concurrency: CALLS_AT_ONCE }),
	);
	outbox.sendAll();
	return items;
}

/** The status of a job before its first read. */
export function statusBeforeRead(item: Exclude<BatchItem, { refused: Problem }>): JobStatus {
	return 'view' in item ? item.view.facts.status : 'pending';
}

/** The identity of a job without a key of its own, in a batch with a key. */
function itemIdentity({ jobs, principal }: RequestContext, batchKey: string, index: number): Identity {
	return { id: jobs.idForPlace(tenantOf(principal), batchKey, index), isKeyed: true };
}

async function acceptDraftAsItem(
	context: RequestContext,
	draft: Draft,
	place: Place,
): Promise<{ readonly item: BatchItem; readonly sending?: NewJobSending | undefined }> {
	const { id } = place;
	try {
		const { acceptance, sending } = await acceptDraft(context, draft, place);
		return { item: { id, view: acceptance.view, isNew: !acceptance.isReplay }, sending };
	} catch (error) {
		return { item: failedItem(id, error) };
	}
}

function failedItem(id: string, error: unknown): BatchItem {
	if (error instanceof Problem) return { refused: error };
	logError('job of a batch not accepted', { job: id, error });
	if (isOverloaded(error)) return { refused: new Problem('Overloaded', 'The service is overloaded: try again later') };
	return { id, lost: new Problem('Internal', 'The call failed, and the job may have been accepted: read its status') };
}
