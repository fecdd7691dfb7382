/** Variables that are valid alone, and contradict each other. */
import { isLoopback } from '../core/http/target.ts';
import { NotConfigured } from './not-configured.ts';
import type { Data } from './variables.ts';

/** Finds contradictions between valid values. A contradiction disables the deployment, so that it never opens by accident. */
export function contradictionIn(data: Data): NotConfigured | undefined {
	const { AUTH, API_KEYS, SIGNING_KEYS, JWT_JWKS_URL, ALLOW_PRIVATE_TARGETS, PUBLIC_URL } = data;
	const jwt = (['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL'] as const).map((name) => [name, data[name]] as const);
	const given = jwt.filter(([, value]) => value !== undefined).map(([name]) => name);
	const missing = jwt.filter(([, value]) => value === undefined).map(([name]) => name);
	const credentials = [...(API_KEYS.length > 0 ? ['API_KEYS'] : []), ...given];
	if (given.length > 0 && missing.length > 0)
		return new NotConfigured(missing, `Expected ${missing.join(' and ')} next to ${given.join(' and ')}`);
	if (JWT_JWKS_URL?.startsWith('http:') && ALLOW_PRIVATE_TARGETS !== 'true')
		return new NotConfigured(['JWT_JWKS_URL'], 'JWT_JWKS_URL: expected an https URL');
	if (AUTH === 'none' && credentials.length > 0)
		return new NotConfigured(
			['AUTH', ...credentials],
			`AUTH=none accepts every request, but ${credentials[0]} is set: remove one of them`,
		);
	if (AUTH === 'required' && credentials.length === 0)
		return new NotConfigured(
			['API_KEYS', 'JWT_ISSUER'],
			'Expected API_KEYS or JWT_ISSUER: without them, no client can authenticate',
		);
	if (AUTH === 'required' && SIGNING_KEYS.size === 0)
		return new NotConfigured(['SIGNING_KEYS'], 'Expected SIGNING_KEYS: without it, no link can be signed');
	if (AUTH === 'required' && ALLOW_PRIVATE_TARGETS !== 'true' && PUBLIC_URL.some(isPlainHttp))
		return new NotConfigured(
			['PUBLIC_URL'],
			'PUBLIC_URL: expected https URLs, because http sends keys and links unencrypted',
		);
	for (const by of ['KEY', 'ADDRESS'] as const) {
		if ((data[`RATE_LIMIT_PER_${by}`] === undefined) === (data[`LIMITER_PER_${by}`] === undefined)) continue;
		const names = [`RATE_LIMIT_PER_${by}`, `LIMITER_PER_${by}`];
		return new NotConfigured(names, `Expected both ${names.join(' and ')}, or neither`);
	}
	if ((data.MAX_JOBS_IN_FLIGHT ?? data.MAX_STORED_BYTES) !== undefined && !data.TENANTS)
		return new NotConfigured(
			['TENANTS'],
			'Expected a binding TENANTS of the class TenantObject, because quotas are set',
		);
	return undefined;
}

/** Whether a URL needs TLS but lacks it. Loopback traffic needs none. */
function isPlainHttp(url: string): boolean {
	const { protocol, hostname } = new URL(url);
	return protocol === 'http:' && !isLoopback(hostname);
}
