/**
 * The tokens in links: redirects drop `Authorization`, and browsers can't set headers on `EventSource` and `WebSocket`, so
 * every link carries its own right. A JWT (RFC 7519), HS256, for one job or one batch, some scopes, and as long as it can be read.
 */
import { errors, jwtVerify, SignJWT } from 'jose';
import type { SigningKeys } from './config.ts';
import { MS_PER_SECOND } from './job/limits.ts';
import type { Fence } from './job/record.ts';

export const TOKEN_SCOPES = ['read', 'cancel', 'complete'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** What a token says, once its signature was found good. */
export interface TokenClaims {
	/** The id of the job, or of the batch: no id is both. */
	readonly job: string;
	readonly tenant: string;
	readonly scopes: ReadonlySet<TokenScope>;
	readonly expiresAt: number;
	/** The job's own: a later job of the same idempotency key has the same id. Tokens of earlier versions leave it out. */
	readonly createdAt?: number;
	/** The attempt that an external worker was given: `complete` is for no other. */
	readonly fence?: Fence;
}

const ALGORITHM = 'HS256';

/** A key's form that is ready to be used: making it anew for each token takes as long as using it. */
const imported = new WeakMap<Uint8Array, CryptoKey>();

/**
 * @param expiresAt milliseconds since the epoch.
 * @returns `undefined` when the deployment has no signing key: then its links are for those who may come in anyway.
 */
export async function signToken(keys: SigningKeys, claims: TokenClaims): Promise<string | undefined> {
	const [first] = keys;
	if (!first) return undefined;
	const [kid, key] = first;
	const { tenant, scopes, createdAt, fence } = claims;
	return new SignJWT({ tenant, scope: [...scopes].join(' '), ...(createdAt !== undefined && { createdAt }), ...fence })
		.setProtectedHeader({ alg: ALGORITHM, kid })
		.setSubject(claims.job)
		.setExpirationTime(Math.ceil(claims.expiresAt / MS_PER_SECOND))
		.sign(await importedKey(key));
}

/** How many tokens an isolate remembers to have found good. A poller comes with the same one each time. */
const MAX_REMEMBERED = 1_000;
const remembered = new WeakMap<SigningKeys, Map<string, TokenClaims>>();

/** @returns `undefined` for a token that is forged, foreign, malformed or expired: which of them is nobody's business. */
export async function verifyToken(keys: SigningKeys, token: string): Promise<TokenClaims | undefined> {
	const good = remembered.get(keys) ?? new Map<string, TokenClaims>();
	const known = good.get(token);
	if (known) return known.expiresAt > Date.now() ? known : undefined;
	const claims = await verified(keys, token);
	if (!claims) return undefined;
	if (good.size >= MAX_REMEMBERED) good.clear();
	remembered.set(keys, good.set(token, claims));
	return claims;
}

async function verified(keys: SigningKeys, token: string): Promise<TokenClaims | undefined> {
	try {
		const { payload } = await jwtVerify(token, ({ kid }) => keyOf(keys, kid), {
			algorithms: [ALGORITHM],
			requiredClaims: ['sub', 'exp', 'scope', 'tenant'],
		});
		const { sub = '', exp = 0, scope, tenant, epoch, attempt } = payload;
		const birth = typeof payload.createdAt === 'number' ? { createdAt: payload.createdAt } : {};
		const isForAttempt = typeof epoch === 'number' && typeof attempt === 'number';
		return {
			job: sub,
			tenant: String(tenant),
			scopes: new Set(TOKEN_SCOPES.filter((known) => String(scope).split(' ').includes(known))),
			expiresAt: exp * MS_PER_SECOND,
			...birth,
			...(isForAttempt && { fence: { epoch, attempt, ...birth } }),
		};
	} catch (error) {
		if (error instanceof errors.JOSEError) return undefined;
		throw error;
	}
}

function keyOf(keys: SigningKeys, kid: string | undefined): Promise<CryptoKey> {
	const key = keys.get(kid ?? '');
	if (!key) throw new errors.JWKSNoMatchingKey();
	return importedKey(key);
}

/** The key is kept, not the promise of it: that would belong to the request that asked first. */
async function importedKey(key: Uint8Array): Promise<CryptoKey> {
	const known = imported.get(key);
	if (known) return known;
	const made = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
	imported.set(key, made);
	return made;
}
