/**
 * The receiving end of the queues. The object decides what becomes of a job; this only does as it is told, and settles
 * each message by itself: one that is slow or fails leaves its neighbours alone.
 */
import { z } from 'zod';
import { unreachableMs } from '../job/backoff.ts';
import { MS_PER_SECOND } from '../job/limits.ts';
import { DeliveryMessage, JobMessage } from '../job/message.ts';
import type { Lease, Report } from '../job/object-api.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { type Lanes, WEBHOOKS_LANE } from './lanes.ts';
import { noteWait } from './pressure.ts';
import type { Purpose } from './purpose.ts';
import { type Destination, sendMessage } from './send.ts';

/** The platform delays a message by this much at most. */
const MAX_DELAY_SECONDS = 86_400;
/** A message that was delivered this often is replaced by a new one: the platform gives a message up after 100 retries. */
const MAX_DELIVERIES_OF_A_MESSAGE = 50;

/** What is done about a message. */
export interface Handlers {
	/** Makes the attempt that a message asks for, or lets its job wait for its turn. `isRepeat`: it was delivered before. */
	readonly admit: (message: JobMessage, isRepeat: boolean, attempt: () => Promise<Report>) => Promise<Report>;
	/** Runs one attempt; what it came to is already with the job. */
	readonly run: (id: string, lease: Lease) => Promise<Report>;
	/** Asks an upstream how an operation is; what it came to is already with the job. */
	readonly ask: (message: JobMessage & { readonly ask: object }) => Promise<Report>;
	/** Tells a webhook's receiver; how it went is already with the job. */
	readonly deliver: (message: DeliveryMessage) => Promise<Report>;
}

/** What a consumer needs of its deployment. */
export interface Consumer {
	readonly jobs: Jobs;
	readonly lanes: Lanes;
	readonly handlers: Handlers;
	/** What the queue is for. */
	readonly purpose: Extract<Purpose, { type: 'lane' }>;
}

/** A message of a batch, with its content. */
interface Letter {
	readonly message: Message;
	readonly body: JobMessage | DeliveryMessage;
	/** How many messages of its batch are not settled, this one included. */
	readonly unsettled: () => number;
}

/** Every message of a batch, side by side. */
export async function consume(batch: MessageBatch, consumer: Consumer): Promise<void> {
	// A job that may kill its consumer takes no other job with it. Who is alone in a batch is seen, not known by the queue's name.
	const isShared = batch.messages.length > 1;
	await settleAll(batch, async (letter) => {
		const { message, body } = letter;
		const { handlers } = consumer;
		const handle = () => {
			if (!('epoch' in body)) return handlers.deliver(body);
			if (body.ask) return handlers.ask({ ...body, ask: body.ask });
			return handlers.admit(body, message.attempts > 1, () => attempt(body, consumer, isShared));
		};
		const report = await handle();
		if (report.retryInMs === undefined) message.ack();
		else if (report.next) {
			// When no queue takes it, the job's watchdog sends it.
			await sendMessage(destinationOf(letter, report, consumer), report.next, secondsOf(report.retryInMs));
			message.ack();
		} else await comeAgain(letter, report.retryInMs, destinationOf(letter, report, consumer));
	});
}

/** What the queues gave up: the job is failed, visibly, and can be run again. A lost delivery is sent for by its job's alarm. */
export async function consumeDeadLetters(batch: MessageBatch, jobs: Jobs): Promise<void> {
	await settleAll(batch, async ({ message, body }) => {
		if ('epoch' in body) await jobs.call(body.id, (job) => job.deadLetter(body.epoch));
		message.ack();
	});
}

async function attempt({ id, epoch }: JobMessage, consumer: Consumer, isShared: boolean): Promise<Report> {
	const { jobs, handlers } = consumer;
	// Names this delivery: when the answer is lost and the call is repeated, the job gives the same lease again.
	const delivery = crypto.randomUUID();
	const start = await jobs.call(id, (job) => job.start(epoch, isShared, delivery));
	if (!start.started) {
		const { lane } = start;
		return start.refusal === 'early' ? { retryInMs: start.waitMs ?? 0, ...(lane !== undefined && { lane }) } : {};
	}
	const { waitedMs } = start.lease;
	if (waitedMs !== undefined) noteWait(consumer.purpose.lane, waitedMs, Date.now());
	return handlers.run(id, start.lease);
}

const Body = z.union([JobMessage, DeliveryMessage]);

/** Whatever goes wrong around a job comes to its own message only, which is delivered again. */
async function settleAll(batch: MessageBatch, handle: (letter: Letter) => Promise<void>): Promise<void> {
	let unsettled = batch.messages.length;
	await Promise.all(
		batch.messages.map(async (message) => {
			const body = Body.safeParse(message.body);
			try {
				if (body.success) await handle({ message, body: body.data, unsettled: () => unsettled });
				else {
					logError('message dropped: not one of ours', { messageId: message.id });
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

/** For a Worker that can't work: every message comes back later. Its tries last for most of a day. */
export function putOff(batch: MessageBatch): void {
	for (const message of batch.messages) handBack(message);
}

function handBack(message: Message): void {
	message.retry({ delaySeconds: secondsOf(unreachableMs(message.attempts, Math.random())) });
}

/** Locally a queue runs one batch at a time: the other queues of the lane come first, so that this batch delays nothing. */
function destinationOf({ body }: Letter, { lane }: Report, { lanes, purpose }: Consumer): Destination {
	const to = 'epoch' in body ? (lane ?? purpose.lane) : WEBHOOKS_LANE;
	return { lanes, lane: to, ...(to === purpose.lane && { lastIndex: purpose.index }) };
}

/**
 * Has a message come again after `waitMs`. A retry takes effect only when the whole batch has ended, so while another message of
 * it is at work a new message is sent instead.
 */
async function comeAgain(letter: Letter, waitMs: number, destination: Destination): Promise<void> {
	const { message, unsettled } = letter;
	const dueAt = Date.now() + waitMs;
	const isBatchOver = unsettled() === 1 && message.attempts < MAX_DELIVERIES_OF_A_MESSAGE;
	if (isBatchOver) return message.retry({ delaySeconds: secondsOf(waitMs) });
	const isSent = await sendMessage(destination, bodyAgain(letter), secondsOf(waitMs));
	if (isSent) message.ack();
	else message.retry({ delaySeconds: secondsOf(Math.max(0, dueAt - Date.now())) });
}

/** A new message counts its deliveries from the start, so it says itself that its upstream's gate is to be asked. */
function bodyAgain({ body }: Letter): JobMessage | DeliveryMessage {
	if (!('upstream' in body) || !body.upstream) return body;
	return { ...body, upstream: { ...body.upstream, hasWaited: true } };
}

function secondsOf(ms: number): number {
	return Math.min(MAX_DELAY_SECONDS, Math.ceil(ms / MS_PER_SECOND));
}
