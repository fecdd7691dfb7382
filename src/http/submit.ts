/**
 * Submitting a job. Everything that can be refused is refused here, before anything is durable; the 202 is sent when the
 * job and its alarm are, and does not wait on the queue.
 */
import { z } from 'zod';
import type { Submission } from '../job/lifecycle.ts';
import { MAX_QUEUE_DELAY_MS, MS_PER_SECOND } from '../job/limits.ts';
import type { Acceptance, JobView } from '../job/object-api.ts';
import type { WireOptions } from '../job/options.ts';
import type { StoredBody } from '../job/record.ts';
import { sendJob } from '../queue/send.ts';
import { TooLarge, upload } from '../rpc/upload.ts';
import type { RegisteredTask } from '../work/registry.ts';
import type { BinaryInputSpec } from '../work/task.ts';
import {
	bytesOf,
	drain,
	isJson,
	mediaTypeOf,
	parseJson,
	readBytes,
	refuseEncoded,
	refuseTooLarge,
	tooLarge,
} from './body.ts';
import { type Exchange, originOf } from './exchange.ts';
import { faultsOf, inBody } from './faults.ts';
import { fingerprintOf, InputHash } from './fingerprint.ts';
import { applied, waitForJob, waitSecondsOf } from './long-poll.ts';
import { type Fault, Problem } from './problem.ts';
import { acceptedResponse, documentOf } from './respond.ts';
import { outcomeResponse } from './result.ts';
import {
	checkParameters,
	invalid,
	invalidInput,
	jobOptions,
	readOptions,
	readParameters,
	webhookOf,
} from './submission-options.ts';

const JSON_TYPE = 'application/json';

const Envelope = z.strictObject({
	task: z.string('expected the name of a task'),
	input: z.unknown(),
	parameters: z.unknown().optional(),
	options: z.unknown().optional(),
});

/** Everything about a submission but where its bytes are. */
interface Draft {
	readonly task: RegisteredTask;
	readonly options: WireOptions;
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly mediaType: string;
	readonly maxBytes: number;
	readonly hash: InputHash;
	readonly source: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** `POST /v1/jobs`: the input is in an envelope. */
export async function submitEnvelope(exchange: Exchange): Promise<Response> {
	const { request, config, tasks } = exchange;
	refuseEncoded(request);
	if (!isJson(mediaTypeOf(request))) throw unsupported(request, [JSON_TYPE]);
	const body = parseJson(await readBytes(request, config.maxInputBytes));
	const envelope = Envelope.safeParse(body);
	if (!envelope.success) throw invalid('The envelope is not valid', faultsOf(envelope.error, inBody()));
	const { input, parameters = {} } = envelope.data;
	const task = taskNamed(tasks, envelope.data.task, [{ pointer: '/task', message: 'is not a task here' }]);
	if (!task.json) {
		throw new Problem(
			'UnsupportedMediaType',
			`Task "${task.name}" takes bytes: post them to /v1/tasks/${task.name}/jobs as ${task.binary?.mediaTypes.join(' or ')}`,
		);
	}
	const options = readOptions(request, envelope.data.options);
	checkParameters(task, parameters);
	return submitJson(exchange, { task, options, parameters }, task.json, input, '/input');
}

/** `POST /v1/tasks/{task}/jobs`: the body is the input. */
export async function submitBody(exchange: Exchange): Promise<Response> {
	const { request, config, url, params, tasks } = exchange;
	try {
		const task = taskNamed(tasks, params.task ?? '');
		refuseEncoded(request);
		const options = readOptions(request);
		const parameters = readParameters(task, url.searchParams);
		const mediaType = mediaTypeOf(request);
		const { json, binary } = task;
		if (binary && matches(binary, mediaType)) return await submitBytes(exchange, { task, options, parameters }, binary);
		if (!json || !isJson(mediaType))
			throw unsupported(request, [...(json ? [JSON_TYPE] : []), ...(binary?.mediaTypes ?? [])]);
		const input = parseJson(await readBytes(request, config.maxInputBytes));
		return await submitJson(exchange, { task, options, parameters }, json, input, '');
	} catch (error) {
		await drain(request);
		throw error;
	}
}

type Head = Pick<Draft, 'task' | 'options' | 'parameters'>;

function submitJson(
	exchange: Exchange,
	head: Head,
	schema: z.ZodType,
	input: unknown,
	prefix: string,
): Promise<Response> {
	const parsed = schema.safeParse(input);
	if (!parsed.success) throw invalidInput(parsed.error, prefix);
	// Stored as it came, not as the schema made it: the attempt validates again, and what a schema makes need not be JSON.
	const bytes = new TextEncoder().encode(JSON.stringify(input));
	const hash = new InputHash();
	if (head.options.idempotencyKey !== undefined) hash.addJson(input);
	const { maxInputBytes: maxBytes } = exchange.config;
	return submit(exchange, { ...head, mediaType: JSON_TYPE, maxBytes, hash, source: () => [bytes] });
}

async function submitBytes(exchange: Exchange, head: Head, spec: BinaryInputSpec): Promise<Response> {
	const { request, config } = exchange;
	const maxBytes = Math.min(spec.maxBytes ?? config.maxInputBytes, config.maxInputBytes);
	await refuseTooLarge(request, maxBytes);
	const mediaType = request.headers.get('content-type') ?? mediaTypeOf(request);
	return submit(exchange, { ...head, mediaType, maxBytes, hash: new InputHash(), source: () => bytesOf(request) });
}

async function submit(exchange: Exchange, draft: Draft): Promise<Response> {
	const { jobs, lanes, principal, waitUntil, request } = exchange;
	const { task, parameters } = draft;
	const options = jobOptions(draft.options, task, request.headers);
	const key = options.idempotencyKey;
	const id = key === undefined ? jobs.newId() : jobs.idForKey(principal.tenant, task.name, key);
	const webhook = webhookOf(draft.options, exchange.config, originOf(exchange));
	const input = await store(exchange, id, draft);
	const delayMs = options.delaySeconds * MS_PER_SECOND;
	const sent = delayMs <= MAX_QUEUE_DELAY_MS;
	const { mediaType } = draft;
	const submission: Submission = {
		submission: crypto.randomUUID(),
		tenant: principal.tenant,
		task: task.name,
		lane: task.lane,
		...(key !== undefined && {
			fingerprint: fingerprintOf({
				input: draft.hash.digest(),
				mediaType,
				parameters,
				options,
				webhook: draft.options.webhook,
			}),
		}),
		options,
		parameters,
		input,
		...(webhook && { webhook }),
		sent,
	};
	const acceptance = await jobs.call<Acceptance>(id, (job) => job.accept(submission));
	if (!acceptance.accepted || acceptance.isReplay) await discard(exchange, id, input);
	if (!acceptance.accepted) {
		throw new Problem(
			'IdempotencyKeyReused',
			'The idempotency key was used before, for another input or other options',
			{
				errors: [{ header: 'Idempotency-Key', message: 'stands for another request' }],
			},
		);
	}
	const { view, isReplay } = acceptance;
	if (!isReplay && sent) waitUntil(sendJob(lanes, task.lane, messageOf(view), options.delaySeconds));
	const replayed = isReplay ? { 'idempotent-replayed': 'true' } : {};
	return (await finishedInTime(exchange, view, replayed)) ?? acceptedResponse(exchange, view, replayed);
}

/** `Prefer: wait`: what the result resource answers, if the job ends in time. */
async function finishedInTime(
	exchange: Exchange,
	view: JobView,
	headers: Record<string, string>,
): Promise<Response | undefined> {
	const waitSeconds = waitSecondsOf(exchange.request);
	if (waitSeconds === undefined) return undefined;
	const { id, seq } = view.facts;
	const job = { ...exchange, params: { id } };
	await waitForJob(job, { after: seq, waitSeconds, until: 'end' });
	const reading = await exchange.jobs.call(id, (object) => object.read(exchange.principal.tenant, true));
	if (reading.found !== 'job' || reading.view.facts.status === 'pending' || reading.view.facts.status === 'running')
		return undefined;
	const { links } = await documentOf(exchange, reading.view);
	return outcomeResponse(exchange, reading, { ...headers, ...applied(waitSeconds), 'content-location': links.result });
}

/** `POST /v1/jobs/{id}/retry` and a submission send the same message. */
export function messageOf({ facts: { id }, epoch }: JobView): { v: 1; id: string; epoch: number } {
	return { v: 1, id, epoch };
}

async function store(
	{ jobs }: Exchange,
	id: string,
	{ source, mediaType, maxBytes, hash, options }: Draft,
): Promise<StoredBody> {
	const isHashed = options.idempotencyKey !== undefined && mediaType !== JSON_TYPE;
	try {
		const onBytes = isHashed ? { onBytes: (bytes: Uint8Array) => hash.add(bytes) } : {};
		return await upload(jobs, id, source(), { mediaType, maxBytes, ...onBytes });
	} catch (error) {
		throw error instanceof TooLarge ? tooLarge(maxBytes) : error;
	}
}

async function discard({ jobs }: Exchange, id: string, input: StoredBody): Promise<void> {
	if ('upload' in input) await jobs.call(id, (job) => job.discardUpload(input.upload, input.chunks));
}

function taskNamed(tasks: Exchange['tasks'], name: string, errors: readonly Fault[] = []): RegisteredTask {
	const task = tasks.get(name);
	if (task) return task;
	const known = [...tasks.keys()].join(', ');
	throw new Problem(
		'UnknownTask',
		`There is no task "${name}" here; there are: ${known}`,
		errors.length > 0 ? { errors } : {},
	);
}

function matches({ mediaTypes }: BinaryInputSpec, mediaType: string): boolean {
	const [type] = mediaType.split('/');
	return mediaTypes.includes(mediaType) || mediaTypes.includes(`${type}/*`) || mediaTypes.includes('*/*');
}

function unsupported(request: Request, wanted: readonly string[]): Problem {
	const got = request.headers.get('content-type') ?? 'none';
	const message = `expected ${wanted.join(' or ')}, got: ${got}`;
	return new Problem('UnsupportedMediaType', `Content-Type: ${message}`, {
		errors: [{ header: 'Content-Type', message }],
		headers: { 'accept-post': wanted.join(', ') },
	});
}
