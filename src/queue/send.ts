/**
 * The queue producer. A message is a hint: if a send fails, the job's watchdog sends another. A send therefore has a
 * timeout, and its failure is logged, never thrown.
 */
import { chunk } from '../core/chunk.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';
import {
	type BundleMessage,
	bundle,
	type DeliveryMessage,
	type JobMessage,
	MAX_JOBS_IN_MESSAGE,
	type SingleMessage,
	type SubscriptionMessage,
} from '../core/job/message.ts';
import { BRIEF_LANE } from '../core/job/record.ts';
import { logError } from '../log.ts';
import { withTimeout } from '../rpc/with-timeout.ts';
import { type Lanes, type MessageQueue, queuesOf, WEBHOOKS_LANE } from './lanes.ts';
import { noteAnswer, noteFailure } from './pressure.ts';

/** Timeout of a send, which can hang for a minute. After it, the lane's next queue is tried. */
const SEND_TIMEOUT_MS = 5 * MS_PER_SECOND;
/** Maximum number of queues tried for one message: all tries together end before the job's watchdog checks. */
const MAX_QUEUES_TRIED = 3;

/**
 * The next queue of each lane. Rotation ensures that a slow job delays the next one only when every queue of the lane has
 * one.
 */
const turns = new Map<string, number>();

/** A job's message to send. */
export interface Sending {
	readonly message: JobMessage;
	/** Default: 0. */
	readonly delaySeconds?: number;
}

/** Sends a job's message. Resolves when it is sent or given up; never rejects. */
export async function sendJob(lanes: Lanes, lane: string, { message, delaySeconds = 0 }: Sending): Promise<void> {
	await sendMessage({ lanes, lane }, message, delaySeconds);
}

/** Maximum number of messages in one call, a limit of the platform. */
export const MAX_SENT_AT_ONCE = 100;

/**
 * Sends the messages of many jobs of one lane, in as few messages as possible. Resolves to whether each is sent, when each is sent or
 * given up; never rejects.
 */
export async function sendJobs(destination: Destination, sendings: readonly Sending[]): Promise<boolean> {
	const calls = chunk(pack(destination.lane, sendings), MAX_SENT_AT_ONCE);
	const areSent = await Promise.all(calls.map((parcels) => sendParcels(destination, parcels)));
	return areSent.every(Boolean);
}

/** Whether a job's message may be sent together with others: nothing but its delay may differ. */
export function mayShare(lane: string, { upstream, ask }: JobMessage): boolean {
	// Jobs of the other lanes are long or dangerous, and few of them may be in one consumer.
	return lane === BRIEF_LANE && !upstream && !ask;
}

/** A message to send, for one job or several. */
interface Parcel {
	readonly body: JobMessage | BundleMessage;
	/** The job that failures are logged for. */
	readonly job: string;
	readonly delaySeconds: number;
}

function pack(lane: string, sendings: readonly Sending[]): Parcel[] {
	const byDelay = new Map<number, JobMessage[]>();
	const single: Parcel[] = [];
	for (const { message, delaySeconds = 0 } of sendings) {
		if (!mayShare(lane, message)) {
			single.push({ body: message, job: message.id, delaySeconds });
			continue;
		}
		const messages = byDelay.get(delaySeconds) ?? [];
		messages.push(message);
		byDelay.set(delaySeconds, messages);
	}
	const bundled = [...byDelay].flatMap(([delaySeconds, messages]) =>
		chunk(messages, MAX_JOBS_IN_MESSAGE).map((some) => ({ body: bundle(some), job: some[0]?.id ?? '', delaySeconds })),
	);
	return [...bundled, ...single];
}

function sendParcels(destination: Destination, parcels: readonly Parcel[]): Promise<boolean> {
	const [first] = parcels;
	return handOver(destination, first?.job ?? '', (queue) =>
		first && parcels.length === 1
			? queue.send(first.body, { contentType: 'json', delaySeconds: first.delaySeconds })
			: queue.sendBatch(parcels.map(({ body, delaySeconds }) => ({ body, contentType: 'json', delaySeconds }))),
	);
}

/** Sends the message for a webhook delivery. Resolves when it is sent or given up; never rejects. */
export async function sendDelivery(lanes: Lanes, message: DeliveryMessage): Promise<void> {
	await sendMessage({ lanes, lane: WEBHOOKS_LANE }, message, 0);
}

/** Calls a consumer for a topic's subscription. Resolves when the message is sent or given up; never rejects. */
export async function sendSubscriptionMessage(lanes: Lanes, message: SubscriptionMessage): Promise<void> {
	await sendMessage({ lanes, lane: WEBHOOKS_LANE }, message, 0);
}

/** The destination of a message. */
export interface Destination {
	readonly lanes: Lanes;
	readonly lane: string;
	/** Index of the queue to try last. */
	readonly lastIndex?: number | undefined;
}

/** Resolves to whether a queue accepted the message; never rejects. */
export function sendMessage(destination: Destination, message: SingleMessage, delaySeconds: number): Promise<boolean> {
	return handOver(destination, message.id, (queue) => queue.send(message, { contentType: 'json', delaySeconds }));
}

/** @param job the job that failures are logged for. */
async function handOver(
	destination: Destination,
	job: string,
	give: (queue: MessageQueue) => Promise<QueueSendResponse | QueueSendBatchResponse>,
): Promise<boolean> {
	const { lane } = destination;
	const queues = queuesInTurn(destination).slice(0, MAX_QUEUES_TRIED);
	if (queues.length === 0) logError('send failed', { job, lane, error: 'the lane has no queue' });
	for (const [index, queue] of queues.entries()) {
		try {
			const { metadata } = await withTimeout(SEND_TIMEOUT_MS, give(queue));
			noteAnswer(queue, metadata?.metrics, Date.now());
			return true;
		} catch (error) {
			noteFailure(queue, Date.now());
			logError('send failed', { job, lane, queuesLeft: queues.length - index - 1, error });
		}
	}
	return false;
}

/** The queues of a lane, in the order in which they are tried. */
function queuesInTurn({ lanes, lane, lastIndex }: Destination): MessageQueue[] {
	const queues = queuesOf(lanes, lane);
	if (queues.length === 0) return [];
	const turn = turns.get(lane) ?? Math.floor(Math.random() * queues.length);
	turns.set(lane, turn + 1);
	const first = turn % queues.length;
	const inTurn = [...queues.slice(first), ...queues.slice(0, first)];
	const last = queues[lastIndex ?? -1];
	return last ? [...inTurn.filter((queue) => queue !== last), last] : inTurn;
}
