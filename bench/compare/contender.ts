/** A contender accepts jobs over HTTP. Contenders differ only in the requests that they expect. */
import type { Call } from './http.ts';

/** The work of a job. */
export type Work = { readonly ms: number } | { readonly bytes: Uint8Array };

/** The addresses for one job. */
export interface Ticket {
	readonly poll: string;
	/** Only for the floor: the same, with a response as long as our status document. */
	readonly pollAsLong?: string;
	readonly result: string;
	/** Address of the socket; empty for contenders without one. */
	readonly socket: string;
}

/** The requests that a contender expects. */
export interface Dialect {
	/** Whether its clients can receive events, and need not poll. */
	readonly tells: boolean;
	/** Returns `undefined` for work that the contender doesn't support. */
	submission(origin: string, work: Work): Call | undefined;
	ticketOf(origin: string, answer: Buffer): Ticket;
	/** Whether a socket's message says that the job has ended. */
	isEnd(message: string): boolean;
}

export interface Contender {
	readonly name: string;
	/** @throws {Skipped} if a requirement is missing. */
	start(): Promise<Running>;
}

export interface Running extends Dialect {
	readonly name: string;
	readonly origin: string;
	/** The process that does the work, if it can be distinguished from its helpers. */
	readonly pid?: number;
	stop(): Promise<void>;
}

/** Thrown when a contender is unavailable. The run continues without it. */
export class Skipped extends Error {
	override readonly name = 'Skipped';
}

const JSON_TYPE = { 'content-type': 'application/json' };
const BYTES_TYPE = { 'content-type': 'application/octet-stream' };

const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Coatcheck's own API: the 202 contains links. */
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

/** The API of all other contenders: `POST /jobs`, `GET /jobs/{id}`, `GET /jobs/{id}/result`. */
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
