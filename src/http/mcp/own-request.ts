/** Requests of the MCP server to this API's own handlers, with the credentials of the caller. */
import { defined } from '../../core/defined.ts';
import { requireScope, type Scope } from '../access/auth.ts';
import type { RequestContext } from '../request-context.ts';

interface OwnRequest {
	readonly method: string;
	/** With its query. */
	readonly path: string;
	/** Of the path. Default: none. */
	readonly params?: Readonly<Record<string, string>>;
	readonly scope: Scope;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: BodyInit;
}

/** @throws {Problem} `Forbidden` when the caller's credentials lack the scope. */
export function ownRequest(context: RequestContext, own: OwnRequest): RequestContext {
	const { method, path, params = {}, scope, headers = {}, body } = own;
	requireScope(context.principal, scope);
	const url = new URL(path, context.url);
	const traceparent = context.request.headers.get('traceparent') ?? undefined;
	const request = new Request(url, defined({ method, headers: defined({ ...headers, traceparent }), body }));
	return { ...context, request, url, params };
}

/** A read of a job. @throws {Problem} as above. */
export function jobRequest(context: RequestContext, id: string): RequestContext {
	const path = `/v1/jobs/${encodeURIComponent(id)}`;
	return ownRequest(context, { method: 'GET', path, params: { id }, scope: 'read' });
}
