/** Many jobs in one request, and how many of them are in which status. */
import { type Counts, countsOf, type Findings, type Found, retryAfterSeconds, unfinishedOf } from '../batch/batch.ts';
import type { BatchView, Look } from '../batch/batch-api.ts';
import { CALLS_A_REQUEST, CALLS_AT_ONCE, LONGEST_JOB_MS } from '../batch/limits.ts';
import { NotConfigured } from '../config.ts';
import { MS_PER_SECOND, OPTION_LIMITS } from '../job/limits.ts';
import { jobLinks } from '../job/links.ts';
import { logError } from '../log.ts';
import { type Sending, sendJobs } from '../queue/send.ts';
import type { Batches } from '../rpc/batches.ts';
import { tokenFor } from './auth.ts';
import { batchDraftOf } from './batch-drafts.ts';
import type { Draft } from './draft.ts';
import { type Exchange, originOf } from './exchange.ts';
import { jsonDigest } from './fingerprint.ts';
import { Problem, type ProblemCode } from './problem.ts';
import { countMore } from './rate-limit.ts';
import { linkBaseOf, PRIVATE } from './respond.ts';
import { type AcceptedDraft, acceptDraft, idFor } from './submit.ts';

/** What became of one job of a batch. */
type Outcome = { readonly accepted: AcceptedDraft; readonly lane: string } | { readonly refused: Problem };

/**
 * `POST /v1/batches`: what can be refused is refused before anything is accepted. What there was no room for after all has an
 * `error` in its place; a batch of which nothing was accepted is refused as its first job was.
 */
export async function submitBatch(exchange: Exchange): Promise<Response> {
	const { drafts, idempotencyKey } = await batchDraftOf(exchange);
	// Each job counts as a request.
	await countMore(exchange, drafts.length - 1);
	const { principal, lanes, waitUntil } = exchange;
	const batches = batchesOf(exchange);
	const id = idempotencyKey === undefined ? batches.newId() : batches.idForKey(principal.tenant, idempotencyKey);
	const ids = drafts.map((draft) => idFor(exchange, draft));
	const opened = await batches.call(id, (batch) =>
		batch.open({
			tenant: principal.tenant,
			ids,
			keptUntil: keptUntil(drafts),
			...(idempotencyKey !== undefined && { fingerprint: fingerprintOf(drafts) }),
		}),
	);
	if (!opened.opened) {
		const errors = [{ header: 'Idempotency-Key', message: 'stands for another batch' }];
		throw new Problem('IdempotencyKeyReused', 'The idempotency key was used before, for another batch', { errors });
	}
	const outcomes = await inWaves(drafts, (draft, index) => outcomeOf(exchange, draft, ids[index] ?? ''));
	for (const [lane, sendings] of sendingsOf(outcomes)) waitUntil(sendJobs(lanes, lane, sendings));
	const [first] = outcomes;
	if (first && 'refused' in first && outcomes.every((outcome) => 'refused' in outcome)) throw first.refused;
	return acceptedResponse(exchange, id, opened.view, outcomes, opened.isReplay);
}

/** `GET /v1/batches/{id}`. */
export async function batchStatus(exchange: Exchange): Promise<Response> {
	const { principal, params, waitUntil } = exchange;
	const batches = batchesOf(exchange);
	const { id = '' } = params;
	if (!batches.isId(id)) throw nothingThere();
	const look = await batches.call(id, (batch) => batch.look(principal.tenant, principal.token?.createdAt));
	if (look.found === 'nothing') throw nothingThere();
	if (look.found === 'counts') return statusResponse(exchange, id, look.view, look.counts, look.countedAt);
	await countMore(exchange, Math.floor(look.ask.length / CALLS_A_REQUEST));
	const findings = await askAll(exchange, look);
	const countedAt = Date.now();
	const noted = batches.call(id, (batch) => batch.note(findings, countedAt));
	waitUntil(noted.catch((error: unknown) => logError('batch not noted', { batch: id, error })));
	return statusResponse(exchange, id, look.view, countsOf(look.known, findings), countedAt);
}

function askAll({ jobs, principal }: Exchange, { ask }: Extract<Look, { found: 'jobs' }>): Promise<Findings> {
	return inWaves(ask, async ([index, id]): Promise<readonly [number, Found]> => {
		const reading = await jobs.call(id, (job) => job.read(principal.tenant));
		return [index, reading.found === 'job' ? reading.view.facts.status : 'gone'];
	});
}

async function outcomeOf(exchange: Exchange, draft: Draft, id: string): Promise<Outcome> {
	try {
		return { accepted: await acceptDraft(exchange, draft, id), lane: draft.task.lane };
	} catch (error) {
		if (error instanceof Problem) return { refused: error };
		logError('job of a batch not accepted', { job: id, error });
		return { refused: new Problem('Overloaded', 'This job was not accepted: send it again') };
	}
}

function sendingsOf(outcomes: readonly Outcome[]): ReadonlyMap<string, Sending[]> {
	const byLane = new Map<string, Sending[]>();
	for (const outcome of outcomes) {
		if (!('accepted' in outcome) || !outcome.accepted.sending) continue;
		byLane.set(outcome.lane, [...(byLane.get(outcome.lane) ?? []), outcome.accepted.sending]);
	}
	return byLane;
}

interface JobInBatch {
	readonly id: string;
	readonly status: string;
	readonly links: { readonly self: string };
}

interface RefusedJob {
	readonly error: { readonly code: ProblemCode; readonly message: string };
}

async function acceptedResponse(
	exchange: Exchange,
	id: string,
	view: BatchView,
	outcomes: readonly Outcome[],
	isReplay: boolean,
): Promise<Response> {
	const jobs = await Promise.all(outcomes.map((outcome) => shownOf(exchange, outcome)));
	const found = outcomes.map((outcome, index) => [index, statusOf(outcome)] as const);
	const counts = countsOf({ succeeded: [], gone: [] }, found);
	return batchResponse(exchange, id, view, counts, Date.now(), {
		status: 202,
		jobs,
		headers: isReplay ? { 'idempotent-replayed': 'true' } : {},
	});
}

function statusOf(outcome: Outcome): Found {
	return 'accepted' in outcome ? outcome.accepted.acceptance.view.facts.status : 'gone';
}

async function shownOf(exchange: Exchange, outcome: Outcome): Promise<JobInBatch | RefusedJob> {
	if ('refused' in outcome) return { error: { code: outcome.refused.code, message: outcome.refused.message } };
	const { view } = outcome.accepted.acceptance;
	const { id, status } = view.facts;
	return { id, status, links: { self: jobLinks(id, await linkBaseOf(exchange, view)).self } };
}

function statusResponse(exchange: Exchange, id: string, view: BatchView, counts: Counts, countedAt: number) {
	return batchResponse(exchange, id, view, counts, countedAt, { status: 200 });
}

interface ResponseParts {
	readonly status: number;
	readonly jobs?: readonly (JobInBatch | RefusedJob)[];
	readonly headers?: Readonly<Record<string, string>>;
}

async function batchResponse(
	exchange: Exchange,
	id: string,
	{ createdAt, keptUntil: readableUntil, total }: BatchView,
	counts: Counts,
	countedAt: number,
	{ status, jobs, headers = {} }: ResponseParts,
): Promise<Response> {
	const facts = { id, createdAt: new Date(createdAt).toISOString() };
	const token = await tokenFor(exchange.principal, { facts, readableUntil }, exchange.config);
	const self = `${originOf(exchange)}/v1/batches/${id}${token === undefined ? '' : `?token=${token}`}`;
	const isOver = unfinishedOf(counts) === 0;
	const retryAfter = retryAfterSeconds(counts, Date.now() - createdAt, Math.random());
	const document = {
		...facts,
		total,
		counts,
		countedAt: new Date(countedAt).toISOString(),
		...(jobs && { jobs }),
		links: { self },
	};
	return Response.json(document, {
		status,
		headers: {
			...PRIVATE,
			...(status === 202 && { location: self }),
			...((!isOver || status === 202) && { 'retry-after': String(retryAfter) }),
			...headers,
		},
	});
}

/** Until the last of the jobs is gone, however long each takes. */
function keptUntil(drafts: readonly Draft[]): number {
	const { delaySeconds: delay, retainSeconds: retain } = OPTION_LIMITS;
	const seconds = drafts.map(
		({ options }) => (options.delaySeconds ?? delay.default) + (options.retainSeconds ?? retain.default),
	);
	return Date.now() + Math.max(...seconds) * MS_PER_SECOND + LONGEST_JOB_MS;
}

/** What serves only tracing doesn't count, as for a job. */
function fingerprintOf(drafts: readonly Draft[]): string {
	return jsonDigest(
		drafts.map(({ task, parameters, options: { correlationId: _, ...options }, input }) => ({
			task: task.name,
			parameters,
			options,
			input: input.digest(),
		})),
	);
}

/** Not all at once: each call is held open by this request. */
async function inWaves<Item, Result>(
	items: readonly Item[],
	act: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
	const results: Result[] = [];
	let next = 0;
	const walk = async () => {
		while (next < items.length) {
			const index = next++;
			results[index] = await act(items[index] as Item, index);
		}
	};
	await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, items.length) }, walk));
	return results;
}

/** @throws {NotConfigured} in a Worker that took the routes and not the objects. */
function batchesOf({ batches }: Exchange): Batches {
	if (batches) return batches;
	throw new NotConfigured(['BATCHES'], 'There is no binding BATCHES of the class BatchObject');
}

function nothingThere(): Problem {
	return new Problem('BatchNotFound', 'No batch has this id, or all of its jobs are long gone');
}
