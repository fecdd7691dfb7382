/** Records the outcome of one session with a transport. */

import { type CoatcheckError, TransportError } from '../errors.ts';
import { isRateLimited, readRetryAfterMs } from '../waiting.ts';
import type { TransportMessage } from './transport.ts';
import type { Session } from './transport-choice.ts';

export class SessionLog {
	readonly #startedAt = performance.now();
	#last: TransportMessage['type'] | undefined;
	#isAlive = false;
	#isNews = false;
	#failure: CoatcheckError | undefined;
	#retryAfterMs: number | undefined;
	#isRateLimited = false;
	#isHeld = false;

	/** The last sign; `undefined` when there was none, or the session failed after it. */
	get last(): TransportMessage['type'] | undefined {
		return this.#failure ? undefined : this.#last;
	}

	/** The reason why the session ended. */
	get failure(): CoatcheckError {
		return this.#failure ?? new TransportError('The server closed the connection before it sent anything');
	}

	add(sign: TransportMessage<unknown>): void {
		this.#last = sign.type;
		// An intermediary can close a connection too, so a close is no sign of the server's life.
		if (sign.type !== 'closed') this.#isAlive = true;
		if (sign.type === 'closed' || sign.type === 'again') this.#retryAfterMs = sign.retryAfterMs;
		if (sign.type === 'again') this.#isHeld = sign.isHeld ?? false;
	}

	addNews(): void {
		this.#isNews = true;
	}

	addFailure(error: CoatcheckError): void {
		this.#failure = error;
		this.#retryAfterMs = readRetryAfterMs(error);
		this.#isRateLimited = isRateLimited(error);
	}

	session(): Session {
		return {
			isAlive: this.#isAlive,
			isNews: this.#isNews,
			lastedMs: performance.now() - this.#startedAt,
			retryAfterMs: this.#retryAfterMs,
			isRateLimited: this.#isRateLimited,
			isHeld: this.#isHeld && !this.#failure,
			isLost: this.#isAlive && (this.#failure !== undefined || this.#last === 'closed'),
		};
	}
}
