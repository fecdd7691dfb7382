/**
 * Who is asking, and what they may do. On the routes of a job or a batch, a token in the URL decides alone: whatever is sent
 * beside it, the request can do no more than the link allows. Without one: `Authorization: Bearer` with an API key or a JWT, or the assertion that
 * Cloudflare Access puts on what it lets through.
 */
import type { Config, KeyScope } from '../config.ts';
import type { JobFacts } from '../job/document.ts';
import type { Fence } from '../job/record.ts';
import { signToken, type TokenScope, verifyToken } from '../token.ts';
import { principalOfKey } from './api-key.ts';
import { principalOfJwt } from './jwt.ts';
import { Problem } from './problem.ts';

/** What a route can ask for. */
export type Scope = KeyScope | TokenScope;

export interface Principal {
	readonly tenant: string;
	readonly scopes: ReadonlySet<string>;
	/** Which key or user it is: what requests are counted by, and what logs name. Not known of who comes with a job token. */
	readonly name?: string;
	/** The job token they came with: their links carry the same one, so nobody is ever given more than they had. */
	readonly token?: {
		readonly text: string;
		readonly job: string;
		readonly createdAt?: number;
		readonly fence?: Fence;
	};
}

/** Everybody, when the deployment is open. */
const ANYBODY: Principal = { tenant: 'default', scopes: new Set<Scope>(['submit', 'read', 'cancel', 'admin']) };

/** Subprotocols that start like this carry a job token: browsers can set no other header on a `WebSocket`. */
const TOKEN_SUBPROTOCOL = 'coatcheck.token.';

/**
 * @param jobId the job or batch of the route; `undefined` on a route of neither, where a job token means nothing.
 * @throws {Problem} `Unauthorized`, or `Forbidden` when the credentials are good but not for this.
 */
export async function authenticate(
	request: Request,
	url: URL,
	config: Config,
	scope: Scope,
	jobId: string | undefined,
): Promise<Principal> {
	const principal = await principalOf(request, url, config, jobId);
	if (principal.scopes.has(scope)) return principal;
	throw new Problem('Forbidden', `These credentials do not allow "${scope}"`, {
		headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
	});
}

async function principalOf(request: Request, url: URL, config: Config, jobId: string | undefined): Promise<Principal> {
	// Elsewhere, `token` is a parameter of the task or of the upstream.
	const token = jobId === undefined ? undefined : tokenOf(request, url);
	// A token that was sent is checked even where none is needed: local development then shows what production does.
	if (token !== undefined) return withToken(token, config, jobId);
	if (config.isOpen) return ANYBODY;
	const bearer = bearerOf(request);
	if (bearer !== undefined) return withBearer(bearer, config);
	const assertion = request.headers.get('cf-access-jwt-assertion');
	if (assertion !== null && config.jwt) return withAssertion(assertion, request, url, config);
	// RFC 6750 §3.1: who sent nothing is told no error code.
	throw unauthorized('Send an API key as "Authorization: Bearer", or the token that came with a link', 'Bearer');
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
	const claims = await verifyToken(config.signingKeys, text);
	if (!claims) throw invalid('The token is not valid, or no longer');
	if (claims.job !== jobId) throw new Problem('Forbidden', 'The token is for another job');
	const { tenant, scopes, job, createdAt, fence } = claims;
	const token = { text, job, ...(createdAt !== undefined && { createdAt }), ...(fence && { fence }) };
	return { tenant, scopes, token };
}

async function withBearer(bearer: string, { apiKeys, jwt }: Config): Promise<Principal> {
	const principal = (await principalOfKey(apiKeys, bearer)) ?? (jwt && (await principalOfJwt(jwt, bearer)));
	if (!principal) throw invalid('The API key or token in "Authorization" is not valid, or no longer');
	return principal;
}

async function withAssertion(assertion: string, request: Request, url: URL, config: Config): Promise<Principal> {
	refuseCrossSite(request, url, config);
	const principal = config.jwt && (await principalOfJwt(config.jwt, assertion));
	if (!principal) throw invalid('The assertion of Cloudflare Access is not valid, or no longer');
	return principal;
}

/** Access knows a browser by its cookie, and so puts its assertion also on what another site made the browser send. */
function refuseCrossSite(request: Request, url: URL, { publicUrl, corsOrigins }: Config): void {
	const origin = request.headers.get('origin');
	const ours = [url.origin, ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin]), ...corsOrigins];
	const site = request.headers.get('sec-fetch-site') ?? 'none';
	const isOurs = origin === null ? site === 'same-origin' || site === 'none' : ours.includes(origin);
	if (!isOurs) throw new Problem('Forbidden', 'Another site made the browser send this: see CORS_ORIGINS');
}

function invalid(detail: string): Problem {
	return unauthorized(detail, 'Bearer error="invalid_token"');
}

function unauthorized(detail: string, challenge: string): Problem {
	return new Problem('Unauthorized', detail, { headers: { 'www-authenticate': challenge } });
}

/**
 * The token for the links this principal is given for a job: to read it for who may read, or has just submitted it; to
 * cancel it for who may.
 */
export async function tokenFor(
	{ tenant, scopes, token }: Principal,
	{ facts, readableUntil }: { readonly facts: Pick<JobFacts, 'id' | 'createdAt'>; readonly readableUntil: number },
	config: Config,
): Promise<string | undefined> {
	if (token) return token.text;
	const mayRead = scopes.has('read') || scopes.has('submit');
	const granted = new Set<TokenScope>([
		...(mayRead ? (['read'] as const) : []),
		...(scopes.has('cancel') ? (['cancel'] as const) : []),
	]);
	const createdAt = Date.parse(facts.createdAt);
	return signToken(config.signingKeys, { job: facts.id, createdAt, tenant, scopes: granted, expiresAt: readableUntil });
}
