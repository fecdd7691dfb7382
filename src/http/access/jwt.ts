/** Verifies JWTs of an identity provider (RFC 7519) with its published keys (RFC 7517). */
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { JwtSettings } from '../../config/config.ts';
import { MS_PER_MINUTE, MS_PER_SECOND } from '../../core/job/limits.ts';
import { logError } from '../../log.ts';
import { Problem } from '../problem.ts';
import type { Principal } from './auth.ts';
import { expandScopes } from './scopes.ts';

/** Asymmetric algorithms only: the deployment holds public keys, which can't sign. */
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
/** Maximum clock difference to the provider. */
const CLOCK_TOLERANCE_SECONDS = 30;

const JWKS = {
	/** Cache lifetime of the keys, and so the maximum time that a revoked key still works. */
	maxAgeMs: 10 * MS_PER_MINUTE,
	/** Minimum interval between fetches for unknown keys, so that forged key ids cost nothing. */
	cooldownMs: 30 * MS_PER_SECOND,
	timeoutMs: 5 * MS_PER_SECOND,
	/** Pause after a failed request to the provider. */
	retryMs: 5 * MS_PER_SECOND,
} as const;

/** Maximum length of a user's name in logs and rate limits. */
const MAX_NAME_CHARS = 128;

/**
 * @returns `undefined` for a JWT that is forged, foreign, malformed or expired.
 * @throws {Problem} `Forbidden` when it is valid but names no tenant; `IdentityProviderUnavailable`.
 */
export async function principalOfJwt(settings: JwtSettings, jwt: string): Promise<Principal | undefined> {
	const payload = await verifiedPayload(settings, jwt);
	if (!payload) return undefined;
	const tenant = jwtClaim(payload, settings.tenantClaim);
	if (typeof tenant !== 'string' || tenant === '')
		throw new Problem(
			'Forbidden',
			`Expected the JWT to name a tenant in its claim "${settings.tenantClaim}", a string that is not empty`,
		);
	const scopes = readScopeList(jwtClaim(payload, settings.scopesClaim)) ?? settings.defaultScopes;
	return { tenant, scopes: expandScopes(scopes), name: `jwt:${tenant}/${payload.sub ?? ''}`.slice(0, MAX_NAME_CHARS) };
}

async function verifiedPayload(settings: JwtSettings, jwt: string): Promise<JWTPayload | undefined> {
	const { issuer, audience } = settings;
	try {
		const { payload } = await jwtVerify(jwt, providerKeys(settings), {
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

/** Each provider's keys, cached for the lifetime of the isolate. */
const known = new WeakMap<JwtSettings, JWTVerifyGetKey>();

function providerKeys(settings: JwtSettings): JWTVerifyGetKey {
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
			throw new Problem(
				'IdentityProviderUnavailable',
				'The keys of the identity provider are unavailable: try again later',
			);
		}
	};
}

/** `fetch` with a pause after a failure. Otherwise every request with a JWT would cause another fetch. */
function patientFetch(): (url: string, init: RequestInit) => Promise<Response> {
	let restsUntil = 0;
	return async (url, init) => {
		if (Date.now() < restsUntil) throw new Error('The last request to the identity provider failed a moment ago');
		try {
			const response = await fetch(url, init);
			if (response.status === 200) return response;
			await response.body?.cancel();
			throw new Error(`Expected status 200 from the identity provider, got: ${response.status}`);
		} catch (error) {
			restsUntil = Date.now() + JWKS.retryMs;
			logError('fetching the keys of the identity provider failed', { error });
			throw error;
		}
	};
}

/** Whether the keys were fetched, but none matches the JWT. */
function isAboutJwt(error: unknown): boolean {
	return (
		error instanceof errors.JWKSNoMatchingKey ||
		error instanceof errors.JWKSMultipleMatchingKeys ||
		error instanceof errors.JOSENotSupported
	);
}

/** A claim by its name, which may contain dots; else by its path through nested objects. */
function jwtClaim(payload: JWTPayload, name: string): unknown {
	if (Object.hasOwn(payload, name)) return payload[name];
	return name.split('.').reduce<unknown>((value, key) => {
		return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
			? (value as Record<string, unknown>)[key]
			: undefined;
	}, payload);
}

/** Scopes as a string with spaces (RFC 8693 §4.2), or as a list, the usual form of roles. */
function readScopeList(claim: unknown): readonly string[] | undefined {
	if (typeof claim === 'string') return claim.split(' ');
	return Array.isArray(claim) ? claim.map(String) : undefined;
}
