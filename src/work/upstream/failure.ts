/** The failures of forwarded requests. */
import { BAD_GATEWAY } from '../../core/http/statuses.ts';
import type { Failure } from '../../core/job/lifecycle.ts';
import type { Upstream } from '../../core/upstream/settings.ts';
import { TooLarge } from '../../rpc/upload.ts';
import { failureFrom } from '../failure.ts';
import { TaskError } from '../task.ts';

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
