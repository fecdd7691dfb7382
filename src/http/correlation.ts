/** One correlation id for a request: in its response, its problem and its log lines. */
import type { LogContext } from '../log.ts';

const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;

export function isCorrelationId(text: string): boolean {
	return CORRELATION_ID.test(text);
}

export class Correlation implements LogContext {
	readonly #isCallers: boolean;
	#id: string | undefined;

	constructor({ headers }: Pick<Request, 'headers'>) {
		const sent = headers.get('x-correlation-id');
		this.#isCallers = sent !== null && isCorrelationId(sent);
		if (sent !== null && this.#isCallers) this.#id = sent;
	}

	/** The caller's, if it sent a valid one; otherwise the job's, or random. */
	get correlationId(): string {
		this.#id ??= crypto.randomUUID();
		return this.#id;
	}

	/** Replaces a random id with that of the request's job. @returns the id in effect. */
	adopt(jobsId: string): string {
		if (!this.#isCallers) this.#id = jobsId;
		return this.correlationId;
	}
}
