/**
 * A request to an upstream, as it is stored: the parameters of its job. The body is the job's input. A persisted contract: only
 * add optional fields. Pure.
 */
import * as z from 'zod';
import { once } from '../once.ts';
import { isAllowedPath, pathBelow, pathRefusal } from './paths.ts';
import type { Upstream } from './settings.ts';

export const UpstreamRequest = once(() =>
	z.object({
		method: z.string(),
		/** Relative to the base URL, in its original spelling. */
		path: z.string(),
		/** With its question mark; or empty. */
		query: z.string(),
		headers: z.array(z.tuple([z.string(), z.string()]).readonly()).readonly(),
	}),
);
export type UpstreamRequest = z.infer<ReturnType<typeof UpstreamRequest>>;

/** A reason why a request is not allowed. */
export type RequestFault =
	| { readonly type: 'path'; readonly message: string }
	| { readonly type: 'rules'; readonly message: string }
	| { readonly type: 'method'; readonly message: string };

/** The methods to list when an upstream allows all of them. */
export const COMMON_METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** RFC 9110 §9.3.6 and §9.3.8. */
const NEVER: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

export function requestFault(
	{ name, methods, paths }: Upstream,
	{ method, path }: Pick<UpstreamRequest, 'method' | 'path'>,
): RequestFault | undefined {
	const refusal = pathRefusal(path);
	if (refusal !== undefined)
		return { type: 'path', message: `The path after "${name}" can't be forwarded: ${refusal}` };
	if (!isAllowedPath(path, paths))
		return { type: 'rules', message: `This path is not forwarded to "${name}": expected one of ${paths.join(', ')}` };
	const isAllowed = !NEVER.has(method) && (methods === undefined || methods.includes(method));
	if (isAllowed) return undefined;
	return {
		type: 'method',
		message: `"${name}" takes ${methods?.join(', ') ?? 'any method except TRACE'}, got: ${method}`,
	};
}

/**
 * Whether a redirect stays within the upstream's rules. The rules apply to its own origin, which gets the configured headers;
 * another origin gets none of them.
 */
export function mayFollow(upstream: Upstream, target: URL, method: string): boolean {
	if (target.origin !== new URL(upstream.baseUrl).origin) return true;
	const path = pathBelow(upstream.baseUrl, target);
	return path !== undefined && requestFault(upstream, { method, path }) === undefined;
}

/**
 * The identity of a request for idempotency, besides the body. SDKs and gateways set new headers for each try, so none counts
 * unless the upstream's `fingerprintHeaders` list it.
 */
export function requestIdentity(
	{ method, path, query }: UpstreamRequest,
	headers: Iterable<readonly [name: string, value: string]>,
	{ fingerprintHeaders }: Pick<Upstream, 'fingerprintHeaders'>,
): Record<string, unknown> {
	const counted = [...headers]
		.map(([name, value]) => [name.toLowerCase(), value] as const)
		.filter(([name]) => fingerprintHeaders.includes(name));
	return { method, path, query, headers: counted };
}
