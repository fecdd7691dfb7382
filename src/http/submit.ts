/**
 * Submitting a job. Everything that can be refused is refused before anything is durable (`draft.ts`); the 202 is sent when
 * the job and its alarm are, and does not wait on the queue.
 */
import type { Submission } from '../job/lifecycle.ts';
import { MAX_QUEUE_DELAY_MS, MS_PER_SECOND } from '../job/limits.ts';
import type { Acceptance, JobView } from '../job/object-api.ts';
import type { JobOptions, StoredInput } from '../job/record.ts';
import { logError } from '../log.ts';
import { sendJob } from '../queue/send.ts';
import { discard, TooLarge, upload } from '../rpc/upload.ts';
import { tooLarge } from './body.ts';
import { refuseWhenFull } from './capacity.ts';
import { type Draft, type DraftInput, draftOfBody, draftOfEnvelope } from './draft.ts';
import { type Exchange, originOf } from './exchange.ts';
import { fingerprintOf } from './fingerprint.ts';
import { applied, waitForJob, waitSecondsOf } from './long-poll.ts';
import { Problem } from './problem.ts';
import { acceptedResponse, documentOf } from './respond.ts';
import { outcomeResponse } from './result.ts';
import { jobOptions, webhookOf } from './submission-options.ts';

type Accepted = Extract<Acceptance, { accepted: true }>;

export async function submitEnvelope(exchange: Exchange): Promise<Response> {
	return answered(exchange, await accept(exchange, draftOfEnvelope));
}

export async function submitBody(exchange: Exchange): Promise<Response> {
	return answered(exchange, await accept(exchange, draftOfBody));
}

/** `POST /v1/jobs/{id}/retry` and a submission send the same message. */
export function messageOf({ facts: { id }, epoch }: JobView): { v: 1; id: string; epoch: number } {
	return { v: 1, id, epoch };
}

/** From the request to a durable job. Returns before the answer is waited for, so that a large input is held no longer. */
async function accept(exchange: Exchange, read: (exchange: Exchange) => Promise<Draft>): Promise<Accepted> {
	const { jobs, lanes, principal, waitUntil, request } = exchange;
	const draft = await read(exchange);
	const { task } = draft;
	refuseWhenFull(exchange, task.lane);
	const options = jobOptions(draft.options, task, request.headers);
	const key = options.idempotencyKey;
	const id = key === undefined ? jobs.newId() : jobs.idForKey(principal.tenant, task.name, key);
	const webhook = webhookOf(draft.options, principal.tenant, exchange.config, originOf(exchange));
	const input = await store(exchange, id, draft.input);
	const submission: Submission = {
		submission: crypto.randomUUID(),
		tenant: principal.tenant,
		task: task.name,
		lane: task.lane,
		...(key !== undefined && { fingerprint: fingerprintOfDraft(draft, options) }),
		options,
		parameters: draft.parameters,
		input,
		origin: originOf(exchange),
		...(webhook && { webhook }),
		sent: options.delaySeconds * MS_PER_SECOND <= MAX_QUEUE_DELAY_MS,
	};
	const acceptance = await jobs.call<Acceptance>(id, (job) => job.accept(submission));
	if (!acceptance.accepted || acceptance.isReplay) await discard(jobs, id, input);
	if (!acceptance.accepted) throw refusalOf(acceptance);
	if (!acceptance.isReplay && submission.sent) {
		waitUntil(sendJob(lanes, task.lane, messageOf(acceptance.view), options.delaySeconds));
	}
	return acceptance;
}

async function answered(exchange: Exchange, { view, isReplay }: Accepted): Promise<Response> {
	const headers = isReplay ? { 'idempotent-replayed': 'true' } : {};
	const waitSeconds = waitSecondsOf(exchange.request);
	if (waitSeconds === undefined) return acceptedResponse(exchange, view, headers);
	try {
		return await answeredAfterWait(exchange, view, waitSeconds, headers);
	} catch (error) {
		// The job is accepted, whatever went wrong while waiting for it: that is what the client has to hear.
		logError('wait failed', { job: view.facts.id, error });
		return acceptedResponse(exchange, view, headers);
	}
}

/** `Prefer: wait`: what the result resource answers, if the job ends in time; else the ordinary 202. */
async function answeredAfterWait(
	exchange: Exchange,
	view: JobView,
	waitSeconds: number,
	headers: Record<string, string>,
): Promise<Response> {
	const { id, seq } = view.facts;
	await waitForJob({ ...exchange, params: { id } }, { after: seq, waitSeconds, until: 'end' });
	const reading = await exchange.jobs.call(id, (object) => object.read(exchange.principal.tenant, true));
	if (reading.found !== 'job') return acceptedResponse(exchange, view, headers);
	const { status } = reading.view.facts;
	if (status === 'pending' || status === 'running') return acceptedResponse(exchange, reading.view, headers);
	const { links } = await documentOf(exchange, reading.view);
	return outcomeResponse(exchange, reading, { ...headers, ...applied(waitSeconds), 'content-location': links.result });
}

function fingerprintOfDraft({ input, parameters, options: { webhook } }: Draft, options: JobOptions): string {
	return fingerprintOf({ input: input.digest(), mediaType: input.mediaType, parameters, options, webhook });
}

async function store({ jobs }: Exchange, id: string, input: DraftInput): Promise<StoredInput> {
	const { form, mediaType, maxBytes, onBytes } = input;
	try {
		return { ...(await upload(jobs, id, input.pieces(), { mediaType, maxBytes, ...(onBytes && { onBytes }) })), form };
	} catch (error) {
		throw error instanceof TooLarge ? tooLarge(maxBytes) : error;
	}
}

function refusalOf({ reason }: Extract<Acceptance, { accepted: false }>): Problem {
	if (reason === 'upload-lost')
		return new Problem('Overloaded', 'The upload took too long and was dropped: send it again');
	const detail = 'The idempotency key was used before, for another input or other options';
	const errors = [{ header: 'Idempotency-Key', message: 'stands for another request' }];
	return new Problem('IdempotencyKeyReused', detail, { errors });
}
