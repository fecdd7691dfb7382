/** Who is asking, and what they may do. */
import type { Config } from '../config.ts';
import type { Fence } from '../job/record.ts';
import { signToken, type TokenScope, verifyToken } from '../token.ts';
import { Problem } from './problem.ts';

/** What a route can ask for. */
export type Scope = 'submit' | TokenScope;

export interface Principal {
	readonly tenant: string;
	readonly scopes: ReadonlySet<string>;
	/** The job token they came with: their links carry the same one, so nobody is ever given more than they had. */
	readonly token?: { readonly text: string; readonly job: string; readonly fence?: Fence };
}

/** Everybody, when the deployment is open. */
const ANYBODY: Principal = { tenant: 'default', scopes: new Set<Scope>(['submit', 'read', 'cancel']) };

/**
 * @param jobId the job the request is about, when it is about one.
 * @throws {Problem} `Unauthorized`, or `Forbidden` when the credentials are good but not for this.
 */
export async function authenticate(
	url: URL,
	config: Config,
	scope: Scope,
	jobId: string | undefined,
): Promise<Principal> {
	const token = url.searchParams.get('token');
	// A token that was sent is checked even where none is needed: local development then shows what production does.
	if (token !== null) return withToken(token, config, scope, jobId);
	if (config.isOpen) return ANYBODY;
	throw new Problem('Unauthorized', 'Send the token that came with the link', {
		headers: { 'www-authenticate': 'Bearer' },
	});
}

async function withToken(text: string, config: Config, scope: Scope, jobId: string | undefined): Promise<Principal> {
	const claims = await verifyToken(config.signingKeys, text);
	if (!claims) {
		throw new Problem('Unauthorized', 'The token is not valid, or no longer', {
			headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
		});
	}
	if (claims.job !== jobId) throw new Problem('Forbidden', 'The token is for another job');
	if (!claims.scopes.has(scope)) throw new Problem('Forbidden', `The token does not allow "${scope}"`);
	const { tenant, scopes, job, fence } = claims;
	return { tenant, scopes, token: { text, job, ...(fence && { fence }) } };
}

/** The token for the links this principal is given for a job. */
export async function tokenFor(
	principal: Principal,
	jobId: string,
	readableUntil: number,
	config: Config,
): Promise<string | undefined> {
	if (principal.token) return principal.token.text;
	const scopes = new Set<TokenScope>(principal.scopes.has('cancel') ? ['read', 'cancel'] : ['read']);
	return signToken(config.signingKeys, { job: jobId, tenant: principal.tenant, scopes, expiresAt: readableUntil });
}
