/** A deployment as in production: with API keys, and without local settings except the signing keys. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect } from 'vitest';
import { KEY_SCOPES, type KeyScope } from '../../src/config/scopes.ts';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { signToken, TOKEN_RIGHTS, type TokenGrant, type TokenRight } from '../../src/token/token.ts';
import { ORIGIN } from '../flow/client.ts';
import worker from '../worker.ts';

/** The Worker's own key for links, under the id in its tokens. */
export const SIGNING_KEY = Uint8Array.from(atob(JSON.parse(env.SIGNING_KEYS).local), (char) => char.charCodeAt(0));

export interface Key {
	readonly id: string;
	readonly tenant: string;
	readonly scopes: readonly KeyScope[];
	readonly secret: string;
}

export function key(id: string, tenant: string, ...scopes: KeyScope[]): Key {
	return { id, tenant, scopes, secret: `ck_${id}-${'x'.repeat(32)}` };
}

/** One key of tenant `acme` for each scope, one with all scopes that clients need, and the same for another tenant. */
export const KEYS = {
	...(Object.fromEntries(KEY_SCOPES.map((scope) => [scope, key(`only-${scope}`, 'acme', scope)])) as Record<
		KeyScope,
		Key
	>),
	client: key('client', 'acme', 'submit', 'read', 'cancel'),
	other: key('other', 'globex', 'submit', 'read', 'cancel', 'operate', 'admin'),
};

/** The secret `API_KEYS` with these keys. */
export function apiKeys(...keys: readonly Key[]): string {
	const lines = keys.map(({ secret, ...entry }) => ({
		...entry,
		sha256: createHash('sha256').update(secret).digest('hex'),
	}));
	return JSON.stringify(lines);
}

export type Variables = Record<string, unknown>;

/** As deployed: the variables of local development are missing. */
export const DEPLOYED: Variables = {
	AUTH: undefined,
	ALLOW_PRIVATE_TARGETS: undefined,
	WEBHOOK_SECRETS: undefined,
	PUBLIC_URL: undefined,
	// A test of limits sets its own. The other tests send requests fast, from one address.
	RATE_LIMIT_PER_KEY: undefined,
	RATE_LIMIT_PER_ADDRESS: undefined,
	LIMITER_PER_KEY: undefined,
	LIMITER_PER_ADDRESS: undefined,
	UPSTREAMS: JSON.stringify({ reports: { baseUrl: 'https://reports.example' } }),
	API_KEYS: apiKeys(...Object.values(KEYS)),
};

/** Parsed once for each set of variables, as in a deployment. */
const environments = new WeakMap<Variables, typeof env>();

let lastContext: ExecutionContext | undefined;

/** Sends a request to a deployment with these variables. */
export function ask(variables: Variables, path: string, init: RequestInit = {}): Promise<Response> {
	const environment = environments.get(variables) ?? ({ ...env, ...variables } as unknown as typeof env);
	environments.set(variables, environment);
	const request = new Request(new URL(path, ORIGIN), { redirect: 'manual', ...init });
	lastContext = createExecutionContext();
	return worker.fetch(request, environment, isWithoutObjects(variables) ? withoutExports(lastContext) : lastContext);
}

/** Whether a binding of objects is `undefined`: then the configuration doesn't name their class either. */
function isWithoutObjects(variables: Variables): boolean {
	return ['JOBS', 'BATCHES', 'TENANTS', 'TOPICS'].some((name) => name in variables && variables[name] === undefined);
}

function withoutExports(ctx: ExecutionContext): ExecutionContext {
	const waitUntil: ExecutionContext['waitUntil'] = (promise) => ctx.waitUntil(promise);
	return { waitUntil, exports: {} } as ExecutionContext;
}

/** Waits for work that continues after the last response, such as caching it. Read the response first. */
export async function afterLastAnswer(): Promise<void> {
	if (lastContext) await waitOnExecutionContext(lastContext);
}

export function bearer({ secret }: { readonly secret: string }): { authorization: string } {
	return { authorization: `Bearer ${secret}` };
}

/** A submission of a job that waits for an hour. */
export function submission(headers: Record<string, string> = {}): RequestInit {
	return {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'coatcheck-delay-seconds': '3600', ...headers },
		body: '{"seconds":0}',
	};
}

/** A job of the key's tenant that waits for an hour. */
export async function waitingJob(by: Key = KEYS.client, variables: Variables = DEPLOYED): Promise<StatusDocument> {
	const response = await ask(variables, '/v1/tasks/sleep/jobs', submission(bearer(by)));
	expect(response.status).toBe(202);
	return response.json<StatusDocument>();
}

export const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

/** The right in a link's token. */
export function rightIn(link: string): TokenRight | undefined {
	const [first = 0] = Buffer.from(new URL(link).searchParams.get('token') ?? '', 'base64url');
	return TOKEN_RIGHTS[(first >> 4) & 3];
}

/** A link's token, signed as in a deployment. */
export function linkToken(grant: Omit<TokenGrant, 'expiresAt'> & { readonly expiresAt?: number }): string {
	const token = signToken(new Map([['local', SIGNING_KEY]]), { expiresAt: Date.now() + 3_600_000, ...grant });
	if (token === undefined) throw new Error('There is no signing key');
	return token;
}

/** A token as version 0.1.0 signed it. */
export function jobToken(claims: Record<string, unknown>, signingKey = SIGNING_KEY, kid = 'local'): Promise<string> {
	return new SignJWT({ tenant: 'acme', scope: 'read cancel', exp: inAnHour(), ...claims })
		.setProtectedHeader({ alg: 'HS256', kid })
		.sign(signingKey);
}

/** The rejected request, and the response to it. */
export async function refusal(response: Response): Promise<[status: number, code: string]> {
	return [response.status, (await response.json<{ code: string }>()).code];
}
