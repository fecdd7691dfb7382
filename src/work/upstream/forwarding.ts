/** A request that is forwarded to an upstream by an attempt. */
import { BAD_GATEWAY } from '../../core/http/statuses.ts';
import { upstreamNameOf } from '../../core/job/upstream.ts';
import { requestFault, UpstreamRequest } from '../../core/upstream/request.ts';
import { isRepeatable } from '../../core/upstream/retry.ts';
import { mayUse, type Upstream } from '../../core/upstream/settings.ts';
import type { Attempt } from '../attempt.ts';
import { TaskError } from '../task.ts';

export interface Forwarding {
	readonly attempt: Attempt;
	readonly upstream: Upstream;
	readonly request: UpstreamRequest;
}

/**
 * Plans with the current configuration, which may have changed since the submission.
 *
 * @throws {TaskError} if the upstream is no longer configured, or no longer accepts such requests.
 */
export function planForwarding(attempt: Attempt): Forwarding {
	const { task, tenant, parameters } = attempt.lease;
	const name = upstreamNameOf(task) ?? '';
	const upstream = attempt.dependencies.upstreams.get(name);
	if (!upstream) throw notAllowed('UnknownTask', `Upstream "${name}" is no longer configured`);
	if (tenant !== undefined && !mayUse(upstream, tenant))
		throw notAllowed('UnknownTask', `Upstream "${name}" is no longer configured for this tenant`);
	const request = UpstreamRequest().parse(parameters);
	const fault = requestFault(upstream, request);
	if (fault) throw notAllowed('UpstreamFailed', fault.message);
	return { attempt, upstream, request };
}

/** Whether the request may be sent again although the upstream may have handled it. */
export function mayResend({ request, upstream }: Forwarding): boolean {
	return isRepeatable(request.method, upstream.resend);
}

/** Whether a URL is on the upstream's own origin. Otherwise the upstream redirected, and another server is responsible. */
export function isUpstreamOrigin({ upstream }: Pick<Forwarding, 'upstream'>, url: string): boolean {
	return new URL(url).origin === new URL(upstream.baseUrl).origin;
}

function notAllowed(code: string, message: string): TaskError {
	return new TaskError(code, message, { retryable: false, status: BAD_GATEWAY });
}
