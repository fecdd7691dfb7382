/**
 * Authentication. On the routes of a job or a batch, a link's token in the URL takes precedence. If the token does not allow
 * the request, other credentials of the request decide. Those are `Authorization: Bearer` with an API key or a JWT, or the
 * assertion that Cloudflare Access adds to an authenticated request.
 */
import type { ApiKey, Config, JwtSettings } from '../../config/config.ts';
import { EVERY_ORIGIN } from '../../config/forms.ts';
import { defined } from '../../core/defined.ts';
import type { JobFacts } from '../../core/job/document.ts';
import type { Reader } from '../../core/job/reader.ts';
import type { Fence } from '../../core/job/record.ts';
import { signToken, type TokenRight, type TokenScope, verifyToken } from '../../token/token.ts';
import { Problem } from '../problem.ts';
import { expandScopes, type KeyRight, keyScopeFor, PURGE } from './scopes.ts';

/** A scope that a route can require. */
export type Scope = KeyRight | TokenScope | typeof PUBLIC;

/** Scope of a route that needs no credentials, and looks at none. */
export const PUBLIC = 'public';

export interface Principal {
	/** Absent for a link's token, which identifies a job instead. */
	readonly tenant?: string;
	readonly scopes: ReadonlySet<string>;
	/** The key or user, for rate limits and logs. Absent for a job token. */
	readonly name?: string;
	/** The link's token of the request. New links for its bearer never allow more than it does, nor last longer. */
	readonly token?: LinkToken;
}

export interface LinkToken {
	readonly text: string;
	readonly job: string;
	/** In milliseconds since the epoch. */
	readonly expiresAt: number;
	readonly createdAt?: number;
	readonly fence?: Fence;
	/** Absent for a token of version 0.1.0, which may have several rights. */
	readonly right?: TokenRight;
}

/** Every client of an open deployment. */
const ANYBODY: Principal = { tenant: 'default', scopes: expandScopes(['admin']) };

/** Every client of a public route. */
const UNIDENTIFIED: Principal = { scopes: new Set([PUBLIC]) };

/** Prefix of a subprotocol that carries a job token: browsers can set no other header on a `WebSocket`. */
const TOKEN_SUBPROTOCOL = 'coatcheck.token.';

/**
 * The credentials that allow the request. If none do, the first valid ones, for `requireScope` to reject.
 *
 * @throws {Problem} `Unauthorized`, or `Forbidden` for another job's token and for a cross-site request.
 */
export async function authenticate(authRequest: AuthRequest): Promise<Principal> {
	if (authRequest.scope === PUBLIC) return UNIDENTIFIED;
	const principal = await identify(authRequest);
	if (!principal.token || principal.scopes.has(authRequest.scope)) return principal;
	const beside = await withCredentials(authRequest);
	return beside?.scopes.has(authRequest.scope) ? beside : principal;
}

/** @throws {Problem} `Forbidden` when valid credentials lack the scope. */
export function requireScope(principal: Principal, scope: Scope): void {
	if (principal.scopes.has(scope)) return;
	const wanted = keyScopeFor(scope);
	const detail = `Insufficient permissions: expected ${principal.token ? 'a link or an API key' : 'an API key'} with the scope "${wanted}"`;
	throw new Problem('Forbidden', detail, {
		headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${wanted}"` },
	});
}

function expandLegacyScopes(scopes: ReadonlySet<TokenScope>): ReadonlySet<string> {
	return scopes.has('cancel') ? new Set([...scopes, PURGE]) : scopes;
}

export interface AuthRequest {
	readonly request: Request;
	readonly url: URL;
	readonly config: Config;
	/** The scope that the route requires. */
	readonly scope: Scope;
	/** The job or batch of the route; `undefined` on other routes, which ignore job tokens. */
	readonly jobId: string | undefined;
}

async function identify(authRequest: AuthRequest): Promise<Principal> {
	const { request, url, config, jobId } = authRequest;
	// On other routes, `token` is a parameter of the task or the upstream.
	const token = jobId === undefined ? undefined : readToken(request, url);
	// An open deployment checks tokens too, so that local development behaves like production.
	if (token !== undefined) return withToken(token, config, jobId);
	const principal = await withCredentials(authRequest);
	if (principal) return principal;
	// RFC 6750 §3.1: the challenge to a request without credentials has no error code.
	throw unauthorized(
		'No credentials in the request: send an API key as "Authorization: Bearer", or use a link with its token',
		'Bearer',
	);
}

/** The principal of a key, a JWT or an assertion; `undefined` when the request has none. */
async function withCredentials(authRequest: AuthRequest): Promise<Principal | undefined> {
	const { request, config } = authRequest;
	if (config.isOpen) {
		refuseCrossSite(authRequest);
		return ANYBODY;
	}
	const bearer = readBearer(request);
	if (bearer !== undefined) return withBearer(bearer, config);
	const assertion = request.headers.get('cf-access-jwt-assertion');
	return assertion !== null && config.jwt ? withAssertion(assertion, authRequest) : undefined;
}

function readToken(request: Request, url: URL): string | undefined {
	const inQuery = url.searchParams.get('token');
	if (inQuery !== null) return inQuery;
	if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return undefined;
	const offered = request.headers.get('sec-websocket-protocol')?.split(',') ?? [];
	const carrier = offered.map((name) => name.trim()).find((name) => name.startsWith(TOKEN_SUBPROTOCOL));
	return carrier?.slice(TOKEN_SUBPROTOCOL.length);
}

/** The `Bearer` credentials (RFC 6750 §2.1). Other schemes are ignored. */
function readBearer(request: Request): string | undefined {
	return /^bearer\s+(.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
}

async function withToken(text: string, config: Config, jobId: string | undefined): Promise<Principal> {
	const claims = await verifyToken(config.signingKeys, text, jobId ?? '');
	if (!claims)
		throw invalidToken('The token is not valid for this job, or has expired: use the link unchanged, or get a new one');
	if (claims.job !== jobId) throw new Problem('Forbidden', 'The token is for another job');
	const { scopes, job, createdAt, expiresAt, fence, right, legacy } = claims;
	const token: LinkToken = defined({ text, job, expiresAt, createdAt, fence, right });
	// In version 0.1.0, a link that could cancel could also purge. Its links keep that right.
	return legacy ? { ...legacy, scopes: expandLegacyScopes(scopes), token } : { scopes, token };
}

async function withBearer(bearer: string, { apiKeys, jwt }: Config): Promise<Principal> {
	const principal = (await principalOfKey(apiKeys, bearer)) ?? (jwt && (await withJwt(jwt, bearer)));
	if (!principal) throw invalidToken('The API key or token in "Authorization" is not valid, or has expired');
	return principal;
}

/**
 * The principal of an API key. The deployment stores only the keys' SHA-256. The comparison takes constant time, so its
 * duration reveals nothing.
 *
 * @returns `undefined` for an unknown secret.
 */
async function principalOfKey(keys: readonly ApiKey[], secret: string): Promise<Principal | undefined> {
	const sha256 = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret));
	const [key] = keys.filter((candidate) => crypto.subtle.timingSafeEqual(candidate.sha256, sha256));
	return key && { tenant: key.tenant, scopes: expandScopes(key.scopes), name: `${KEY_PREFIX}${key.id}` };
}

/** Loads the verification for the first JWT: most deployments have only API keys. */
async function withJwt(settings: JwtSettings, jwt: string): Promise<Principal | undefined> {
	const { principalOfJwt } = await import('./jwt.ts');
	return principalOfJwt(settings, jwt);
}

async function withAssertion(assertion: string, authRequest: AuthRequest): Promise<Principal> {
	refuseCrossSite(authRequest);
	const { jwt } = authRequest.config;
	const principal = jwt && (await withJwt(jwt, assertion));
	if (!principal) throw invalidToken('The assertion of Cloudflare Access is not valid, or has expired');
	return principal;
}

/**
 * Prevents cross-site request forgery. Any page can make a browser send a request. Access authenticates it by the browser's
 * cookie, and an open deployment accepts every request. Programs other than browsers send neither `Origin` nor
 * `Sec-Fetch-Site`.
 */
function refuseCrossSite(authRequest: AuthRequest): void {
	const { headers } = authRequest.request;
	const site = headers.get('sec-fetch-site') ?? 'none';
	if (site === 'same-origin' || isFollowedLink(authRequest)) return;
	const origin = headers.get('origin');
	if (origin === null ? site === 'none' : isOwnOrigin(origin, authRequest)) return;
	throw foreignOrigin();
}

/** Navigation is safe: the linking page can't read the response, and reading changes nothing. */
function isFollowedLink({ request: { method, headers }, scope }: AuthRequest): boolean {
	const isNavigation = headers.get('sec-fetch-mode') === 'navigate' && headers.get('sec-fetch-dest') === 'document';
	return method === 'GET' && scope === 'read' && isNavigation;
}

/** @throws {Problem} `Forbidden` for a page of an origin that is neither this deployment's nor in CORS_ORIGINS. */
export function refuseForeignOrigin({ request, url, config }: Pick<AuthRequest, 'request' | 'url' | 'config'>): void {
	const origin = request.headers.get('origin');
	if (origin === null || isOwnOrigin(origin, { url, config })) return;
	throw foreignOrigin();
}

function foreignOrigin(): Problem {
	return new Problem(
		'Forbidden',
		'A page of another site sent this request: ask the operator to list its origin in CORS_ORIGINS',
	);
}

function isOwnOrigin(origin: string, { url, config }: Pick<AuthRequest, 'url' | 'config'>): boolean {
	const { publicUrls, corsOrigins, isOpen } = config;
	const ours = [url.origin, ...publicUrls.map((publicUrl) => new URL(publicUrl).origin), ...corsOrigins];
	// `*` shares only public responses. Access cookies give access to more.
	return ours.includes(origin) || (isOpen && corsOrigins.includes(EVERY_ORIGIN));
}

function invalidToken(detail: string): Problem {
	return unauthorized(detail, 'Bearer error="invalid_token"');
}

function unauthorized(detail: string, challenge: string): Problem {
	return new Problem('Unauthorized', detail, { headers: { 'www-authenticate': challenge } });
}

/** The tokens in a principal's links to one job: one right each. */
export interface LinkTokens {
	readonly read?: string;
	readonly cancel?: string;
}

/** The principal as objects know it. */
export function readerOf({ tenant, token }: Principal): Reader {
	return { tenant, createdAt: token?.createdAt };
}

/** Prefix of the name of an API key's principal. */
const KEY_PREFIX = 'key:';

/** The id of the caller's API key; `undefined` for a JWT, and in an open deployment. */
export function callerKeyId({ name }: Principal): string | undefined {
	return name?.startsWith(KEY_PREFIX) ? name.slice(KEY_PREFIX.length) : undefined;
}

/**
 * The caller's name in the log of actions: the id of its API key, or `jwt:` and the subject of its JWT, which no key's id can
 * begin with; `undefined` in an open deployment.
 */
export function callerName(principal: Principal): string | undefined {
	const { name, tenant = '' } = principal;
	return callerKeyId(principal) ?? name?.replace(`jwt:${tenant}/`, 'jwt:');
}

/** The tenant of a principal. @throws {Problem} `Forbidden` for a link's token: links can't submit jobs. */
export function tenantOf({ tenant }: Principal): string {
	if (tenant !== undefined) return tenant;
	throw new Problem('Forbidden', 'This request requires an API key: a link is not enough');
}

/**
 * A token for each right of the principal. The scopes `submit` and `operate` include reading by link. A link's own token is reused, so that the job's
 * URLs stay the same for its reader.
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
	const mayRead = ['read', 'submit', 'operate'].some((scope) => scopes.has(scope));
	const read = mayRead ? tokenFor('read') : undefined;
	const cancel = scopes.has('cancel') ? tokenFor('cancel') : undefined;
	return defined({ read, cancel });
}
