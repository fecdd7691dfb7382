/**
 * `fetch` for tasks: stopped with the attempt, and kept away from addresses that a client of ours must not reach through us.
 * Each redirect is looked at like the first address.
 */
import ipaddr from 'ipaddr.js';
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
		let target = allowed(url, allowPrivateTargets);
		let request: RequestInit = { ...rest, redirect: 'manual', signal: signals };
		for (let redirects = 0; ; redirects++) {
			const response = await fetch(target, request);
			const location = redirectOf(response);
			if (location === undefined || redirect === 'manual') return response;
			await response.body?.cancel();
			if (redirects === MAX_REDIRECTS) throw refused(target, `it redirects more than ${MAX_REDIRECTS} times`);
			const next = allowed(new URL(location, target), allowPrivateTargets);
			request = redirected(request, response.status, next.origin === target.origin);
			target = next;
		}
	};
}

/** @throws {TaskError} for an address that may not be fetched. */
export function allowed(url: string | URL, allowPrivateTargets: boolean): URL {
	const target = URL.parse(String(url));
	if (!target) throw new TaskError('TargetNotAllowed', 'The URL is not valid', { retryable: false, status: 422 });
	if (allowPrivateTargets && (target.protocol === 'http:' || target.protocol === 'https:')) return target;
	if (target.protocol !== 'https:') throw refused(target, 'only https is allowed');
	if (target.username !== '' || target.password !== '') throw refused(target, 'it carries credentials');
	if (isPrivate(target.hostname)) throw refused(target, 'the address is not public');
	return target;
}

/** Names that never leave a machine or a house (RFC 6761, RFC 6762, RFC 9476 and common practice). */
const PRIVATE_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)\.?$/;

/** The URL parser has turned every spelling of an IPv4 address (octal, hex, one number) into dots by now. */
function isPrivate(hostname: string): boolean {
	const bare = hostname.replace(/^\[|\]$/g, '');
	if (!ipaddr.isValid(bare)) return PRIVATE_NAMES.test(hostname.toLowerCase()) || !hostname.includes('.');
	return ipaddr.process(bare).range() !== 'unicast';
}

function redirectOf({ status, headers }: Response): string | undefined {
	const isRedirect = status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
	return isRedirect ? (headers.get('location') ?? undefined) : undefined;
}

/** What the Fetch standard does with a request on its way to another address. */
function redirected(request: RequestInit, status: number, isSameOrigin: boolean): RequestInit {
	const method = request.method?.toUpperCase() ?? 'GET';
	const headers = new Headers(request.headers);
	if (!isSameOrigin) for (const name of ['authorization', 'cookie', 'proxy-authorization']) headers.delete(name);
	const becomesGet = status === 303 ? method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST';
	if (!becomesGet) return { ...request, headers };
	for (const name of ['content-type', 'content-length', 'content-encoding', 'content-language']) headers.delete(name);
	const { body: _, ...rest } = request;
	return { ...rest, headers, method: 'GET' };
}

function refused(target: URL, why: string): TaskError {
	return new TaskError('TargetNotAllowed', `${target.origin} may not be fetched: ${why}`, {
		retryable: false,
		status: 422,
	});
}
