/** What the operations of a job are billed as. Pure: the bench and the budget tests count the operations. */
import type { Usage } from './prices.ts';

/** Not measurable here: the time that an object counts as awake for one call, start and commit included. */
const AWAKE_MS_A_CALL = 15;
/** The memory that an awake object is billed for. */
const OBJECT_GB = 0.128;
/** Size on disk of an object with one small value. */
const OBJECT_STORED_BYTES = 12_000;
const RETAIN_DAYS = 1;
const DAYS_A_MONTH = 30;
/** Messages that a socket receives, billed as one request. */
const MESSAGES_A_REQUEST = 20;

/** The counts of a job, by their names in the ledger. */
export type Counts = Readonly<Record<string, number>>;

/** What a job uses beside its operations. */
export interface Resources {
	readonly cpuMs: number | undefined;
	/** Bytes that a job stores besides its record. Default: 0. */
	readonly payloadBytes?: number | undefined;
}

export function billedUsage(counts: Counts, { cpuMs = 0, payloadBytes = 0 }: Resources): Usage {
	const {
		workerRequests = 0,
		objectCalls = 0,
		socketMessages = 0,
		rowsRead = 0,
		rowsWritten = 0,
		queueOperations = 0,
	} = counts;
	const calls = objectCalls + socketMessages / MESSAGES_A_REQUEST;
	return {
		rowsWritten,
		workerRequests,
		queueOperations,
		objectCalls: calls,
		objectGbSeconds: ((calls * AWAKE_MS_A_CALL) / 1_000) * OBJECT_GB,
		cpuMs,
		storedGbMonths: (((payloadBytes + OBJECT_STORED_BYTES) / 1e9) * RETAIN_DAYS) / DAYS_A_MONTH,
		rowsRead,
	};
}
