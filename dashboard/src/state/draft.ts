import { signal } from '@preact/signals';
import type { Payload } from '../pure/payload.ts';

/** The input of an earlier job, for the form of its task. */
export interface Draft {
	readonly task: string;
	/** The id of the earlier job. */
	readonly from: string;
	/** Left out where the input is gone. */
	readonly payload?: Payload;
}

export const draft = signal<Draft | undefined>(undefined);
