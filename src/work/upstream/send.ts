/** Sends the request: builds its headers and body, checks its target, and follows redirects. */
import { MAX_REDIRECTS } from '../../core/upstream/limits.ts';
import { upstreamUrl } from '../../core/upstream/paths.ts';
import { mayFollow, type UpstreamRequest } from '../../core/upstream/request.ts';
import { forwardedHeaders, plainHeaders } from '../../core/upstream/request-headers.ts';
import { download } from '../../rpc/download.ts';
import type { Attempt } from '../attempt.ts';
import { idempotencyKey } from '../context.ts';
import { allowedTarget, redirectLocation, redirectRequest } from '../fetch.ts';
import { tooManyRedirects } from './failure.ts';
import type { Forwarding } from './forwarding.ts';
import { ConnectionLost } from './reply.ts';

/** A reply, and the URL that it came from. */
export interface Answered {
	readonly response: Response;
	readonly url: string;
	/** The reply is the result of an operation that the request had started. */
	readonly isFollowed?: boolean;
}

/**
 * @throws {ConnectionLost} if there is no reply.
 * @throws {TaskError} if a redirect leads to an address that is not allowed.
 */
export async function sendRequest(forwarding: Forwarding): Promise<Answered> {
	const { attempt, upstream, request } = forwarding;
	const { allowPrivateTargets } = attempt.dependencies;
	let target = allowedTarget(upstreamUrl(upstream.baseUrl, request), allowPrivateTargets);
	const { origin } = target;
	let next: RequestInit = { method: request.method, headers: requestHeaders(forwarding) };
	let hasBody = (attempt.lease.input?.sizeBytes ?? 0) > 0;
	for (let redirects = 0; ; redirects++) {
		// A stream can be sent once, so each hop gets its own.
		const body = hasBody ? requestBody(attempt) : null;
		const response = await openConnection(target, { ...next, body }, attempt.signal).catch((error: unknown) => {
			const isElsewhere = error instanceof ConnectionLost && target.origin !== origin;
			throw isElsewhere ? new ConnectionLost(error.cause, true) : error;
		});
		const location = upstream.followRedirects ? redirectLocation(response) : undefined;
		if (location === undefined) return { response, url: target.href };
		const to = URL.parse(location, target.href);
		const redirectedInit = redirectRequest(next, response.status, to?.origin === origin);
		// The configured secret must not reach paths that the upstream's rules forbid: the redirect itself becomes the reply.
		if (to && !mayFollow(upstream, to, redirectedInit.method ?? 'GET')) return { response, url: target.href };
		await response.body?.cancel();
		if (redirects === MAX_REDIRECTS) throw tooManyRedirects(upstream);
		target = allowedTarget(to ?? location, allowPrivateTargets);
		next = redirectedInit;
		hasBody &&= next.method === request.method;
		if (target.origin !== origin) next = { ...next, headers: headersForStranger(request, next) };
	}
}

/** @throws {ConnectionLost} */
export async function openConnection(target: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
	try {
		// No cache on the path may store a reply for another caller: caching is the client's decision.
		return await fetch(target, { ...init, redirect: 'manual', cache: 'no-store', signal });
	} catch (cause) {
		throw new ConnectionLost(cause);
	}
}

/** The caller's headers, the configured headers, and the job's own headers. Later ones override earlier ones. */
export function requestHeaders({ attempt, upstream, request: { method, headers } }: Forwarding): Headers {
	const { id, lease } = attempt;
	const { correlationId, traceparent } = lease.options;
	// The current rules apply, which may have changed since the submission.
	const forwarded = forwardedHeaders(headers, method, upstream);
	const all = new Headers(forwarded.map(([name, value]): [string, string] => [name, value]));
	// The runtime requests compressed replies by default, and a HEAD would then report the compressed length.
	if (method === 'HEAD') all.set('accept-encoding', 'identity');
	for (const [name, value] of upstream.headers) all.set(name, value);
	if (!all.has('idempotency-key')) all.set('idempotency-key', idempotencyKey(attempt));
	all.set('x-correlation-id', correlationId);
	if (traceparent !== undefined) all.set('traceparent', traceparent);
	all.set('coatcheck-job-id', id);
	all.set('coatcheck-attempt', String(lease.fence.attempt));
	return all;
}

/** The headers for another origin: without those that were configured or explicitly allowed for the upstream. */
function headersForStranger({ headers }: UpstreamRequest, { headers: left }: RequestInit): Headers {
	const still = new Headers(left);
	return new Headers(
		plainHeaders(headers)
			.filter(([name]) => still.has(name))
			.map(([name, value]): [string, string] => [name, value]),
	);
}

/** Returns the body with its original length. */
function requestBody({ jobs, id, lease: { input } }: Attempt): BodyInit | null {
	if (!input) return null;
	if ('inline' in input) return input.inline;
	const { readable, writable } = new FixedLengthStream(input.sizeBytes);
	download(jobs, id, input)
		.pipeTo(writable)
		.catch(() => {
			// The upstream closed the connection early, or the rest of the body is unavailable: the request itself fails.
		});
	return readable;
}
