/** The tool of an upstream: its arguments become a request that is forwarded to it. */
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import type { StatusDocument } from '../../core/job/document.ts';
import { HEADER_NAME, HEADER_VALUE, isOwnHeader } from '../../core/upstream/header-names.ts';
import { isAllowedPath, pathRefusal } from '../../core/upstream/paths.ts';
import type { Upstream } from '../../core/upstream/settings.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';
import { submitUpstream, WITHOUT_BODY } from '../submit/upstream.ts';
import { knownJsonSchema } from '../tasks.ts';
import { INVALID_ARGUMENTS, keyHeader, readArguments } from './arguments.ts';
import { ownRequest } from './own-request.ts';
import { type JobStarter, type ObjectSchema, type ToolSubmission, toolName } from './tool.ts';

const PREFIX = 'upstream_';

/** Where the upstream takes all methods. The others have no result for an agent. */
const USUAL_METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

type RequestArguments = ReturnType<typeof createSchema>;

/** Upstreams live as long as their configuration, which is read once. */
const schemas = new WeakMap<Upstream, RequestArguments>();

export function upstreamStarter(upstream: Upstream): JobStarter {
	const { name: upstreamName, description = `The API "${upstreamName}"` } = upstream;
	const name = PREFIX + toolName(upstreamName);
	return {
		name,
		tool: () => ({ name, description, inputSchema: knownJsonSchema(schemaFor(upstream)) as ObjectSchema }),
		needsTasks: false,
		wrapsInput: false,
		submit: (context, submission) => forwardCall(context, upstream, submission),
	};
}

function schemaFor(upstream: Upstream): RequestArguments {
	const schema = schemas.get(upstream) ?? createSchema(upstream);
	schemas.set(upstream, schema);
	return schema;
}

function createSchema({ methods = USUAL_METHODS, paths }: Upstream) {
	const headerName = z
		.string()
		.regex(HEADER_NAME, 'expected the name of a header')
		.refine((name) => !isSetByUs(name.toLowerCase()), 'expected another header, because the service sets this one');
	return z.strictObject({
		method: z.enum(methods, `expected one of: ${methods.join(', ')}`),
		path: z
			.string()
			.regex(/^\/[^?#]*$/, { error: 'expected a path that begins with a slash, without a query', abort: true })
			.superRefine((path, context) => refusePath(path, { paths, context }))
			.describe(`Percent-encoded. Allowed: ${paths.join(', ')}`),
		query: z.record(z.string(), z.string('expected text')).describe('The parameters of the query').optional(),
		headers: z.record(headerName, z.string('expected text').regex(HEADER_VALUE, 'expected ASCII text')).optional(),
		body: z
			.unknown()
			.describe('Sent as JSON. Text is sent as it is where the headers have another content-type')
			.optional(),
	});
}

interface PathRules extends Pick<Upstream, 'paths'> {
	readonly context: z.RefinementCtx;
}

/** A URL resolves dot segments, so they are refused before there is one. */
function refusePath(path: string, { paths, context }: PathRules): void {
	const refusal = pathRefusal(path);
	if (refusal !== undefined) context.addIssue(refusal);
	else if (!isAllowedPath(path, paths)) context.addIssue(`expected one of ${paths.join(', ')}`);
}

/** Some of them would change the submission, instead of the request that is forwarded. */
function isSetByUs(name: string): boolean {
	return isOwnHeader(name) || name === 'idempotency-key' || name === 'content-encoding';
}

async function forwardCall(
	context: RequestContext,
	upstream: Upstream,
	{ arguments: given, idempotencyKey }: ToolSubmission,
): Promise<StatusDocument> {
	const { method, path, query = {}, headers: named = {}, body } = readArguments(schemaFor(upstream), given);
	if (body !== undefined && WITHOUT_BODY.has(method))
		throw invalidRequest(INVALID_ARGUMENTS, [{ pointer: '/body', message: `expected no body for ${method}` }]);
	const headers = new Headers({ ...named, ...keyHeader(idempotencyKey) });
	const content = body === undefined ? undefined : encodeContent(body, headers);
	const own = ownRequest(context, {
		method,
		path: `/v1/upstreams/${upstream.name}${path}${queryText(query)}`,
		params: { upstream: upstream.name },
		scope: 'submit',
		headers: Object.fromEntries(headers),
		...defined({ body: content }),
	});
	return (await submitUpstream(own)).json<StatusDocument>();
}

/** Text goes as it is where the caller names its media type. Anything else is JSON. */
function encodeContent(body: unknown, headers: Headers): string {
	const hasType = headers.has('content-type');
	if (!hasType) headers.set('content-type', 'application/json');
	return hasType && typeof body === 'string' ? body : JSON.stringify(body);
}

function queryText(query: Readonly<Record<string, string>>): string {
	const text = new URLSearchParams(query).toString();
	return text === '' ? '' : `?${text}`;
}
