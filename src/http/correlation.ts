/** One correlation id for everything that one request leaves behind: its answer, its problem and its log lines. */
import type { LogContext } from '../log.ts';

const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;

export class Correlation implements LogContext {
	/** The caller's, if it sent a usable one; else made up. */
	correlationId: string;
	readonly #isCallers: boolean;

	constructor({ headers }: Pick<Request, 'headers'>) {
		const sent = headers.get('x-correlation-id');
		this.#isCallers = sent !== null && CORRELATION_ID.test(sent);
		this.correlationId = sent !== null && this.#isCallers ? sent : crypto.randomUUID();
	}

	/** A made-up id gives way to that of the job which the request turns out to be about. Returns the id that holds. */
	adopt(jobsId: string): string {
		if (!this.#isCallers) this.correlationId = jobsId;
		return this.correlationId;
	}
}
