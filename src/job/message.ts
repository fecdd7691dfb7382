/** The messages on the queues: hints that something is to be done for a job. They never carry more than this. */
import { z } from 'zod';
import type { JobRecord } from './record.ts';
import { type UpstreamHint, upstreamHintOf } from './upstream.ts';

/** A wire contract between versions: messages outlive a deploy by days. Only add optional fields. */
export const JobMessage = z.object({
	v: z.literal(1),
	/** The job's id. */
	id: z.string().regex(/^[0-9a-f]{64}$/),
	/** Which of the job's lives is meant: a message of an earlier one does nothing. */
	epoch: z.int().positive(),
	/** The upstream that the job is for: it may have to wait for its turn. Left out for tasks. */
	upstream: z
		.object({ name: z.string(), timeoutSeconds: z.number(), hasWaited: z.literal(true).optional() })
		.optional(),
	/** Not the next attempt is meant, but the next question about the operation that this attempt started at its upstream. */
	ask: z.object({ attempt: z.int().positive(), asks: z.int().nonnegative() }).optional(),
});
export type JobMessage = z.infer<typeof JobMessage>;

/** The message that sends for a job's next attempt. */
export function jobMessage(id: string, epoch: number, upstream: UpstreamHint | undefined): JobMessage {
	return { v: 1, id, epoch, ...(upstream && { upstream }) };
}

/** The message that a job waits for, if it waits for one. */
export function awaitedMessage(id: string, job: JobRecord): JobMessage | undefined {
	const { state, epoch, attempt } = job;
	if (state.name === 'pending') return jobMessage(id, epoch, upstreamHintOf(job));
	const following = state.name === 'running' ? state.waiting?.following : undefined;
	// Without the upstream: an earlier version must not take it for an attempt that needs a turn.
	return following && { v: 1, id, epoch, ask: { attempt, asks: following.asks } };
}

/** A webhook's receiver is to be told of an event. A wire contract, as above. */
export const DeliveryMessage = z.object({
	v: z.literal(1),
	id: JobMessage.shape.id,
	seq: z.int().positive(),
});
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;
