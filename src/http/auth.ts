/**
 * Authentication. On the routes of a job or a batch, a link's token in the URL goes first; where it does not allow the request,
 * a key beside it decides. Without a token: `Authorization: Bearer` with an API key or a JWT, or the assertion that Cloudflare
 * Access puts on a request that it lets through.
 */
import { type Config, EVERY_ORIGIN, type KeyScope } from '../config.ts';
import type { JobFacts } from '../job/document.ts';
import type { Fence } from '../job/record.ts';
import { signToken, type TokenRight, type TokenScope, verifyToken } from '../token/token.ts';
import { principalOfKey } from './api-key.ts';
import { principalOfJwt } from './jwt.ts';
import { Problem } from './problem.ts';
import { PURGE, scopesOf } from './scopes.ts';

/** What a route can ask for. */
export type Scope = KeyScope | TokenScope | typeof PURGE;

export interface Principal {
	/** Left out for a link's token, which proves its job instead. */
	readonly tenant?: string;
	readonly scopes: ReadonlySet<string>;
	/** Which key or user it is: what requests are counted by, and what logs name. Not known of who comes with a job token. */
	readonly name?: string;
	/** The link's token that the request came with. Its bearer is never given more than it had, nor for longer. */
	readonly token?: LinkToken;
}

export interface LinkToken {
	readonly text: string;
	readonly job: string;
	/** In milliseconds since the epoch. */
	readonly expiresAt: number;
	readonly createdAt?: number;
	readonly fence?: Fence;
	/** Left out for a token of version 0.1.0, which may have several. */
	readonly right?: TokenRight;
}

/** Everybody, when the deployment is open. */
const ANYBODY: Principal = { tenant: 'default', scopes: scopesOf(['admin']) };

/** Subprotocols that start like this carry a job token: browsers can set no other header on a `WebSocket`. */
const TOKEN_SUBPROTOCOL = 'coatcheck.token.';

/**
 * The credentials that allow the request, or the best ones that it has: `requireScope` judges them.
 *
 * @throws {Problem} `Unauthorized`, or `Forbidden` for a token of another job and a request of another site.
 */
export async function authenticate(authRequest: AuthRequest): Promise<Principal> {
	const principal = await principalOf(authRequest);
	if (!principal.token || principal.scopes.has(authRequest.scope)) return principal;
	const beside = await withCredentials(authRequest);
	return beside?.scopes.has(authRequest.scope) ? beside : principal;
}

/** @throws {Problem} `Forbidden` when good credentials are not for this. */
export function requireScope(principal: Principal, scope: Scope): void {
	if (principal.scopes.has(scope)) return;
	const wanted = scope === PURGE ? 'cancel' : scope;
	const detail = `Insufficient permissions: expected ${principal.token ? 'a link or an API key' : 'an API key'} with the scope "${wanted}"`;
	throw new Problem('Forbidden', detail, {
		headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${wanted}"` },
	});
}

function scopesOfLegacy(scopes: ReadonlySet<TokenScope>): ReadonlySet<string> {
	return scopes.has('cancel') ? new Set([...scopes, PURGE]) : scopes;
}

export interface AuthRequest {
	readonly request: Request;
	readonly url: URL;
	readonly config: Config;
	/** What the route asks for. */
	readonly scope: Scope;
	/** The job or batch of the route; `undefined` on a route of neither, where a job token means nothing. */
	readonly jobId: string | undefined;
}

async function principalOf(authRequest: AuthRequest): Promise<Principal> {
	const { request, url, config, jobId } = authRequest;
	// Elsewhere, `token` is a parameter of the task or of the upstream.
	const token = jobId === undefined ? undefined : tokenOf(request, url);
	// A token that was sent is checked even where none is needed: local development then shows what production does.
	if (token !== undefined) return withToken(token, config, jobId);
	const principal = await withCredentials(authRequest);
	if (principal) return principal;
	// RFC 6750 §3.1: a request without credentials is told no error code.
	throw unauthorized('Send an API key as "Authorization: Bearer", or the token that came with a link', 'Bearer');
}

/** The principal of a key, a JWT or an assertion; `undefined` when the request has none of them. */
async function withCredentials(authRequest: AuthRequest): Promise<Principal | undefined> {
	const { request, config } = authRequest;
	if (config.isOpen) {
		refuseCrossSite(authRequest);
		return ANYBODY;
	}
	const bearer = bearerOf(request);
	if (bearer !== undefined) return withBearer(bearer, config);
	const assertion = request.headers.get('cf-access-jwt-assertion');
	return assertion !== null && config.jwt ? withAssertion(assertion, authRequest) : undefined;
}

function tokenOf(request: Request, url: URL): string | undefined {
	const inQuery = url.searchParams.get('token');
	if (inQuery !== null) return inQuery;
	if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return undefined;
	const offered = request.headers.get('sec-websocket-protocol')?.split(',') ?? [];
	const carrier = offered.map((name) => name.trim()).find((name) => name.startsWith(TOKEN_SUBPROTOCOL));
	return carrier?.slice(TOKEN_SUBPROTOCOL.length);
}

/** The `Bearer` credentials (RFC 6750 §2.1); those of another scheme are for somebody else. */
function bearerOf(request: Request): string | undefined {
	return /^bearer\s+(.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
}

async function withToken(text: string, config: Config, jobId: string | undefined): Promise<Principal> {
	const claims = await verifyToken(config.signingKeys, text, jobId ?? '');
	if (!claims) throw invalid('The token is not valid for this job, or no longer valid: use the link as it was given');
	if (claims.job !== jobId) throw new Problem('Forbidden', 'The token is for another job');
	const { scopes, job, createdAt, expiresAt, fence, right, legacy } = claims;
	const token: LinkToken = {
		text,
		job,
		expiresAt,
		...(createdAt !== undefined && { createdAt }),
		...(fence && { fence }),
		...(right && { right }),
	};
	// Links of version 0.1.0 said that they may purge what they may cancel, and keep their word.
	return legacy ? { ...legacy, scopes: scopesOfLegacy(scopes), token } : { scopes, token };
}

async function withBearer(bearer: string, { apiKeys, jwt }: Config): Promise<Principal> {
	const principal = (await principalOfKey(apiKeys, bearer)) ?? (jwt && (await principalOfJwt(jwt, bearer)));
	if (!principal) throw invalid('The API key or token in "Authorization" is not valid, or no longer');
	return principal;
}

async function withAssertion(assertion: string, authRequest: AuthRequest): Promise<Principal> {
	refuseCrossSite(authRequest);
	const { jwt } = authRequest.config;
	const principal = jwt && (await principalOfJwt(jwt, assertion));
	if (!principal) throw invalid('The assertion of Cloudflare Access is not valid, or no longer');
	return principal;
}

/**
 * A browser can be made to send a request by any page, and it is let in where Access knows the browser by its cookie, or where
 * everybody is let in. A program that is no browser sends neither `Origin` nor `Sec-Fetch-Site`.
 */
function refuseCrossSite(authRequest: AuthRequest): void {
	const { headers } = authRequest.request;
	const site = headers.get('sec-fetch-site') ?? 'none';
	if (site === 'same-origin' || isFollowedLink(authRequest)) return;
	const origin = headers.get('origin');
	if (origin === null ? site === 'none' : isOurs(origin, authRequest)) return;
	throw new Problem('Forbidden', 'A page of another site sent this request: CORS_ORIGINS can list its origin');
}

/** The answer to a link that is followed is shown to the user: the page with the link can't read it, and reading changes nothing. */
function isFollowedLink({ request: { method, headers }, scope }: AuthRequest): boolean {
	const isNavigation = headers.get('sec-fetch-mode') === 'navigate' && headers.get('sec-fetch-dest') === 'document';
	return method === 'GET' && scope === 'read' && isNavigation;
}

function isOurs(origin: string, { url, config }: AuthRequest): boolean {
	const { publicUrls, corsOrigins, isOpen } = config;
	const ours = [url.origin, ...publicUrls.map((publicUrl) => new URL(publicUrl).origin), ...corsOrigins];
	// `*` lets pages read what anybody can read. What a cookie of Access opens is more.
	return ours.includes(origin) || (isOpen && corsOrigins.includes(EVERY_ORIGIN));
}

function invalid(detail: string): Problem {
	return unauthorized(detail, 'Bearer error="invalid_token"');
}

function unauthorized(detail: string, challenge: string): Problem {
	return new Problem('Unauthorized', detail, { headers: { 'www-authenticate': challenge } });
}

/** The tokens in the links that a principal is given for one job: one right each. */
export interface LinkTokens {
	readonly read?: string;
	readonly cancel?: string;
}

/** The tenant of a principal that came with a key. @throws {Problem} `Forbidden` for a link's token: no link submits. */
export function tenantOf({ tenant }: Principal): string {
	if (tenant !== undefined) return tenant;
	throw new Problem('Forbidden', 'This takes an API key: a link does not allow it');
}

/**
 * A token for each right that the principal has; a submitter may read its job. A link's token is passed on as it is, so that
 * the job's URLs stay the same for its reader.
 */
export function linkTokens(
	{ scopes, token }: Principal,
	{ facts, readableUntil }: { readonly facts: Pick<JobFacts, 'id' | 'createdAt'>; readonly readableUntil: number },
	{ signingKeys }: Config,
): LinkTokens {
	const createdAt = Date.parse(facts.createdAt);
	const expiresAt = token?.expiresAt ?? readableUntil;
	const tokenFor = (right: 'read' | 'cancel') =>
		token?.right === right ? token.text : signToken(signingKeys, { job: facts.id, createdAt, right, expiresAt });
	const read = scopes.has('read') || scopes.has('submit') ? tokenFor('read') : undefined;
	const cancel = scopes.has('cancel') ? tokenFor('cancel') : undefined;
	return { ...(read !== undefined && { read }), ...(cancel !== undefined && { cancel }) };
}
