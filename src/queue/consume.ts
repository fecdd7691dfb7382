/**
 * The receiving end of the queues. The object decides what becomes of a job; this only does as it is told, and settles
 * each message by itself: one that is slow or fails leaves its neighbours alone.
 */
import { z } from 'zod';
import { MS_PER_SECOND } from '../job/limits.ts';
import { DeliveryMessage, JobMessage } from '../job/message.ts';
import type { Lease, Report } from '../job/object-api.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';

/** A message whose job couldn't be reached comes back after this time, in seconds. */
const UNREACHABLE_RETRY_SECONDS = 10;
/** A deployment that is not configured looks again after this time: its hundred tries last for eight hours. */
const NOT_CONFIGURED_RETRY_SECONDS = 300;
/** The platform delays a message by this much at most. */
const MAX_DELAY_SECONDS = 86_400;

/** What is done about a message. */
export interface Handlers {
	/** Makes the attempt that a message asks for, or lets its job wait for its turn. `isRepeat`: it was delivered before. */
	readonly admit: (message: JobMessage, isRepeat: boolean, attempt: () => Promise<Report>) => Promise<Report>;
	/** Runs one attempt; what it came to is already with the job. */
	readonly run: (id: string, lease: Lease) => Promise<Report>;
	/** Tells a webhook's receiver; how it went is already with the job. */
	readonly deliver: (message: DeliveryMessage) => Promise<Report>;
}

/**
 * Every message of a batch, side by side.
 *
 * @param isShared whether the queue's batches may hold more than one message.
 */
export async function consume(batch: MessageBatch, jobs: Jobs, handlers: Handlers, isShared: boolean): Promise<void> {
	await settleAll(batch, async (message, body) => {
		const report =
			'epoch' in body
				? await handlers.admit(body, message.attempts > 1, () => attempt(body, jobs, handlers, isShared))
				: await handlers.deliver(body);
		if (report.retryInMs === undefined) message.ack();
		else again(message, report.retryInMs);
	});
}

/** What the queues gave up: the job is failed, visibly, and can be run again. A lost delivery is sent for by its job's alarm. */
export async function consumeDeadLetters(batch: MessageBatch, jobs: Jobs): Promise<void> {
	await settleAll(batch, async (message, body) => {
		if ('epoch' in body) await jobs.call(body.id, (job) => job.deadLetter(body.epoch));
		message.ack();
	});
}

async function attempt({ id, epoch }: JobMessage, jobs: Jobs, { run }: Handlers, isShared: boolean): Promise<Report> {
	// Not repeated by itself: if the first answer was lost, the job has an attempt that nobody runs, and its lease sees to it.
	const start = await jobs.callOnce(id, (job) => job.start(epoch, isShared));
	if (start.started) return run(id, start.lease);
	return start.refusal === 'early' ? { retryInMs: start.waitMs ?? 0 } : {};
}

const Body = z.union([JobMessage, DeliveryMessage]);

/** Whatever goes wrong around a job comes to its own message only, which is delivered again. */
async function settleAll(
	batch: MessageBatch,
	handle: (message: Message, body: JobMessage | DeliveryMessage) => Promise<void>,
): Promise<void> {
	await Promise.all(
		batch.messages.map(async (message) => {
			const body = Body.safeParse(message.body);
			if (!body.success) {
				logError('message dropped: not one of ours', { messageId: message.id });
				return message.ack();
			}
			try {
				await handle(message, body.data);
			} catch (error) {
				logError('message not settled', { job: body.data.id, messageId: message.id, error });
				message.retry({ delaySeconds: UNREACHABLE_RETRY_SECONDS });
			}
		}),
	);
}

/** For a Worker that can't work: every message comes back later, and long before it is given up somebody has noticed. */
export function putOff(batch: MessageBatch): void {
	batch.retryAll({ delaySeconds: NOT_CONFIGURED_RETRY_SECONDS });
}

function again(message: Message, waitMs: number): void {
	message.retry({ delaySeconds: Math.min(MAX_DELAY_SECONDS, Math.ceil(waitMs / MS_PER_SECOND)) });
}
