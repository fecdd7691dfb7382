/** The messages on the queues. Each is a hint that a job needs work, and carries nothing more than this. */

import * as z from 'zod';
import { defined } from '../defined.ts';
import { once } from '../once.ts';
import { OBJECT_ID } from './id.ts';
import type { JobRecord } from './record.ts';
import { type UpstreamHint, upstreamHintOf } from './upstream.ts';

/** A wire contract between versions: messages outlive a deploy by days. Only add optional fields. */
export const JobMessage = once(() =>
	z.object({
		v: z.literal(1),
		/** The job's id. */
		id: z.string().regex(OBJECT_ID),
		/** The job's epoch: a message of an earlier epoch does nothing. */
		epoch: z.int().positive(),
		/** The list knows of this run of the job. Left out where it may not. */
		listed: z.literal(true).optional(),
		/** The job's upstream, whose concurrency limit may defer the job. Left out for tasks. */
		upstream: z
			.object({ name: z.string(), timeoutSeconds: z.number(), hasWaited: z.literal(true).optional() })
			.optional(),
		/** Asks for a poll of the operation that this attempt started at its upstream, and not for another attempt. */
		ask: z.object({ attempt: z.int().positive(), asks: z.int().nonnegative() }).optional(),
	}),
);
export type JobMessage = z.infer<ReturnType<typeof JobMessage>>;

/** Maximum number of jobs in a message. A consumer runs as many at once. */
export const MAX_JOBS_IN_MESSAGE = 20;

/**
 * One message for several jobs that run a task. A wire contract, as above. An earlier version drops it as unknown, and then the
 * watchdog of each job sends a message of its own after 20 s.
 */
export const BundleMessage = once(() =>
	z.object({
		v: z.literal(1),
		jobs: z
			.array(JobMessage().pick({ id: true, epoch: true, listed: true }))
			.min(1)
			.max(MAX_JOBS_IN_MESSAGE),
	}),
);
export type BundleMessage = z.infer<ReturnType<typeof BundleMessage>>;

/** One message for all of these jobs: at least one, and at most `MAX_JOBS_IN_MESSAGE`. */
export function bundle(messages: readonly JobMessage[]): JobMessage | BundleMessage {
	const [first] = messages;
	if (first && messages.length === 1) return first;
	return { v: 1, jobs: messages.map(({ id, epoch, listed }) => defined({ id, epoch, listed })) };
}

/** The messages that a bundle replaces. */
export function unbundle({ jobs }: BundleMessage): JobMessage[] {
	return jobs.map((job) => defined({ v: 1, ...job }));
}

/** A job's message, as a consumer received it. */
export interface ReceivedMessage {
	readonly message: JobMessage;
	/** The message was delivered before. */
	readonly isRepeat: boolean;
	/** The consumer has other jobs as well. */
	readonly isShared: boolean;
	/** Resolves to whether the list knows of the job, which is being told. Default: what the message says. */
	readonly isListed?: Promise<boolean>;
}

/** The message that asks for a job's next attempt. */
export function jobMessage(id: string, epoch: number, upstream: UpstreamHint | undefined): JobMessage {
	return defined({ v: 1, id, epoch, upstream });
}

/** The message that a job waits for, if it waits for one. */
export function awaitedMessage(id: string, job: JobRecord): JobMessage | undefined {
	const { state, epoch, attempt } = job;
	if (state.name === 'pending') return { ...jobMessage(id, epoch, upstreamHintOf(job)), ...listing(job) };
	const following = state.name === 'running' ? state.waiting?.following : undefined;
	// Without the upstream: an earlier version must not mistake it for an attempt that needs a slot.
	return following && { v: 1, id, epoch, ask: { attempt, asks: following.asks } };
}

/** A job that has nothing to tell knows that it is listed. */
function listing({ isListable, toTell }: JobRecord): Pick<JobMessage, 'listed'> {
	return isListable && !toTell ? { listed: true } : {};
}

/** Asks for the service of a topic's subscription. A wire contract, as above: an earlier version drops it, and its watchdog sends another. */
export const SubscriptionMessage = once(() =>
	z.object({
		v: z.literal(1),
		/** The id of the topic's object. */
		id: z.string().regex(OBJECT_ID),
		/** The subscription's name. */
		subscription: z.string(),
		/** The subscription's birth: a message of an earlier one of the same name does nothing. */
		createdAt: z.int().positive(),
	}),
);
export type SubscriptionMessage = z.infer<ReturnType<typeof SubscriptionMessage>>;

/** Asks for the delivery of an event to a webhook's receiver. A wire contract, as above. */
export const DeliveryMessage = once(() =>
	z.object({
		v: z.literal(1),
		id: JobMessage().shape.id,
		seq: z.int().positive(),
	}),
);
export type DeliveryMessage = z.infer<ReturnType<typeof DeliveryMessage>>;

/** A message for one job, one delivery or one subscription. */
export type SingleMessage = JobMessage | DeliveryMessage | SubscriptionMessage;
