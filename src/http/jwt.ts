/** JWTs of an identity provider (RFC 7519), by the keys that it publishes (RFC 7517). */
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { JwtSettings } from '../config.ts';
import { MS_PER_MINUTE, MS_PER_SECOND } from '../job/limits.ts';
import { logError } from '../log.ts';
import type { Principal } from './auth.ts';
import { Problem } from './problem.ts';
import { scopesOf } from './scopes.ts';

/** Only what is signed with a key that nobody but the provider has: here is nothing that could sign. */
const ALGORITHMS = [
	'RS256',
	'RS384',
	'RS512',
	'PS256',
	'PS384',
	'PS512',
	'ES256',
	'ES384',
	'ES512',
	'EdDSA',
	'Ed25519',
];
/** The provider's clock may be off by this much. */
const CLOCK_TOLERANCE_SECONDS = 30;

const JWKS = {
	/** Keys are asked for again after this time: a key that was taken back works no longer than that. */
	maxAgeMs: 10 * MS_PER_MINUTE,
	/** A key that isn't among them is looked for again at most this often, so that made-up ones cost nothing. */
	cooldownMs: 30 * MS_PER_SECOND,
	timeoutMs: 5 * MS_PER_SECOND,
	/** A provider that didn't answer is left alone for this time. */
	retryMs: 5 * MS_PER_SECOND,
} as const;

/** Of a user's name, in logs and where requests are counted. */
const MAX_NAME_CHARS = 128;

/**
 * @returns `undefined` for a JWT that is forged, foreign, malformed or expired.
 * @throws {Problem} `Forbidden` when it is good but names no tenant; `IdentityProviderUnavailable`.
 */
export async function principalOfJwt(settings: JwtSettings, jwt: string): Promise<Principal | undefined> {
	const payload = await verified(settings, jwt);
	if (!payload) return undefined;
	const tenant = claimOf(payload, settings.tenantClaim);
	if (typeof tenant !== 'string' || tenant === '')
		throw new Problem('Forbidden', `The JWT names no tenant: its claim "${settings.tenantClaim}" is not a text`);
	const scopes = listOf(claimOf(payload, settings.scopesClaim)) ?? settings.defaultScopes;
	return { tenant, scopes: scopesOf(scopes), name: `jwt:${tenant}/${payload.sub ?? ''}`.slice(0, MAX_NAME_CHARS) };
}

async function verified(settings: JwtSettings, jwt: string): Promise<JWTPayload | undefined> {
	const { issuer, audience } = settings;
	try {
		const { payload } = await jwtVerify(jwt, keysOf(settings), {
			issuer,
			audience,
			algorithms: ALGORITHMS,
			requiredClaims: ['exp'],
			clockTolerance: CLOCK_TOLERANCE_SECONDS,
		});
		return payload;
	} catch (error) {
		if (error instanceof errors.JOSEError) return undefined;
		throw error;
	}
}

/** Each provider's keys, kept as long as the isolate lives. */
const known = new WeakMap<JwtSettings, JWTVerifyGetKey>();

function keysOf(settings: JwtSettings): JWTVerifyGetKey {
	const keys = known.get(settings) ?? remoteKeys(settings.jwksUrl);
	known.set(settings, keys);
	return keys;
}

function remoteKeys(jwksUrl: URL): JWTVerifyGetKey {
	const keys = createRemoteJWKSet(jwksUrl, {
		cacheMaxAge: JWKS.maxAgeMs,
		cooldownDuration: JWKS.cooldownMs,
		timeoutDuration: JWKS.timeoutMs,
		[customFetch]: patientFetch(),
	});
	return async (header, token) => {
		try {
			return await keys(header, token);
		} catch (error) {
			if (isAboutJwt(error)) throw error;
			throw new Problem('IdentityProviderUnavailable', 'The identity provider does not give out its keys: try again');
		}
	};
}

/** `fetch` that doesn't ask again at once when there was no answer: whoever can send a JWT could make it ask without end. */
function patientFetch(): (url: string, init: RequestInit) => Promise<Response> {
	let restsUntil = 0;
	return async (url, init) => {
		if (Date.now() < restsUntil) throw new Error('The identity provider was asked a moment ago');
		try {
			const response = await fetch(url, init);
			if (response.status === 200) return response;
			await response.body?.cancel();
			throw new Error(`The identity provider answered ${response.status}`);
		} catch (error) {
			restsUntil = Date.now() + JWKS.retryMs;
			logError('no keys from the identity provider', { error });
			throw error;
		}
	};
}

/** Whether the keys are there, and it is the JWT that none of them fits. */
function isAboutJwt(error: unknown): boolean {
	return (
		error instanceof errors.JWKSNoMatchingKey ||
		error instanceof errors.JWKSMultipleMatchingKeys ||
		error instanceof errors.JOSENotSupported
	);
}

/** A claim by its name, which may have dots in it; else by its way through objects. */
function claimOf(payload: JWTPayload, name: string): unknown {
	if (Object.hasOwn(payload, name)) return payload[name];
	return name.split('.').reduce<unknown>((value, key) => {
		return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
			? (value as Record<string, unknown>)[key]
			: undefined;
	}, payload);
}

/** Scopes as a text with spaces (RFC 8693 §4.2), or as a list, as many providers have roles. */
function listOf(claim: unknown): readonly string[] | undefined {
	if (typeof claim === 'string') return claim.split(' ');
	return Array.isArray(claim) ? claim.map(String) : undefined;
}
