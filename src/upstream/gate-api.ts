/**
 * What an upstream's gate answers to the rest of the Worker. These calls cross isolates, and for some seconds of every
 * deploy versions too: only add optional fields, and optional parameters at the end.
 */
import type { Entry, EntryRequest, Health } from './gate.ts';

export interface GateApi {
	enter(request: EntryRequest & { readonly job: string }): Promise<Entry>;
	/**
	 * @param job whose request it was. Left out by earlier versions.
	 * @returns whether the gate is calm.
	 */
	leave(
		pass: string,
		health: Health | undefined,
		wellBefore: boolean,
		job?: string,
	): Promise<{ readonly isCalm: boolean }>;
}
