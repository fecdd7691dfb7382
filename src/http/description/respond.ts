/** `GET /openapi.json` and `GET /asyncapi.json`: the deployment's descriptions, made once in an isolate. */
import { createHash } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { isMatch } from '../job-response.ts';
import { Problem } from '../problem.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';
import { asyncApiDocument, asyncApiServers } from './asyncapi.ts';
import { type DescribedDeployment, openApiDocument } from './openapi.ts';

/** How long clients and proxies may keep a description, in seconds: a deploy may change it. */
const FRESH_SECONDS = 300;

interface Description {
	readonly document: (deployment: DescribedDeployment) => object;
	/** The part that depends on the URL of the request. */
	readonly servers: (origin: string) => object;
	/** Of this deployment. */
	readonly known: WeakMap<Config, object>;
}

const OPEN_API: Description = {
	document: openApiDocument,
	servers: (origin) => [{ url: origin }],
	known: new WeakMap(),
};

const ASYNC_API: Description = { document: asyncApiDocument, servers: asyncApiServers, known: new WeakMap() };

export function openApiResponse(context: RequestContext): Response {
	return descriptionResponse(context, OPEN_API);
}

export function asyncApiResponse(context: RequestContext): Response {
	return descriptionResponse(context, ASYNC_API);
}

/** @throws {Problem} `NotFound` where the descriptions are off. */
function descriptionResponse(context: RequestContext, description: Description): Response {
	const { config, request } = context;
	if (!config.isDescriptionOn)
		throw new Problem(
			'NotFound',
			'The description of the API is off in this deployment: GET /v1/tasks lists the tasks',
		);
	const document = knownDocument(context, description);
	const text = JSON.stringify({ ...document, servers: description.servers(linkOrigin(context)) });
	const etag = `"${createHash('sha256').update(text).digest('base64url')}"`;
	const headers = { 'cache-control': `public, max-age=${FRESH_SECONDS}`, etag };
	if (isMatch(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers });
	return new Response(text, { headers: { ...headers, 'content-type': 'application/json' } });
}

function knownDocument({ config, tasks }: RequestContext, { document, known }: Description): object {
	const made = known.get(config) ?? document({ tasks, maxInputBytes: config.maxInputBytes, isOpen: config.isOpen });
	known.set(config, made);
	return made;
}
