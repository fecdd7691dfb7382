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
	/** Many instant jobs in one request. Left out for contenders that take one job at a time. */
	readonly batch?: {
		submission(origin: string, jobs: number): Call;
		ticketsOf(origin: string, answer: Buffer): Ticket[];
	};
}

export interface Contender {
	readonly name: string;
	/** The sections in which it takes part. Default: all. */
	readonly sections?: readonly string[];
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

/** A job of an accepted batch. */
interface Item {
	readonly links: { readonly self: string };
}

interface Document {
	readonly links: { readonly operation: string; readonly result: string; readonly socket: string };
}

/** Coatcheck's own API: the 202 contains links. @param waits the task for work that only waits. */
export function ours({ waits = 'wait' } = {}): Dialect {
	return {
		tells: true,
		submission(origin, work) {
			const task = `${origin}/v1/tasks`;
			return 'ms' in work
				? { method: 'POST', url: `${task}/${waits}/jobs`, headers: JSON_TYPE, body: encoded({ ms: work.ms }) }
				: { method: 'POST', url: `${task}/echo/jobs`, headers: BYTES_TYPE, body: work.bytes };
		},
		ticketOf: (_, answer) => ticketTo(JSON.parse(answer.toString()) as Document),
		isEnd: (message) => message.includes('"type":"succeeded"'),
		batch: {
			submission(origin, count) {
				const jobs = Array.from({ length: count }, () => ({ task: waits, input: { ms: 0 } }));
				return { method: 'POST', url: `${origin}/v1/batches`, headers: JSON_TYPE, body: encoded({ jobs }) };
			},
			ticketsOf: (_, answer) => (JSON.parse(answer.toString()) as { jobs: Item[] }).jobs.map(ticketToItem),
		},
	};
}

export const OURS = ours();

function ticketTo({ links }: Document): Ticket {
	const { operation: poll, result, socket } = links;
	return { poll, pollAsLong: poll, result, socket: `${socket}&after=0` };
}

function ticketToItem({ links: { self } }: Item): Ticket {
	return { poll: self.replace('/v1/jobs/', '/v1/operations/'), result: self, socket: '' };
}

/** The API of all other contenders: `POST /jobs`, `GET /jobs/{id}`, `GET /jobs/{id}/result`. */
export function plain({ tells = false, isFloor = false, maxBytes = Number.POSITIVE_INFINITY } = {}): Dialect {
	const ticketFor = (origin: string, id: string): Ticket => {
		const poll = `${origin}/jobs/${id}`;
		const socket = `${poll.replace(/^http/, 'ws')}/socket`;
		return { poll, result: `${poll}/result`, socket, ...(isFloor && { pollAsLong: `${poll}/as-long` }) };
	};
	return {
		tells,
		submission(origin, work) {
			const url = `${origin}/jobs`;
			if ('ms' in work) return { method: 'POST', url, headers: JSON_TYPE, body: encoded({ ms: work.ms }) };
			if (work.bytes.byteLength > maxBytes) return undefined;
			return { method: 'POST', url, headers: BYTES_TYPE, body: work.bytes };
		},
		ticketOf: (origin, answer) => ticketFor(origin, (JSON.parse(answer.toString()) as { id: string }).id),
		isEnd: (message) => message.includes('"succeeded"'),
		...(isFloor && {
			batch: {
				submission: (origin, count) => ({
					method: 'POST',
					url: `${origin}/batches`,
					headers: JSON_TYPE,
					body: encoded({ count }),
				}),
				ticketsOf: (origin, answer) =>
					(JSON.parse(answer.toString()) as { ids: string[] }).ids.map((id) => ticketFor(origin, id)),
			},
		}),
	};
}
