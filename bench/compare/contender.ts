/** Who is compared: something that takes jobs over HTTP. How each is spoken to is all that is different about them. */
import type { Call } from './http.ts';

/** What a job is to do. */
export type Work = { readonly ms: number } | { readonly bytes: Uint8Array };

/** Where to ask about a job. */
export interface Ticket {
	readonly poll: string;
	/** For the floor: the same, answered at the length of our status document. */
	readonly pollAsLong?: string;
	readonly result: string;
	/** Where to be told; of those who tell nobody, nothing is there. */
	readonly socket: string;
}

/** How a contender is spoken to. */
export interface Dialect {
	/** Whether its clients can be told, and needn't ask. */
	readonly tells: boolean;
	/** `undefined` for work that it can't take. */
	submission(origin: string, work: Work): Call | undefined;
	ticketOf(origin: string, answer: Buffer): Ticket;
	/** Whether a socket's message says that the job is done. */
	isEnd(message: string): boolean;
}

export interface Contender {
	readonly name: string;
	/** @throws {Skipped} when what it needs isn't there. */
	start(): Promise<Running>;
}

export interface Running extends Dialect {
	readonly name: string;
	readonly origin: string;
	/** The process that does the work, where it can be told from its helpers. */
	readonly pid?: number;
	stop(): Promise<void>;
}

/** A contender isn't there, and the run goes on without it. */
export class Skipped extends Error {
	override readonly name = 'Skipped';
}

const JSON_TYPE = { 'content-type': 'application/json' };
const BYTES_TYPE = { 'content-type': 'application/octet-stream' };

const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Coatcheck's own: links come with the 202. */
export const OURS: Dialect = {
	tells: true,
	submission(origin, work) {
		const task = `${origin}/v1/tasks`;
		return 'ms' in work
			? { method: 'POST', url: `${task}/wait/jobs`, headers: JSON_TYPE, body: encoded({ ms: work.ms }) }
			: { method: 'POST', url: `${task}/echo/jobs`, headers: BYTES_TYPE, body: work.bytes };
	},
	ticketOf(_, answer) {
		const { links } = JSON.parse(answer.toString()) as { links: { operation: string; result: string; socket: string } };
		const { operation: poll, result, socket } = links;
		return { poll, pollAsLong: poll, result, socket: `${socket}&after=0` };
	},
	isEnd: (message) => message.includes('"type":"succeeded"'),
};

/** What everybody else here speaks: `POST /jobs`, `GET /jobs/{id}`, `GET /jobs/{id}/result`. */
export function plain({ tells = false, isFloor = false, maxBytes = Number.POSITIVE_INFINITY } = {}): Dialect {
	return {
		tells,
		submission(origin, work) {
			const url = `${origin}/jobs`;
			if ('ms' in work) return { method: 'POST', url, headers: JSON_TYPE, body: encoded({ ms: work.ms }) };
			if (work.bytes.byteLength > maxBytes) return undefined;
			return { method: 'POST', url, headers: BYTES_TYPE, body: work.bytes };
		},
		ticketOf(origin, answer) {
			const { id } = JSON.parse(answer.toString()) as { id: string };
			const poll = `${origin}/jobs/${id}`;
			const socket = `${poll.replace(/^http/, 'ws')}/socket`;
			return { poll, result: `${poll}/result`, socket, ...(isFloor && { pollAsLong: `${poll}/as-long` }) };
		},
		isEnd: (message) => message.includes('"succeeded"'),
	};
}
