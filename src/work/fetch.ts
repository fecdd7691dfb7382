/**
 * `fetch` for tasks. It is aborted with the attempt, and rejects addresses that clients must not reach through this
 * service. Each redirect is checked like the first address.
 */
import { targetRefusal } from '../core/http/target.ts';
import { TaskError } from './task.ts';

const MAX_REDIRECTS = 5;

export interface GuardedFetchOptions {
	/** Aborts every request. */
	readonly signal: AbortSignal;
	/** Whether `http:` and private addresses are allowed. */
	readonly allowPrivateTargets: boolean;
}

export function guardedFetch({ signal, allowPrivateTargets }: GuardedFetchOptions) {
	/** @throws {TaskError} `TargetNotAllowed`, not retryable. */
	return async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
		const { signal: ownSignal, redirect, ...rest } = init;
		const signals = ownSignal ? AbortSignal.any([signal, ownSignal]) : signal;
		let target = allowedTarget(url, allowPrivateTargets);
		let request: RequestInit = { ...rest, redirect: 'manual', signal: signals };
		for (let redirects = 0; ; redirects++) {
			const response = await fetch(target, request);
			const location = redirectLocation(response);
			if (location === undefined || redirect === 'manual') return response;
			await response.body?.cancel();
			if (redirect === 'error')
				throw new TypeError(`${target.origin} sent a redirect, and the request has redirect: "error"`);
			if (redirects === MAX_REDIRECTS)
				throw targetNotAllowed(target.origin, `it redirects more than ${MAX_REDIRECTS} times`);
			const next = allowedTarget(new URL(location, target), allowPrivateTargets);
			request = redirectRequest(request, response.status, next.origin === target.origin);
			target = next;
		}
	};
}

/** @throws {TaskError} for an address that may not be fetched. */
export function allowedTarget(url: string | URL, allowPrivateTargets: boolean): URL {
	const refusal = targetRefusal(url, allowPrivateTargets);
	if (refusal === undefined) return new URL(url);
	const name = URL.parse(String(url))?.origin ?? 'This';
	throw targetNotAllowed(name, refusal);
}

/** The target of a response, if it is a redirect that a client follows. */
export function redirectLocation({ status, headers }: Response): string | undefined {
	const isRedirect = status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
	return isRedirect ? (headers.get('location') ?? undefined) : undefined;
}

/** Applies the rules of the Fetch standard to a redirected request. */
export function redirectRequest(request: RequestInit, status: number, isSameOrigin: boolean): RequestInit {
	const method = request.method?.toUpperCase() ?? 'GET';
	const headers = new Headers(request.headers);
	if (!isSameOrigin) for (const name of ['authorization', 'cookie', 'proxy-authorization']) headers.delete(name);
	const becomesGet = status === 303 ? method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST';
	if (!becomesGet) return { ...request, headers };
	for (const name of ['content-type', 'content-length', 'content-encoding', 'content-language']) headers.delete(name);
	const { body: _, ...rest } = request;
	return { ...rest, headers, method: 'GET' };
}

function targetNotAllowed(name: string, why: string): TaskError {
	const message = `${name} may not be fetched: ${why}`;
	return new TaskError('TargetNotAllowed', message, { retryable: false, status: 422 });
}
