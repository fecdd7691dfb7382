/** `/v1/upstreams/{upstream}/…`, any method: creates a job that sends this request to a configured upstream. */

import { upstreamTask } from '../../core/job/upstream.ts';
import { identityIn010 } from '../../core/upstream/identity-010.ts';
import { MAX_REQUEST_HEAD_BYTES } from '../../core/upstream/limits.ts';
import {
	COMMON_METHODS,
	type RequestFault,
	requestFault,
	requestIdentity,
	type UpstreamRequest,
} from '../../core/upstream/request.ts';
import { type ForwardRules, forwardedHeaders } from '../../core/upstream/request-headers.ts';
import { isRepeatable } from '../../core/upstream/retry.ts';
import { mayUse, type Upstream } from '../../core/upstream/settings.ts';
import { tenantOf } from '../access/auth.ts';
import { refuseTooLarge } from '../body.ts';
import { Problem, shown } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { bytesInput, type Draft } from './draft.ts';
import { readOptions } from './options.ts';
import { submitDraft } from './submit.ts';

const ROOT = '/v1/upstreams/';
/** Methods without a body: the platform sends none for them (RFC 9110 §9.3.1 defines no meaning for one). */
export const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export function submitUpstream(context: RequestContext): Promise<Response> {
	return submitDraft(context, readUpstreamDraft);
}

async function readUpstreamDraft(context: RequestContext): Promise<Draft> {
	const { request, config } = context;
	const upstream = upstreamNamed(context);
	const forwarded = readUpstreamRequest(context, upstream);
	const fault = requestFault(upstream, forwarded);
	if (fault) throw requestProblem(fault, upstream);
	refuseTooMuchHead(forwarded);
	const options = readOptions(request.headers);
	if (WITHOUT_BODY.has(request.method) && request.body)
		throw new Problem(
			'InvalidRequest',
			`Expected a ${request.method} request without a body, because it is forwarded without one`,
		);
	await refuseTooLarge(request, config.maxInputBytes);
	const { name, lane, maxAttempts, timeoutSeconds, resend } = upstream;
	return {
		task: { name: upstreamTask(name), lane, maxAttempts, timeoutSeconds },
		options,
		parameters: { ...forwarded },
		identity: requestIdentity(forwarded, request.headers, upstream),
		identityIn010: identityIn010(forwarded, request.headers, letThrough(context, upstream).forward),
		input: bytesInput(request, config.maxInputBytes, options.idempotencyKey !== undefined),
		isOnce: !isRepeatable(request.method, resend),
	};
}

/** Treats an upstream of other tenants like one that does not exist. */
export function upstreamNamed({ params, principal, config }: RequestContext): Upstream {
	const usable = [...config.upstreams.values()].filter((upstream) => mayUse(upstream, tenantOf(principal)));
	const upstream = usable.find(({ name }) => name === params.upstream);
	if (upstream) return upstream;
	const known =
		usable.length === 0 ? 'none is available to you' : `expected one of: ${usable.map(({ name }) => name).join(', ')}`;
	throw new Problem('NotFound', `Unknown upstream "${shown(params.upstream ?? '')}", ${known}`);
}

function readUpstreamRequest(context: RequestContext, upstream: Upstream): UpstreamRequest {
	const { request, url } = context;
	const { method, headers } = request;
	return {
		method,
		path: url.pathname.slice(ROOT.length + upstream.name.length),
		query: url.search,
		headers: forwardedHeaders(headers, method, letThrough(context, upstream)),
	};
}

/** When `Authorization` authenticates callers to Coatcheck, it is never forwarded. */
function letThrough({ config }: RequestContext, { forward, forwardOnly }: Upstream): ForwardRules {
	if (config.isOpen) return { forward, forwardOnly };
	const withoutOurs = (names: readonly string[]) => names.filter((name) => name !== 'authorization');
	return { forward: withoutOurs(forward), forwardOnly: forwardOnly && withoutOurs(forwardOnly) };
}

function refuseTooMuchHead(request: UpstreamRequest): void {
	const sizeBytes = new TextEncoder().encode(JSON.stringify(request)).byteLength;
	if (sizeBytes <= MAX_REQUEST_HEAD_BYTES) return;
	const message = `Expected path, query and headers of at most ${MAX_REQUEST_HEAD_BYTES} bytes in total, got: ${sizeBytes}`;
	throw new Problem('InvalidRequest', message);
}

function requestProblem({ type: of, message }: RequestFault, { methods = COMMON_METHODS }: Upstream): Problem {
	switch (of) {
		case 'path':
			return new Problem('InvalidRequest', message);
		case 'rules':
			return new Problem('NotFound', message);
		case 'method':
			return new Problem('MethodNotAllowed', message, { headers: { allow: methods.join(', ') } });
	}
}
