/**
 * The calls that the rest of the Worker makes to an upstream's gate. They cross isolates, and during a deployment also
 * versions: only add optional fields, and optional parameters at the end.
 */
import type { Entry, EntryRequest, Health } from './gate.ts';

export interface GateApi {
	enter(request: EntryRequest & { readonly job: string }): Promise<Entry>;
	/**
	 * @param job the job that sent the request. Earlier versions leave it out.
	 * @returns whether the gate is calm.
	 */
	leave(
		pass: string,
		health: Health | undefined,
		wellBefore: boolean,
		job?: string,
	): Promise<{ readonly isCalm: boolean }>;
}
