/**
 * The receiving end of the queues. The object decides what becomes of a job; this only does as it is told, and settles
 * each message by itself: one that is slow or fails leaves its neighbours alone.
 */
import { MS_PER_SECOND } from '../job/limits.ts';
import { JobMessage } from '../job/message.ts';
import type { Lease, Report } from '../job/object-api.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';

/** A message whose job couldn't be reached comes back after this time, in seconds. */
const UNREACHABLE_RETRY_SECONDS = 10;
/** The platform delays a message by this much at most. */
const MAX_DELAY_SECONDS = 86_400;

/** Runs one attempt; what it came to is already with the job. */
export type RunAttempt = (id: string, lease: Lease) => Promise<Report>;

/** Every message of a lane's batch, side by side. */
export async function consumeJobs(batch: MessageBatch, jobs: Jobs, run: RunAttempt): Promise<void> {
	await Promise.all(batch.messages.map((message) => settle(message, (body) => work(message, body, jobs, run))));
}

/** What the queues gave up: the job is failed, visibly, and can be run again. */
export async function consumeDeadLetters(batch: MessageBatch, jobs: Jobs): Promise<void> {
	await Promise.all(
		batch.messages.map((message) =>
			settle(message, async ({ id, epoch }) => {
				await jobs.call(id, (job) => job.deadLetter(epoch));
				message.ack();
			}),
		),
	);
}

async function work(message: Message, { id, epoch }: JobMessage, jobs: Jobs, run: RunAttempt): Promise<void> {
	// Not repeated by itself: if the first answer was lost, the job has an attempt that nobody runs, and its lease sees to it.
	const start = await jobs.callOnce(id, (job) => job.start(epoch));
	if (!start.started) return start.refusal === 'early' ? again(message, start.waitMs ?? 0) : message.ack();
	const { retryInMs } = await run(id, start.lease);
	if (retryInMs === undefined) message.ack();
	else again(message, retryInMs);
}

/** Whatever goes wrong around a job comes to this message only, which is delivered again. */
async function settle(message: Message, handle: (body: JobMessage) => Promise<void>): Promise<void> {
	const body = JobMessage.safeParse(message.body);
	if (!body.success) {
		logError('message dropped: not one of ours', { message: message.id });
		return message.ack();
	}
	try {
		await handle(body.data);
	} catch (error) {
		logError('message not settled', { job: body.data.id, message: message.id, error });
		message.retry({ delaySeconds: UNREACHABLE_RETRY_SECONDS });
	}
}

function again(message: Message, waitMs: number): void {
	message.retry({ delaySeconds: Math.min(MAX_DELAY_SECONDS, Math.ceil(waitMs / MS_PER_SECOND)) });
}
