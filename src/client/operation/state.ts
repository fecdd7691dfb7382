/** The state of another service's operation, in terms that are the same for all services. Pure. */
import { defined } from '../../core/defined.ts';
import type { Answer } from '../../core/operation/answer.ts';
import type { Step } from '../../core/operation/step.ts';

export interface OperationState {
	/** A closed set, independent of the service's own statuses. */
	readonly status: 'running' | 'succeeded' | 'failed' | 'canceled';
	/** The service's own status: `InProgress`, `Creating`, … Absent when the service sends none. */
	readonly word?: string;
	/** Absent when the service sends none. */
	readonly percentComplete?: number;
	/** The JSON of the response, unchanged. Absent when the response had none. */
	readonly body?: unknown;
}

/** A step that tells the operation's state: all steps except those about the request itself. */
export type TellingStep = Extract<Step, { readonly told: unknown }>;

const STATUSES = {
	ask: 'running',
	fetch: 'succeeded',
	result: 'succeeded',
	failed: 'failed',
	canceled: 'canceled',
} as const satisfies Record<TellingStep['type'], OperationState['status']>;

export function stateAfter({ type: is, told }: TellingStep, { body }: Answer): OperationState {
	return defined({ status: STATUSES[is], ...told, body });
}
