/**
 * The tokens in links that version 0.1.0 issued: a JWT (RFC 7519), HS256, which names job, tenant and scopes. They are
 * verified until they expire. No new ones are signed.
 */
import { errors, jwtVerify } from 'jose';
import type { SigningKeys } from '../config/secrets.ts';
import { defined } from '../core/defined.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';
import type { TokenClaims, TokenScope } from './token.ts';

const ALGORITHM = 'HS256';
const SCOPES: readonly TokenScope[] = ['read', 'cancel', 'complete'];

/** @returns `undefined` for a token that is forged, malformed or expired. */
export async function verifyLegacyToken(keys: SigningKeys, token: string): Promise<TokenClaims | undefined> {
	try {
		const { payload } = await jwtVerify(token, ({ kid }) => signingKey(keys, kid), {
			algorithms: [ALGORITHM],
			requiredClaims: ['sub', 'exp', 'scope', 'tenant'],
		});
		const { sub = '', exp = 0, scope, tenant, epoch, attempt } = payload;
		const createdAt = typeof payload.createdAt === 'number' ? payload.createdAt : undefined;
		const isForAttempt = typeof epoch === 'number' && typeof attempt === 'number';
		return defined({
			job: sub,
			scopes: new Set(SCOPES.filter((known) => String(scope).split(' ').includes(known))),
			expiresAt: exp * MS_PER_SECOND,
			legacy: { tenant: String(tenant) },
			createdAt,
			fence: isForAttempt ? defined({ epoch, attempt, createdAt }) : undefined,
		});
	} catch (error) {
		if (error instanceof errors.JOSEError) return undefined;
		throw error;
	}
}

function signingKey(keys: SigningKeys, kid: string | undefined): Uint8Array {
	const key = keys.get(kid ?? '');
	if (!key) throw new errors.JWKSNoMatchingKey();
	return key;
}
