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
import { TooLarge, upload } from '../rpc/upload.ts';
import { drain, tooLarge } from './body.ts';
import { refuseWhenFull } from './capacity.ts';
import { type Draft, type DraftInput, draftOfBody, draftOfEnvelope } from './draft.ts';
import { type Exchange, originOf } from './exchange.ts';
import { fingerprintOf } from './fingerprint.ts';
import { applied, waitForJob, waitSecondsOf } from './long-poll.ts';
import { Problem } from './problem.ts';
import { fitPlace, leavePlace, outgrown, type Place, takePlace } from './quota.ts';
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
	const webhook = webhookOf(draft.options, exchange.config, originOf(exchange));
	const place = await placeFor(exchange, id, draft.input, key);
	const noRoom = place instanceof Problem ? place : undefined;
	const room = place instanceof Problem ? undefined : place;
	const input = noRoom ? await seen(draft.input) : await storeAt(exchange, id, draft.input, room);
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
		...(room && { reservation: room.reservation }),
		sent: options.delaySeconds * MS_PER_SECOND <= MAX_QUEUE_DELAY_MS,
	};
	const terms = { ...(room && { acceptBy: room.acceptBy }), ...(noRoom && { isReplayOnly: true }) };
	const acceptance = await jobs.call<Acceptance>(id, (job) => job.accept(submission, terms));
	if (!acceptance.accepted || acceptance.isReplay) {
		await Promise.all([discard(exchange, id, input), leavePlace(exchange, room)]);
	}
	if (!acceptance.accepted) throw noRoom && acceptance.reason === 'no-room' ? noRoom : refusalOf(acceptance);
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

/** With a key it may be a replay, which needs no room: that there is none is then for the job's object to judge. */
async function placeFor(
	exchange: Exchange,
	id: string,
	{ sizeBytes, maxBytes }: DraftInput,
	key: string | undefined,
): Promise<Place | Problem | undefined> {
	const place = await takePlace(exchange, id, { bytes: sizeBytes ?? maxBytes, isUpTo: sizeBytes === undefined });
	if (place instanceof Problem && key === undefined) throw place;
	return place;
}

/** Stores the input in the place that was taken for it, or leaves the place. */
async function storeAt(
	exchange: Exchange,
	id: string,
	input: DraftInput,
	place: Place | undefined,
): Promise<StoredInput> {
	const isBounded = place !== undefined && input.sizeBytes === undefined;
	try {
		const stored = await store(exchange, id, input, isBounded ? place.bytes : input.maxBytes);
		if (place)
			await fitPlace(exchange, id, place, stored.sizeBytes).catch((error) =>
				discardAndThrow(exchange, id, stored, error),
			);
		return stored;
	} catch (error) {
		await leavePlace(exchange, place);
		throw error;
	}
}

async function store(exchange: Exchange, id: string, input: DraftInput, maxBytes: number): Promise<StoredInput> {
	const { form, mediaType, onBytes } = input;
	const { jobs, request } = exchange;
	try {
		return { ...(await upload(jobs, id, input.pieces(), { mediaType, maxBytes, ...(onBytes && { onBytes }) })), form };
	} catch (error) {
		if (!(error instanceof TooLarge)) throw error;
		await drain(request);
		throw maxBytes < input.maxBytes ? outgrown(exchange, maxBytes) : tooLarge(maxBytes);
	}
}

/** Reads an input that is not to be stored: what it is has to be known all the same. */
async function seen({ form, mediaType, maxBytes, pieces, onBytes }: DraftInput): Promise<StoredInput> {
	let sizeBytes = 0;
	for await (const bytes of pieces()) {
		sizeBytes += bytes.byteLength;
		if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
		onBytes?.(bytes);
	}
	return { form, mediaType, sizeBytes, inline: new Uint8Array() };
}

async function discardAndThrow(exchange: Exchange, id: string, input: StoredInput, error: unknown): Promise<never> {
	await discard(exchange, id, input);
	throw error;
}

async function discard({ jobs }: Exchange, id: string, input: StoredInput): Promise<void> {
	if ('upload' in input) await jobs.call(id, (job) => job.discardUpload(input.upload, input.chunks));
}

function refusalOf({ reason }: Extract<Acceptance, { accepted: false }>): Problem {
	if (reason === 'upload-lost')
		return new Problem('Overloaded', 'The upload took too long and was dropped: send it again');
	const detail = 'The idempotency key was used before, for another input or other options';
	const errors = [{ header: 'Idempotency-Key', message: 'stands for another request' }];
	return new Problem('IdempotencyKeyReused', detail, { errors });
}
