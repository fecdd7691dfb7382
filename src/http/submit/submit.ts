/**
 * Submits a job. All validation runs before anything is stored (`draft.ts`). The 202 is sent as soon as the job and its alarm
 * are durable, without waiting for the queue.
 */

import { defined } from '../../core/defined.ts';
import type { Submission } from '../../core/job/lifecycle.ts';
import { MAX_QUEUE_DELAY_MS, MS_PER_SECOND, NOW_LANE, NOW_TIMEOUT_SECONDS } from '../../core/job/limits.ts';
import { type JobMessage, jobMessage } from '../../core/job/message.ts';
import { acceptedNews, type JobNews } from '../../core/job/news.ts';
import type { Acceptance, FoundJob, JobView, Reading } from '../../core/job/object-api.ts';
import type { JobOptions } from '../../core/job/record.ts';
import { logError } from '../../log.ts';
import { sendSubmission } from '../../queue/bundler.ts';
import type { Sending } from '../../queue/send.ts';
import { type Listing, type NewJobSending, tellAndSend } from '../../queue/tell-first.ts';
import { traceSpan } from '../../trace.ts';
import { readerOf, tenantOf } from '../access/auth.ts';
import { acceptedResponse, statusDocumentFor } from '../job-response.ts';
import { Problem } from '../problem.ts';
import { applied, readWaitSeconds, waitForJob } from '../read/long-poll.ts';
import { outcomeResponse } from '../read/result.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';
import { refuseWhenFull } from './capacity.ts';
import { type Draft, readBodyDraft, readEnvelopeDraft } from './draft.ts';
import { fingerprintIn010, requestFingerprint } from './fingerprint.ts';
import { createWebhook, jobOptions, readTraceparent } from './options.ts';
import { type StoredSubmission, storeInput } from './stored-submission.ts';

type Accepted = Extract<Acceptance, { accepted: true }>;

export function submitEnvelope(context: RequestContext): Promise<Response> {
	return submitDraft(context, readEnvelopeDraft);
}

export function submitBody(context: RequestContext): Promise<Response> {
	return submitDraft(context, readBodyDraft);
}

/** @param read validates the request and reads its draft. */
export async function submitDraft(
	context: RequestContext,
	read: (context: RequestContext) => Promise<Draft>,
): Promise<Response> {
	const { acceptance, atOnce } = await accept(context, read);
	const { view, isReplay } = acceptance;
	const headers: Record<string, string> = isReplay ? { 'idempotent-replayed': 'true' } : {};
	const waitSeconds = readWaitSeconds(context.request);
	if (waitSeconds !== undefined) {
		const attempt = atOnce && runOrSend(context, atOnce);
		return answeredAfterWait(context, view, { waitSeconds, headers, attempt });
	}
	const response = await acceptedResponse(context, view, headers);
	// Work that ends its Worker must not take the response along.
	if (atOnce) runOrSend(context, atOnce);
	return response;
}

/** `POST /v1/jobs/{id}/retry` and a submission send the same message. */
export function messageFor({ facts: { id }, epoch, upstream }: JobView): JobMessage {
	return jobMessage(id, epoch, upstream);
}

/** A durable job. */
interface Intake {
	readonly acceptance: Accepted;
	/** The message of a job that runs in this Worker. Any other message is on its way. */
	readonly atOnce?: NewJobSending;
}

/** Creates a durable job from the request. Returns before any `Prefer: wait`, so that a large input is released first. */
async function accept(context: RequestContext, read: (context: RequestContext) => Promise<Draft>): Promise<Intake> {
	const { lanes, waitUntil } = context;
	const draft = await read(context);
	if (draft.options.correlationId !== undefined) context.correlation.adopt(draft.options.correlationId);
	const { acceptance, sending } = await acceptTraced(context, draft);
	if (sending && mayRunNow(draft, sending)) return { acceptance, atOnce: sending };
	if (sending) waitUntil(sendSubmission(lanes, draft.task.lane, sending));
	return { acceptance };
}

function acceptTraced(context: RequestContext, draft: Draft): Promise<AcceptedDraft> {
	const identity = jobIdentity(context, draft);
	const facts = { job: identity.id, task: draft.task.name, traceparent: readTraceparent(context.request.headers) };
	return traceSpan('coatcheck.accept', facts, async (addFacts) => {
		const accepted = await acceptDraft(context, draft, identity);
		const { view, isReplay } = accepted.acceptance;
		addFacts({ correlationId: view.facts.correlationId, outcome: isReplay ? 'replayed' : 'accepted' });
		return accepted;
	});
}

/** A client may ask for a later start, or for more time than an invocation has. */
function mayRunNow({ task, options }: Draft, { delaySeconds = 0 }: Sending): boolean {
	const timeoutSeconds = options.timeoutSeconds ?? task.timeoutSeconds;
	return task.lane === NOW_LANE && delaySeconds === 0 && timeoutSeconds <= NOW_TIMEOUT_SECONDS.max;
}

/** Runs a durable job in this Worker, or sends its message when there is no room. Returns the attempt, if it runs here. */
function runOrSend({ lanes, runNow, waitUntil }: RequestContext, sending: NewJobSending): Promise<boolean> | undefined {
	const { message, listing } = sending;
	const tell = listing && (() => listing.teller.tell([listing.news]));
	const attempt = runNow(defined({ message, tell }));
	waitUntil(attempt ?? tellAndSend({ lanes, lane: NOW_LANE }, [sending]));
	return attempt;
}

/** The id of a draft's job. */
export interface Identity {
	readonly id: string;
	/** Whether the id comes from a key, so that its job may already exist. */
	readonly isKeyed: boolean;
}

export function jobIdentity({ jobs, principal }: RequestContext, { task, options }: Draft): Identity {
	const { idempotencyKey: key } = options;
	if (key === undefined) return { id: jobs.newId(), isKeyed: false };
	return { id: jobs.idForKey(tenantOf(principal), task.name, key), isKeyed: true };
}

/** Where a draft becomes a job. */
export interface Place extends Identity {
	/** When the batch of the job erases it, in milliseconds since the epoch. Left out for a job that is submitted alone. */
	readonly batchErasesAt?: number;
}

export interface AcceptedDraft {
	readonly acceptance: Accepted;
	/** The message to send without waiting; absent when there is none to send now. */
	readonly sending?: NewJobSending;
}

/** Creates a draft's job. @throws {Problem} when capacity or quota is exceeded, or its key belongs to another request. */
export async function acceptDraft(
	context: RequestContext,
	draft: Draft,
	{ id, isKeyed, batchErasesAt }: Place,
): Promise<AcceptedDraft> {
	const { jobs, principal } = context;
	const { task } = draft;
	refuseWhenFull(context, task.lane);
	const options = jobOptions(draft.options, task, context);
	const webhook = createWebhook(draft.options, tenantOf(principal), context);
	const intake = await storeInput(context, { id, isKeyed }, draft.input);
	const { input, reservation, terms } = intake;
	const submission: Submission = defined({
		submission: crypto.randomUUID(),
		tenant: tenantOf(principal),
		task: task.name,
		lane: task.lane,
		...(isKeyed ? computeFingerprints(draft, options) : {}),
		options,
		parameters: draft.parameters,
		input,
		origin: linkOrigin(context),
		isOnce: draft.isOnce || undefined,
		batchErasesAt,
		isListable: context.teller && true,
		webhook,
		reservation,
		sent: options.delaySeconds * MS_PER_SECOND <= MAX_QUEUE_DELAY_MS,
	});
	const acceptance = await jobs.call<Acceptance>(id, (job) => job.accept(submission, terms));
	if (!acceptance.accepted || acceptance.isReplay) await intake.takeBack();
	if (!acceptance.accepted) throw acceptanceProblem(acceptance, intake);
	return acceptance.isReplay ? { acceptance } : withSending(context, acceptance, submission);
}

/** A new job, with the message to send. One that starts much later is only told to the list now. */
function withSending(context: RequestContext, acceptance: Accepted, submission: Submission): AcceptedDraft {
	const { view } = acceptance;
	const listing = listingFor(context, acceptedNews(view, submission));
	const { delaySeconds } = submission.options;
	if (submission.sent) return { acceptance, sending: { message: messageFor(view), delaySeconds, listing } };
	if (listing) context.waitUntil(listing.teller.tell([listing.news]));
	return { acceptance };
}

/** What the list is told of a job; `undefined` where the list is off. */
export function listingFor({ teller }: RequestContext, news: JobNews | undefined): Listing | undefined {
	return teller && news && { news, teller };
}

interface WaitTerms {
	readonly waitSeconds: number;
	readonly headers: Record<string, string>;
	/** The job's attempt, if it runs in this Worker: whether it was the last one. */
	readonly attempt: Promise<boolean> | undefined;
}

async function answeredAfterWait(context: RequestContext, view: JobView, terms: WaitTerms): Promise<Response> {
	try {
		return await outcomeOrAccepted(context, view, terms);
	} catch (error) {
		// The job is accepted: a failed wait must not hide that from the client.
		logError('wait failed', { job: view.facts.id, error });
		return acceptedResponse(context, view, terms.headers);
	}
}

/** `Prefer: wait`: the response of the result resource, if the job finishes in time; else the ordinary 202. */
async function outcomeOrAccepted(context: RequestContext, view: JobView, terms: WaitTerms): Promise<Response> {
	const { waitSeconds, headers } = terms;
	const reading = await readWhenOver(context, view.facts.id, terms);
	if (reading.found !== 'job') return acceptedResponse(context, view, headers);
	if (!isJobOver(reading)) return acceptedResponse(context, reading.view, headers);
	const { links } = await statusDocumentFor(context, reading.view);
	return outcomeResponse(context, reading, { ...headers, ...applied(waitSeconds), 'content-location': links.result });
}

/** Reads the job when it has ended, or the wait is over. The end of an attempt in this Worker is known without a call. */
async function readWhenOver(
	context: RequestContext,
	id: string,
	{ waitSeconds, attempt }: WaitTerms,
): Promise<Reading> {
	const waitUntilAt = Date.now() + waitSeconds * MS_PER_SECOND;
	const readOutcome = () =>
		context.jobs.call(id, (object) => object.readJob(readerOf(context.principal), { withOutcome: true }));
	if (attempt && (await isLastWithin(attempt, waitSeconds))) {
		const reading = await readOutcome();
		if (reading.found !== 'job' || isJobOver(reading)) return reading;
	}
	const restMs = attempt ? waitUntilAt - Date.now() : waitSeconds * MS_PER_SECOND;
	if (restMs > 0)
		await waitForJob({ ...context, params: { id } }, { waitSeconds: restMs / MS_PER_SECOND, until: 'end' });
	return readOutcome();
}

async function isLastWithin(attempt: Promise<boolean>, waitSeconds: number): Promise<boolean> {
	const { promise: patience, resolve } = Promise.withResolvers<boolean>();
	const timer = setTimeout(() => resolve(false), waitSeconds * MS_PER_SECOND);
	const isLast = await Promise.race([attempt, patience]);
	clearTimeout(timer);
	return isLast;
}

function isJobOver({ view }: FoundJob): boolean {
	const { status } = view.facts;
	return status !== 'pending' && status !== 'running';
}

/** Call it after the last piece of the input. */
function computeFingerprints(
	draft: Draft,
	filledIn: JobOptions,
): Pick<Submission, 'fingerprint' | 'requestFingerprint'> {
	const { input, options, parameters, identity = parameters, identityIn010 = identity } = draft;
	const facts = { input: input.digest(), mediaType: input.mediaType, options };
	return {
		fingerprint: fingerprintIn010({ ...facts, parameters: identityIn010 }, filledIn),
		requestFingerprint: requestFingerprint({ ...facts, parameters: identity }),
	};
}

function acceptanceProblem(
	{ reason }: Extract<Acceptance, { accepted: false }>,
	{ noRoom }: StoredSubmission,
): Problem {
	if (reason === 'no-room' && noRoom) return noRoom;
	if (reason === 'upload-lost')
		return new Problem('Overloaded', 'The upload took too long and was discarded: send the request again');
	const detail = 'The idempotency key was already used with a different input or different options: send a new key';
	const errors = [
		{ header: 'Idempotency-Key', message: 'expected a new key: this one belongs to a different request' },
	];
	return new Problem('IdempotencyKeyReused', detail, { errors });
}
