/** How an operation of another service is, in words that are the same for all of them. Pure. */
import type { Answer } from '../lro/answer.ts';
import type { Step } from '../lro/step.ts';

export interface OperationState {
	/** A closed set, whatever words the service has. */
	readonly status: 'running' | 'succeeded' | 'failed' | 'canceled';
	/** The service's own word for it: `InProgress`, `Creating`, … Left out when it has none. */
	readonly word?: string;
	/** Left out when the service doesn't tell. */
	readonly percentComplete?: number;
	/** The JSON that this was read in, as it came. Left out when the answer had none. */
	readonly body?: unknown;
}

/** A step after which there is something to tell: all but those that are about the question. */
export type TellingStep = Extract<Step, { readonly told: unknown }>;

const STATUSES = {
	ask: 'running',
	fetch: 'succeeded',
	result: 'succeeded',
	failed: 'failed',
	canceled: 'canceled',
} as const satisfies Record<TellingStep['is'], OperationState['status']>;

export function stateAfter({ is, told }: TellingStep, { body }: Answer): OperationState {
	return { status: STATUSES[is], ...told, ...(body !== undefined && { body }) };
}
