/**
 * What a batch's object answers to the rest of the Worker. For some seconds of every deploy these calls cross versions: only
 * add optional fields, and optional parameters at the end. Each may be repeated.
 */
import type { BatchRecord, Counts, Findings } from './batch.ts';

export type NewBatch = Pick<BatchRecord, 'tenant' | 'fingerprint' | 'keptUntil' | 'ids'>;

/** A batch as it can be handed out. */
export interface BatchView {
	/** Milliseconds since the epoch, both. */
	readonly createdAt: number;
	readonly keptUntil: number;
	/** How many jobs it has. */
	readonly total: number;
}

export type Opened =
	| { readonly opened: true; readonly view: BatchView; readonly isReplay: boolean }
	/** The key stands for another request. */
	| { readonly opened: false };

export type Look =
	| { readonly found: 'nothing' }
	/** Somebody asked the jobs a moment ago. */
	| { readonly found: 'counts'; readonly view: BatchView; readonly counts: Counts; readonly countedAt: number }
	/** These are to be asked, by their place; the others are known. */
	| {
			readonly found: 'jobs';
			readonly view: BatchView;
			readonly known: Pick<BatchRecord, 'succeeded' | 'gone'>;
			readonly ask: readonly (readonly [index: number, id: string])[];
	  };

export interface BatchObjectApi {
	/** Makes the list durable, before any of its jobs is there. */
	open(batch: NewBatch): Promise<Opened>;
	/** `createdAt`: that of the batch the reader's token was signed for. */
	look(tenant: string, createdAt?: number): Promise<Look>;
	/** What the jobs said that were asked, and when; milliseconds since the epoch. */
	note(findings: Findings, countedAt: number): Promise<void>;
}
