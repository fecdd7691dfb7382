/**
 * The queue consumer. The job's object decides what happens to a job; this file carries it out. It acknowledges or
 * retries each message by itself, so that a slow or failing one doesn't affect the others.
 */
import * as z from 'zod';
import { unreachableMs } from '../core/job/backoff.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';
import { DeliveryMessage, JobMessage, type ReceivedMessage } from '../core/job/message.ts';
import type { Report } from '../core/job/object-api.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { type Lanes, queuesOf, WEBHOOKS_LANE } from './lanes.ts';
import type { Purpose } from './purpose.ts';
import { type Destination, sendMessage } from './send.ts';

/** Maximum delay of a message on the platform. */
const MAX_DELAY_SECONDS = 86_400;
/** After this many deliveries, a message is replaced by a new one: the platform gives up a message after 100 retries. */
const MAX_DELIVERIES_OF_A_MESSAGE = 50;

/** The handlers of the message types. */
export interface Handlers {
	/** Does the work that a job's message asks for. The outcome is already reported to the job. */
	readonly work: (received: ReceivedMessage) => Promise<Report>;
	/** Delivers an event to a webhook's receiver. The outcome is already reported to the job. */
	readonly deliver: (message: DeliveryMessage) => Promise<Report>;
}

/** The dependencies of a consumer. */
export interface Consumer {
	readonly lanes: Lanes;
	readonly handlers: Handlers;
	/** The purpose of the queue. */
	readonly purpose: Extract<Purpose, { type: 'lane' }>;
}

/** A message of a batch, with its parsed body. */
interface Letter {
	readonly message: Message;
	readonly body: JobMessage | DeliveryMessage;
	/** Number of unsettled messages in its batch, this one included. */
	readonly unsettled: () => number;
}

/** Handles all messages of a batch concurrently. */
export async function consume(batch: MessageBatch, consumer: Consumer): Promise<void> {
	// A job that may crash its consumer must not affect other jobs. The size of the batch decides whether it is alone, not
	// the name of the queue.
	const isShared = batch.messages.length > 1;
	await settleAll(batch, async (letter) => {
		const { message, body } = letter;
		const { handlers } = consumer;
		const isRepeat = message.attempts > 1;
		const report = await ('epoch' in body
			? handlers.work({ message: body, isRepeat, isShared })
			: handlers.deliver(body));
		if (report.retryInMs === undefined) message.ack();
		else if (report.next) {
			// If no queue accepts the message, the job's watchdog sends it.
			await sendMessage(chooseDestination(letter, report, consumer), report.next, toDelaySeconds(report.retryInMs));
			message.ack();
		} else await comeAgain(letter, report.retryInMs, chooseDestination(letter, report, consumer));
	});
}

/** Handles dead letters: the job fails visibly and can be retried. A lost delivery is sent again by its job's alarm. */
export async function consumeDeadLetters(batch: MessageBatch, jobs: Jobs): Promise<void> {
	await settleAll(batch, async ({ message, body }) => {
		if ('epoch' in body) await jobs.call(body.id, (job) => job.deadLetter(body.epoch));
		message.ack();
	});
}

const Body = z.union([JobMessage, DeliveryMessage]);

/** Settles every message. An error affects only its own message, which is delivered again. */
async function settleAll(batch: MessageBatch, handle: (letter: Letter) => Promise<void>): Promise<void> {
	let unsettled = batch.messages.length;
	await Promise.all(
		batch.messages.map(async (message) => {
			const body = Body.safeParse(message.body);
			try {
				if (body.success) await handle({ message, body: body.data, unsettled: () => unsettled });
				else {
					logError('message dropped: unknown format', { messageId: message.id });
					message.ack();
				}
			} catch (error) {
				logError('message not settled', { job: body.data?.id, messageId: message.id, error });
				handBack(message);
			} finally {
				unsettled--;
			}
		}),
	);
}

/** For a Worker that can't process messages: returns all of them to the queue. Their retries last for most of a day. */
export function putOff(batch: MessageBatch): void {
	for (const message of batch.messages) handBack(message);
}

function handBack(message: Message): void {
	message.retry({ delaySeconds: toDelaySeconds(unreachableMs(message.attempts, Math.random())) });
}

/**
 * Chooses the destination of a repeated message. Locally, a queue runs one batch at a time. The other queues of the lane
 * are therefore preferred, so that this batch delays nothing.
 */
function chooseDestination({ body }: Letter, { lane }: Report, { lanes, purpose }: Consumer): Destination {
	const to = 'epoch' in body ? (lane ?? purpose.lane) : WEBHOOKS_LANE;
	const isOwn = queuesOf(lanes, to) === queuesOf(lanes, purpose.lane);
	return { lanes, lane: to, lastIndex: isOwn ? purpose.index : undefined };
}

/**
 * Redelivers a message after `waitMs`. A retry takes effect only when the whole batch has ended, so a new message is sent
 * while another one of the batch is still being handled.
 */
async function comeAgain(letter: Letter, waitMs: number, destination: Destination): Promise<void> {
	const { message, unsettled } = letter;
	const dueAt = Date.now() + waitMs;
	const isBatchOver = unsettled() === 1 && message.attempts < MAX_DELIVERIES_OF_A_MESSAGE;
	if (isBatchOver) return message.retry({ delaySeconds: toDelaySeconds(waitMs) });
	const isSent = await sendMessage(destination, bodyAgain(letter), toDelaySeconds(waitMs));
	if (isSent) message.ack();
	else message.retry({ delaySeconds: toDelaySeconds(Math.max(0, dueAt - Date.now())) });
}

/** A new message restarts the count of deliveries, so it must say itself that its upstream's gate is to be asked. */
function bodyAgain({ body }: Letter): JobMessage | DeliveryMessage {
	if (!('upstream' in body) || !body.upstream) return body;
	return { ...body, upstream: { ...body.upstream, hasWaited: true } };
}

/** Rounds up to whole seconds, the unit of the platform. */
export function toDelaySeconds(ms: number): number {
	return Math.min(MAX_DELAY_SECONDS, Math.ceil(ms / MS_PER_SECOND));
}
