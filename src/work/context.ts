/** The context that a task receives. */
import type { Attempt } from './attempt.ts';
import { guardedFetch } from './fetch.ts';
import { normalizeProgress, sendProgress } from './progress.ts';
import type { JobContext } from './task.ts';
import { waitingFor } from './waiting.ts';

export function createContext(
	attempt: Attempt,
	parameters: Record<string, unknown>,
): JobContext<Record<string, unknown>> {
	const { id, lease, signal, dependencies } = attempt;
	const { options, fence } = lease;
	return {
		id,
		attempt: fence.attempt,
		parameters,
		signal,
		correlationId: options.correlationId,
		idempotencyKey: idempotencyKey(attempt),
		traceparent: options.traceparent,
		progress: (percent, message, data) => sendProgress(attempt, normalizeProgress(percent, message, data)),
		fetch: guardedFetch({ signal, allowPrivateTargets: dependencies.allowPrivateTargets }),
		waitFor: (options = {}) => waitingFor(attempt, options),
	};
}

/**
 * The key that the attempt sends to other services. The caller's own key is unique within its tenant only. The job's id is
 * derived from tenant, task and key.
 */
export function idempotencyKey({ id, lease }: Pick<Attempt, 'id' | 'lease'>): string {
	return `${id}-${lease.fence.epoch}`;
}
