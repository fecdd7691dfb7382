/** The messages on the queues: hints that something is to be done for a job. They never carry more than this. */
import { z } from 'zod';

/** A wire contract between versions: messages outlive a deploy by days. Only add optional fields. */
export const JobMessage = z.object({
	v: z.literal(1),
	/** The job's id. */
	id: z.string().regex(/^[0-9a-f]{64}$/),
	/** Which of the job's lives is meant: a message of an earlier one does nothing. */
	epoch: z.int().positive(),
});
export type JobMessage = z.infer<typeof JobMessage>;

/** A webhook's receiver is to be told of an event. A wire contract, as above. */
export const DeliveryMessage = z.object({
	v: z.literal(1),
	id: JobMessage.shape.id,
	seq: z.int().positive(),
});
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;
