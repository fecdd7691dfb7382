/** `GET /openapi.json` and `GET /asyncapi.json`: the deployment's descriptions, made once in an isolate. */
import { createHash } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { JSON_TYPE } from '../../core/http/media-type.ts';
import { once } from '../../core/once.ts';
import type { TaskRegistry } from '../../work/registry.ts';
import { isMatch } from '../job-response.ts';
import { Problem } from '../problem.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';
import { asyncApiDocument, asyncApiServers } from './asyncapi.ts';
import { openApiDocument } from './openapi.ts';

/** How long clients and proxies may keep a description, in seconds: a deploy may change it. */
const FRESH_SECONDS = 300;

/** A description as text. */
interface Written {
	/** Without its servers and its last brace. */
	readonly start: string;
	readonly sha256: Uint8Array;
}

/** The descriptions of a deployment. They are the same for all of its requests, except their servers. */
interface Descriptions {
	readonly openApi: () => Written;
	readonly asyncApi: () => Written;
}

const known = new WeakMap<Config, Descriptions>();

export function openApiResponse(context: RequestContext): Response {
	return descriptionResponse(context, ({ openApi }) => openApi(), [{ url: linkOrigin(context) }]);
}

export function asyncApiResponse(context: RequestContext): Response {
	return descriptionResponse(context, ({ asyncApi }) => asyncApi(), asyncApiServers(linkOrigin(context)));
}

function describeOnce({ config, tasks }: RequestContext): Descriptions {
	const made = known.get(config) ?? describeDeployment(config, tasks);
	known.set(config, made);
	return made;
}

function describeDeployment({ maxInputBytes, isOpen }: Config, tasks: TaskRegistry): Descriptions {
	const document = once(() => openApiDocument({ tasks, maxInputBytes, isOpen }));
	return {
		openApi: once(() => write(document())),
		asyncApi: once(() => write(asyncApiDocument(document().components?.schemas))),
	};
}

function write(document: object): Written {
	const start = JSON.stringify(document).slice(0, -1);
	return { start, sha256: createHash('sha256').update(start).digest() };
}

/**
 * @param servers the part that depends on the URL of the request.
 * @throws {Problem} `NotFound` where the descriptions are off.
 */
function descriptionResponse(
	context: RequestContext,
	pick: (descriptions: Descriptions) => Written,
	servers: object,
): Response {
	const { config, request } = context;
	if (!config.isDescriptionOn)
		throw new Problem(
			'NotFound',
			'The description of the API is off in this deployment: GET /v1/tasks lists the tasks',
		);
	const { start, sha256 } = pick(describeOnce(context));
	const end = `,"servers":${JSON.stringify(servers)}}`;
	const etag = `"${createHash('sha256').update(sha256).update(end).digest('base64url')}"`;
	const headers = { 'cache-control': `public, max-age=${FRESH_SECONDS}`, etag };
	if (isMatch(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers });
	return new Response(start + end, { headers: { ...headers, 'content-type': JSON_TYPE } });
}
