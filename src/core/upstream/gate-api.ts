/**
 * The calls that the rest of the Worker makes to an upstream's gate. They cross isolates, and during a deployment also
 * versions: only add optional fields, and optional parameters at the end. A method whose arguments change otherwise gets
 * a new name.
 */
import type { Entry, EntryRequest, Exit, GateReading } from './gate.ts';

export interface GateApi {
	enter(request: EntryRequest & { readonly job: string }): Promise<Entry>;
	/** Reports a finished request. @returns whether the gate is calm. */
	reportExit(exit: Exit): Promise<{ readonly isCalm: boolean }>;
	readGate(): Promise<GateReading>;
	/** Closes the breaker. Requests in progress keep their slots. */
	resetGate(): Promise<GateReading>;
}
