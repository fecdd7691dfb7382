/** Follows events over any transport that works, and reconnects after failures. */
import { wait } from '../wait.ts';
import { isTransient } from '../waiting.ts';
import { SessionLog } from './session-log.ts';
import type { NumberedEvent, Position, Transport } from './transport.ts';
import { nextTransport, START } from './transport-choice.ts';

export interface Followed<Event> {
	/** In order of preference; at least one. */
	readonly transports: readonly Transport<Event>[];
	/** Whether there will be no more events. Asked when the server has closed the connection. */
	readonly isOver: (position: Position, signal: AbortSignal) => Promise<boolean>;
	/** Whether an event is new to the reader although its number is not. Default: none is. */
	readonly isRestart?: (event: Event) => boolean;
	/** Called with the reader's cursor when no event tells it. */
	readonly onPlace?: ((after: number) => void) | undefined;
}

/**
 * Yields each event after the cursor once, in order, until there will be no more.
 *
 * @param after the `seq` of the last event the reader has; `undefined` to begin with the server's first one.
 * @throws {ProblemError} when the events can't be read, or no longer; {@link TransportError} when every transport failed too
 * often; {@link ProtocolError}; the signal's reason.
 */
export async function* follow<Event extends NumberedEvent>(
	{ transports, isOver, isRestart = () => false, onPlace }: Followed<Event>,
	after: number | undefined,
	signal: AbortSignal,
): AsyncGenerator<Event, void> {
	let position: Position = { after, job: undefined };
	let course = START;
	while (true) {
		const log = new SessionLog();
		try {
			for await (const sign of transportAt(transports, course.at)(position, signal)) {
				// A frame may have many events: none follows the abort.
				signal.throwIfAborted();
				log.add(sign);
				if ('after' in sign && sign.after !== undefined && sign.after !== position.after) {
					position = { ...position, after: sign.after };
					onPlace?.(sign.after);
				}
				if (sign.type === 'again') position = { after: position.after, job: sign.job ?? position.job };
				if (sign.type !== 'event' || !(isNew(sign.event, position) || isRestart(sign.event))) continue;
				log.addNews();
				position = { after: sign.event.seq, job: sign.event.job };
				yield sign.event;
			}
		} catch (error) {
			if (!isTransient(error)) throw error;
			log.addFailure(error);
		}
		if (log.last === 'over') return;
		if (log.last === 'closed' && (await isOver(position, signal))) return;
		const terms = { transports: transports.length, random: Math.random() };
		const next = nextTransport(course, log.session(), terms);
		if (!next) throw log.failure;
		course = next.course;
		await wait(next.waitMs, signal);
	}
}

function isNew({ seq }: NumberedEvent, { after }: Position): boolean {
	return after === undefined || seq > after;
}

function transportAt<Event>(transports: readonly Transport<Event>[], at: number): Transport<Event> {
	const transport = transports[at];
	if (!transport) throw new TypeError(`Expected one of ${transports.length} transports, got: ${at}`);
	return transport;
}
