/** Issues the links with which an external worker finishes an attempt. They are valid for this attempt only. */
import { defined } from '../core/defined.ts';
import { OPTION_LIMITS, WAIT_SECONDS } from '../core/job/limits.ts';
import { type AttemptLinks, attemptLinks } from '../core/job/links.ts';
import type { Fence } from '../core/job/record.ts';
import type { Attempt } from './attempt.ts';
import { TaskError, WaitingForWorker, type WaitOptions } from './task.ts';

/** Signs the token in an external worker's links; returns `undefined` if the deployment has no key. */
export type SignAttemptToken = (grant: {
	readonly job: string;
	readonly createdAt: number;
	readonly right: 'complete';
	readonly expiresAt: number;
	readonly fence: Fence;
}) => string | undefined;

/**
 * Creates the value that `JobContext.waitFor` returns.
 *
 * @throws {RangeError} for times out of bounds.
 * @throws {TaskError} `WaitNotPossible`, not retryable.
 */
export async function waitingFor(
	attempt: Attempt,
	{ startWithinSeconds, timeoutSeconds = WAIT_SECONDS.default }: WaitOptions,
): Promise<WaitingForWorker> {
	checkWithin('timeoutSeconds', timeoutSeconds, WAIT_SECONDS);
	if (startWithinSeconds !== undefined)
		checkWithin('startWithinSeconds', startWithinSeconds, OPTION_LIMITS.startWithinSeconds);
	return new WaitingForWorker(signLinks(attempt), defined({ timeoutSeconds, startWithinSeconds }));
}

function signLinks({ id, lease, dependencies }: Attempt): AttemptLinks {
	const { fence, origin, readableUntil } = lease;
	const { createdAt } = fence;
	if (origin !== undefined && readableUntil !== undefined && createdAt !== undefined) {
		const token = dependencies.sign({ job: id, createdAt, right: 'complete', expiresAt: readableUntil, fence });
		if (token !== undefined) return attemptLinks(id, { origin, token });
	}
	const message = 'The deployment has no key to sign the links of an external worker: set SIGNING_KEYS';
	throw new TaskError('WaitNotPossible', message, { retryable: false });
}

function checkWithin(field: string, value: number, { min, max }: { min: number; max: number }): void {
	if (Number.isFinite(value) && value >= min && value <= max) return;
	throw new RangeError(`waitFor: ${field} must be from ${min} to ${max}, got: ${value}`);
}
