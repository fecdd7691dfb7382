/** `GET /.well-known/oauth-protected-resource`: where agents get a token for `/mcp` (RFC 9728). */
import { KEY_SCOPES } from '../../config/scopes.ts';
import { MCP_PATH } from '../../core/mcp/limits.ts';
import { Problem } from '../problem.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';

/** The path of the metadata: RFC 9728 §3.1 puts the resource's own path behind it. */
const METADATA_PATH = `/.well-known/oauth-protected-resource${MCP_PATH}`;

/** How long clients may keep it, in seconds. */
const FRESH_SECONDS = 300;

/** @throws {Problem} `NotFound` where no identity provider is configured: then API keys are the only credentials. */
export function describeProtection(context: RequestContext): Response {
	const { jwt } = context.config;
	if (!jwt)
		throw new Problem('NotFound', 'No identity provider is configured: send an API key as "Authorization: Bearer"');
	const metadata = {
		resource: linkOrigin(context) + MCP_PATH,
		authorization_servers: [jwt.issuer],
		scopes_supported: KEY_SCOPES,
		bearer_methods_supported: ['header'],
	};
	return Response.json(metadata, { headers: { 'cache-control': `public, max-age=${FRESH_SECONDS}` } });
}

/** Tells an agent without a token where it gets one (RFC 9728 §5.1). Other errors stay as they are. */
export function withMetadata(error: unknown, place: Pick<RequestContext, 'config' | 'url'>): unknown {
	if (!(error instanceof Problem) || error.code !== 'Unauthorized' || !place.config.jwt) return error;
	const challenge = error.headers['www-authenticate'] ?? 'Bearer';
	const metadata = `resource_metadata="${linkOrigin(place)}${METADATA_PATH}"`;
	const separator = challenge.includes(' ') ? ', ' : ' ';
	return new Problem('Unauthorized', error.message, {
		headers: { 'www-authenticate': challenge + separator + metadata },
	});
}
