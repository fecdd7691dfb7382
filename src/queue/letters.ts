/** The messages of a batch, opened: each job, delivery and subscription is a letter, and is settled by itself. */
import * as z from 'zod';
import {
	BundleMessage,
	DeliveryMessage,
	JobMessage,
	type SingleMessage,
	SubscriptionMessage,
	unbundle,
} from '../core/job/message.ts';
import { once } from '../core/once.ts';
import { logError } from '../log.ts';

export interface Letter {
	readonly body: SingleMessage;
	/** The message that it came in. */
	readonly message: Message;
	/** Whether its message names other jobs as well, so that the message must not be retried for this one. */
	readonly isBundled: boolean;
	/** The message is no longer needed for this letter. It is acknowledged when this holds for each of its letters. */
	readonly settle: () => void;
}

const Body = once(() => z.union([JobMessage(), BundleMessage(), DeliveryMessage(), SubscriptionMessage()]));

/** Drops messages of an unknown format. */
export function openMessages({ messages }: MessageBatch): Letter[] {
	return messages.flatMap((message) => {
		const { data } = Body().safeParse(message.body);
		if (data) return lettersIn(message, data);
		logError('message dropped: unknown format', { messageId: message.id });
		message.ack();
		return [];
	});
}

function lettersIn(message: Message, body: z.infer<ReturnType<typeof Body>>): Letter[] {
	if (!('jobs' in body)) return [{ body, message, isBundled: false, settle: () => message.ack() }];
	let unsettled = body.jobs.length;
	const settleOne = () => {
		unsettled--;
		if (unsettled === 0) message.ack();
	};
	return unbundle(body).map((job) => ({ body: job, message, isBundled: true, settle: settleOne }));
}
