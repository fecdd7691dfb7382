/** Follows a job to its end over any transport that works, and reconnects after failures. */

import { isOver, type JobEvent, type StatusDocument } from '../document.ts';
import { wait } from '../wait.ts';
import { isTransient } from '../waiting.ts';
import { SessionLog } from './session-log.ts';
import type { Position, Transport } from './transport.ts';
import { nextTransport, START } from './transport-choice.ts';

export interface Followed {
	/** In order of preference; at least one. */
	readonly transports: readonly Transport[];
	/** Reads the job's current status. */
	readonly status: (signal: AbortSignal) => Promise<StatusDocument>;
}

/**
 * Yields each event after the cursor once, in order, until the job has finished.
 *
 * @param after the `seq` of the last event the reader has; `undefined` to begin with a snapshot.
 * @throws {ProblemError} when the job can't be read, or no longer; {@link TransportError} when every transport failed too
 * often; {@link ProtocolError}; the signal's reason.
 */
export async function* followJob(
	{ transports, status }: Followed,
	after: number | undefined,
	signal: AbortSignal,
): AsyncGenerator<JobEvent, void> {
	let position: Position = { after, job: undefined };
	let course = START;
	while (true) {
		const log = new SessionLog();
		try {
			for await (const sign of transportAt(transports, course.at)(position, signal)) {
				log.add(sign);
				if (sign.type === 'again' && sign.job) position = { ...position, job: sign.job };
				if (sign.type !== 'event' || !isNew(sign.event, position)) continue;
				log.addNews();
				position = { after: sign.event.seq, job: sign.event.job };
				yield sign.event;
			}
		} catch (error) {
			if (!isTransient(error)) throw error;
			log.addFailure(error);
		}
		if (log.last === 'over') return;
		if (log.last === 'closed' && isOver(position.job ?? (await status(signal)))) return;
		const terms = { transports: transports.length, random: Math.random() };
		const next = nextTransport(course, log.session(), terms);
		if (!next) throw log.failure;
		course = next.course;
		await wait(next.waitMs, signal);
	}
}

function isNew({ seq }: JobEvent, { after }: Position): boolean {
	return after === undefined || seq > after;
}

function transportAt(transports: readonly Transport[], at: number): Transport {
	const transport = transports[at];
	if (!transport) throw new TypeError(`Expected one of ${transports.length} transports, got: ${at}`);
	return transport;
}
