/**
 * What a batch's object answers to the rest of the Worker. For some seconds of every deploy these calls cross versions: only
 * add optional fields, and optional parameters at the end. Each may be repeated.
 */
import type { Counts, Findings, Submitted } from './batch.ts';

/** A batch as it can be handed out. */
export interface BatchView {
	/** Milliseconds since the epoch, all of them. */
	readonly createdAt: number;
	readonly keptUntil: number;
	readonly countedAt: number;
	/** How many jobs it has. */
	readonly total: number;
	readonly counts: Counts;
}

export type Added =
	| { readonly added: true; readonly view: BatchView }
	/** The key stands for another request. */
	| { readonly added: false };

export type Look =
	/** `knowsTokens` is left out by objects of version 0.1.0, which know no reader without a tenant. */
	| { readonly found: 'nothing'; readonly knowsTokens?: true }
	/** This is how it is, or was a moment ago. */
	| { readonly found: 'counts'; readonly view: BatchView }
	/** It is time to ask again, and nobody else does: these are to be asked, by their place. */
	| {
			readonly found: 'jobs';
			readonly view: BatchView;
			/** Whose jobs they are. Objects of version 0.1.0 leave it out. */
			readonly tenant?: string;
			readonly round: number;
			readonly ask: readonly (readonly [index: number, id: string])[];
	  };

export interface BatchObjectApi {
	/** Whether the batch's key stands for nothing yet, or for the same request. */
	isFor(tenant: string, fingerprint: string): Promise<boolean>;
	/** Keeps the list of jobs that were accepted together, or adds those that weren't before. */
	add(submitted: Submitted): Promise<Added>;
	/** `createdAt`: that of the batch the reader's token was signed for. A token's bearer has no tenant. */
	look(tenant: string | undefined, createdAt?: number): Promise<Look>;
	/** What the jobs said that were asked, when, and in which round. */
	note(findings: Findings, countedAt: number, round: number): Promise<Look>;
}
