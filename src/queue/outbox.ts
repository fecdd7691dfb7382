/** Collects the messages of many jobs per lane. Sends a lane's messages as soon as they fill one group. */
import type { Lanes } from './lanes.ts';
import { type NewJobSending, tellAndSend } from './tell-first.ts';

/** After this many jobs of a lane, their messages are sent: the first jobs don't wait for the last ones. */
const JOBS_IN_GROUP = 100;

export class Outbox {
	readonly #lanes: Lanes;
	readonly #onSend: (sent: Promise<unknown>) => void;
	readonly #waiting = new Map<string, NewJobSending[]>();

	/** @param onSend receives each send, which never rejects: its request or consumer must last as long. */
	constructor(lanes: Lanes, onSend: (sent: Promise<unknown>) => void) {
		this.#lanes = lanes;
		this.#onSend = onSend;
	}

	add(lane: string, sending: NewJobSending): void {
		const waiting = this.#waiting.get(lane) ?? [];
		waiting.push(sending);
		this.#waiting.set(lane, waiting);
		if (waiting.length >= JOBS_IN_GROUP) this.#send(lane);
	}

	sendAll(): void {
		for (const lane of this.#waiting.keys()) this.#send(lane);
	}

	#send(lane: string): void {
		const sendings = this.#waiting.get(lane) ?? [];
		this.#waiting.delete(lane);
		this.#onSend(tellAndSend({ lanes: this.#lanes, lane }, sendings));
	}
}
