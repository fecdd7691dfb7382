/** The consumer of the dead letters. Loaded with the first of them. */
import pMap from 'p-map';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { handBack } from './consume.ts';
import { type Letter, openMessages } from './letters.ts';

/** As many as there are messages in a batch of dead letters. */
const MAX_DEAD_LETTERS_AT_ONCE = 50;

/** Handles dead letters: the job fails visibly and can be retried. A lost delivery is sent again by its job's alarm. */
export async function consumeDeadLetters(batch: MessageBatch, jobs: Jobs): Promise<void> {
	const settleDead = async ({ message, body, settle }: Letter) => {
		try {
			if ('epoch' in body) await jobs.call(body.id, (job) => job.deadLetter(body.epoch));
			settle();
		} catch (error) {
			// The message comes again for all of its jobs: those that have failed already stay as they are.
			logError('message not settled', { job: body.id, messageId: message.id, error });
			handBack(message);
		}
	};
	await pMap(openMessages(batch), settleDead, { concurrency: MAX_DEAD_LETTERS_AT_ONCE });
}
