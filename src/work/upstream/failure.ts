/** The errors and failures of forwarded requests. */
import { defined } from '../../core/defined.ts';
import { BAD_GATEWAY } from '../../core/http/statuses.ts';
import type { Failure } from '../../core/job/lifecycle.ts';
import { MAX_REDIRECTS } from '../../core/upstream/limits.ts';
import type { Upstream } from '../../core/upstream/settings.ts';
import { TooLarge } from '../../rpc/upload.ts';
import { failureFrom } from '../failure.ts';
import { TaskError, type TaskErrorOptions } from '../task.ts';

/** Creates an error that a retry can't fix. */
export function upstreamError(message: string, details?: TaskErrorOptions['details']): TaskError {
	return new TaskError('UpstreamFailed', message, defined({ retryable: false, status: BAD_GATEWAY, details }));
}

export function tooManyRedirects({ name }: Upstream): TaskError {
	return upstreamError(`Upstream "${name}" redirects more than ${MAX_REDIRECTS} times`);
}

export function upstreamFailure(message: string, retryable: boolean): Failure {
	return { error: { code: 'UpstreamFailed', message, retryable }, status: BAD_GATEWAY };
}

export function tooLargeFailure({ name }: Upstream, { maxBytes }: TooLarge): Failure {
	return upstreamFailure(`The response of upstream "${name}" is larger than the limit of ${maxBytes} bytes`, false);
}

/** Returns the failure for an error that a retry can't fix; `undefined` for any other error. */
export function finalFailure(error: unknown, upstream: Upstream): Failure | undefined {
	if (error instanceof TooLarge) return tooLargeFailure(upstream, error);
	if (!(error instanceof TaskError)) return undefined;
	const failure = failureFrom(error);
	return { ...failure, error: { ...failure.error, retryable: false } };
}

/** Returns the error without the configured header values that its message may quote: they hold the operator's secrets. */
export function withoutValues(error: unknown, headers: Upstream['headers']): Error {
	const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
	const values = headers.map(([, value]) => value).filter(Boolean);
	const kept = new Error(values.reduce((text, value) => text.replaceAll(value, '…'), message));
	return Object.assign(kept, { name, stack });
}
