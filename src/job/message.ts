/** The message on the queue: a hint that a job is to be worked on. It never carries more than this. */
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
