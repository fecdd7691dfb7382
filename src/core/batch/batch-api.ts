/**
 * The RPC interface of a batch's object. During each deploy, calls cross versions for some seconds: only add optional fields,
 * and optional parameters at the end. A method whose arguments change otherwise gets a new name. Callers may repeat each
 * call.
 */
import type { Reader } from '../job/reader.ts';
import type { BatchRecord, Counts, StatusReport, Submitted } from './batch.ts';
import type { Erasure } from './erasure.ts';

/** The public facts of a batch. */
export interface BatchView {
	/** Like all times here, in milliseconds since the epoch. */
	readonly createdAt: number;
	readonly keptUntil: number;
	readonly countedAt: number;
	/** Number of jobs. */
	readonly total: number;
	readonly counts: Counts;
}

/** A batch whose jobs are about to be accepted. */
export interface Preparation extends Pick<BatchRecord, 'tenant' | 'fingerprint'> {
	/** Version 0.1.0 leaves it out, and its jobs erase themselves. */
	readonly erasure?: Erasure;
}

export type Added =
	| { readonly added: true; readonly view: BatchView }
	/** The key belongs to a different request. */
	| { readonly added: false };

export type BatchReading =
	/** Objects of version 0.1.0 leave out `knowsTokens`: they reject readers without a tenant. */
	| { readonly found: 'nothing'; readonly knowsTokens?: true }
	/** The counts are recent. */
	| { readonly found: 'counts'; readonly view: BatchView }
	/** The counts are outdated, and no other caller refreshes them: read these jobs, by their index. */
	| {
			readonly found: 'jobs';
			readonly view: BatchView;
			/** The jobs' tenant. Objects of version 0.1.0 leave it out. */
			readonly tenant?: string;
			readonly round: number;
			readonly ask: readonly (readonly [index: number, id: string])[];
	  };

export interface BatchObjectApi {
	/**
	 * Plans the erasure of the jobs, before any of them is accepted. Returns whether the batch's key is unused, or belongs to
	 * the same request: if not, nothing is planned.
	 */
	prepare(preparation: Preparation): Promise<boolean>;
	/** Stores the list of jobs that were accepted together, or adds missing ones. */
	add(submitted: Submitted): Promise<Added>;
	readBatch(reader: Reader): Promise<BatchReading>;
	recordStatuses(report: StatusReport): Promise<BatchReading>;
}
