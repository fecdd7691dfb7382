/**
 * Settings of a deployment, with every default on one screen. Parsed once for each `env`. No other file reads variables or
 * defines defaults for them.
 */
import { Buffer } from 'node:buffer';
import type { DurableObjectNamespace, RateLimit } from '@cloudflare/workers-types';
import * as z from 'zod';
import { defined } from '../core/defined.ts';
import { isLoopback } from '../core/http/target.ts';
import { MIB } from '../core/job/limits.ts';
import { MCP_WAIT_SECONDS_RANGE } from '../core/mcp/limits.ts';
import type { Quotas } from '../core/quota/quotas.ts';
import type { TopicQuotas } from '../core/topic/allowance.ts';
import { DEFAULT_RETENTION, TOPIC_RETAIN_BYTES_RANGE, TOPIC_RETAIN_SECONDS_RANGE } from '../core/topic/limits.ts';
import type { Retention } from '../core/topic/retention.ts';
import { readUpstreams, type Upstreams } from '../core/upstream/settings.ts';
import { joinNumberedVariables, WrongPart } from './numbered-variables.ts';

/** Defaults of variables. */
export const DEFAULTS = {
	/** Maximum size of an input, in bytes. */
	MAX_INPUT_BYTES: 32 * MIB,
	/** Maximum size of a result, in bytes. */
	MAX_RESULT_BYTES: 32 * MIB,
	/** Maximum number of unfinished bulk actions of a tenant. */
	MAX_ACTIONS: 2,
	/** Maximum number of jobs a second that a bulk action works on. */
	ACTION_JOBS_PER_SECOND: 500,
	/** Maximum number of waiting messages in each queue of a lane. Beyond it, new jobs are rejected. */
	MAX_BACKLOG: 1_000_000,
	/**
	 * How long a data center may serve a succeeded job from its own cache, in seconds; 0 disables the cache. Other data centers
	 * may serve a purged job for that long.
	 */
	EDGE_CACHE_SECONDS: 0,
	LIST: 'on',
	DASHBOARD: 'on',
	OPENAPI: 'on',
	/** How long a tool's call waits for its job before it becomes a task, in seconds. */
	MCP_WAIT_SECONDS: 3,
	/** How long a topic keeps its events, in seconds. */
	TOPIC_RETAIN_SECONDS: DEFAULT_RETENTION.retainSeconds,
	/** Maximum size of the events that a topic keeps, in bytes. Beyond it, the oldest are deleted. */
	TOPIC_RETAIN_BYTES: DEFAULT_RETENTION.retainBytes,
	/** Maximum size of the events that all topics of a tenant keep, in bytes. */
	MAX_TOPIC_BYTES: 1_024 * MIB,
	/** Maximum number of events that all topics of a tenant keep. */
	MAX_TOPIC_EVENTS: 10_000_000,
	/** The JWT claim with the tenant. */
	JWT_TENANT_CLAIM: 'tenant',
	/** The JWT claim with the scopes (RFC 8693 §4.2). */
	JWT_SCOPES_CLAIM: 'scope',
} as const;

/** The scopes of callers. `admin` includes all rights in the tenant. */
export const KEY_SCOPES = ['submit', 'read', 'cancel', 'operate', 'admin'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** Keys for the tokens in links. The first signs, all verify, so that keys can be rotated without breaking links. */
export type SigningKeys = ReadonlyMap<string, Uint8Array>;

/**
 * Secrets that sign webhooks: `whsec_…`, with all of a tenant's secrets. `*` is the entry for tenants without their own. A
 * tenant without a secret can't use webhooks.
 */
export type WebhookSecrets = ReadonlyMap<string, readonly string[]>;

const EVERY_TENANT = '*';

/** In `corsOrigins`: allows all origins. */
export const EVERY_ORIGIN = '*';

export function secretsFor(secrets: WebhookSecrets, tenant: string): readonly string[] {
	return secrets.get(tenant) ?? secrets.get(EVERY_TENANT) ?? [];
}

/** A stored API key. The configuration contains only its hash, so reading it does not reveal the key. */
export interface ApiKey {
	/** Identifies the key in logs. */
	readonly id: string;
	readonly tenant: string;
	readonly sha256: Uint8Array;
	readonly scopes: readonly KeyScope[];
}

/** An identity provider whose JWTs authenticate callers. */
export interface JwtSettings {
	readonly issuer: string;
	readonly audience: string;
	readonly jwksUrl: URL;
	/** The claim's name. If no claim has this name, its path through nested objects: `custom.tenant`. */
	readonly tenantClaim: string;
	readonly scopesClaim: string;
	/** Scopes of a JWT without a scopes claim. */
	readonly defaultScopes: readonly KeyScope[];
}

/** Maximum number of requests per window, counted by the platform. */
export interface RateLimitRule {
	readonly requests: number;
	readonly windowSeconds: number;
	readonly limiter: RateLimit;
}

export interface Config {
	/** Whether every request is accepted without credentials, as the tenant `default`. For local development only. */
	readonly isOpen: boolean;
	readonly apiKeys: readonly ApiKey[];
	readonly jwt: JwtSettings | undefined;
	/** Both `undefined` in an open deployment, which has only one tenant. */
	readonly rateLimits: { readonly perKey?: RateLimitRule | undefined; readonly perAddress?: RateLimitRule | undefined };
	readonly signingKeys: SigningKeys;
	readonly webhookSecrets: WebhookSecrets;
	/** Public URLs of the deployment, such as a gateway's, without a trailing slash. Links start with one of them. */
	readonly publicUrls: readonly string[];
	/** Origins of web pages that may read responses; {@link EVERY_ORIGIN} allows all. */
	readonly corsOrigins: readonly string[];
	/** Whether tasks may fetch `http:` and private addresses. */
	readonly allowPrivateTargets: boolean;
	readonly maxInputBytes: number;
	readonly maxResultBytes: number;
	readonly maxBacklog: number;
	readonly maxActions: number;
	readonly actionJobsPerSecond: number;
	readonly edgeCacheSeconds: number;
	/** Whether jobs are listed, and told to the topic `jobs`. */
	readonly isListOn: boolean;
	/** How long a tool's call waits for its job before it becomes a task, in seconds. */
	readonly mcpWaitSeconds: number;
	/** Whether the deployment serves its dashboard. */
	readonly isDashboardOn: boolean;
	/** Whether the deployment describes its API, with its tasks, to every client. */
	readonly isDescriptionOn: boolean;
	/** Upstreams by name. Their defaults are in `upstream/limits.ts`. */
	readonly upstreams: Upstreams;
	/** Quotas of each tenant; `undefined` disables counting. */
	readonly quotas: Quotas | undefined;
	/** How long topics keep their events. */
	readonly topicRetention: Retention;
	/** Quotas of each tenant for all of its topics; `undefined` in a deployment without the binding `TENANTS`. */
	readonly topicQuotas: TopicQuotas | undefined;
}

/** The deployment can't serve requests: a variable is missing or invalid. `variables` contains the names. */
export class NotConfigured extends Error {
	override readonly name = 'NotConfigured';
	readonly variables: readonly string[];

	constructor(variables: readonly string[], message: string) {
		super(message);
		this.variables = variables;
	}
}

const MIN_KEY_BYTES = 32;

/** A variable that holds JSON. */
const json = (form: string) =>
	z.string().transform((text, context) => {
		try {
			return JSON.parse(text) as unknown;
		} catch {
			context.addIssue(`expected JSON: ${form}`);
			return z.NEVER;
		}
	});

const signingKeyForms = '{ "<key id>": "<base64>" } or [{ "id": "<key id>", "key": "<base64>" }]';
/** JavaScript moves such names to the front of an object, in numeric order. */
const INTEGER_LIKE = /^(0|[1-9]\d*)$/;

const signingKeys = () =>
	json(signingKeyForms)
		.transform((value, context) => {
			if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
			const ids = Object.keys(value);
			const moved = ids.filter((id) => INTEGER_LIKE.test(id));
			if (ids.length > 1 && moved.length > 0) {
				const list = `write a list, [{ "id": "${moved[0]}", "key": "<base64>" }, …], with the signing key first`;
				context.addIssue(`ids that are whole numbers (${moved.join(', ')}) lose their position in an object: ${list}`);
			}
			return Object.entries(value).map(([id, key]) => ({ id, key }));
		})
		.pipe(
			z.array(
				z.strictObject({ id: z.string().min(1), key: z.base64('expected base64') }),
				`expected ${signingKeyForms}`,
			),
		)
		.refine((keys) => keys.length > 0, 'expected at least one key')
		.refine((keys) => isEachOnce(keys.map(({ id }) => id)), 'expected every id once')
		.transform((keys) => new Map(keys.map(({ id, key }) => [id, decodeBase64(key)])))
		.refine(
			(keys) => [...keys.values()].every((key) => key.byteLength >= MIN_KEY_BYTES),
			`expected keys of ≥ ${MIN_KEY_BYTES} bytes`,
		);

const webhookSecretForms = '["whsec_…"] or { "<tenant>": ["whsec_…"], "*": […] }';

const webhookSecretList = () =>
	z.array(
		z.string().regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'expected whsec_ and base64 of 24 to 64 bytes'),
		'expected a list: ["whsec_…"]',
	);

/** A plain list applies to every tenant. */
const webhookSecrets = () =>
	json(webhookSecretForms)
		.transform((value) => (Array.isArray(value) ? { [EVERY_TENANT]: value } : value))
		.pipe(z.record(z.string().min(1), webhookSecretList(), `expected ${webhookSecretForms}`))
		.transform((secrets): WebhookSecrets => new Map(Object.entries(secrets)));

const wholeAtLeastOne = (unit: string) =>
	z.coerce
		.number(`expected a whole number of ${unit}`)
		.int(`expected a whole number of ${unit}`)
		.positive(`expected a positive number of ${unit}`);

const within = ({ min, max }: { readonly min: number; readonly max: number }, unit: string) => {
	const error = `expected a whole number of ${unit} from ${min} to ${max}`;
	return z.coerce.number(error).int(error).min(min, error).max(max, error);
};

const MAX_CACHE_SECONDS = 86_400;
const cacheSecondsError = `expected a whole number of seconds from 0 to ${MAX_CACHE_SECONDS}`;
const cacheSeconds = () =>
	z.coerce
		.number(cacheSecondsError)
		.int(cacheSecondsError)
		.min(0, cacheSecondsError)
		.max(MAX_CACHE_SECONDS, cacheSecondsError);

const oneName = () => z.string().regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 visible ASCII characters');

const scopeError = `expected one or more of ${KEY_SCOPES.join(', ')}`;
const scope = () => z.enum(KEY_SCOPES, scopeError);

const apiKeys = () =>
	json('[{ "id", "tenant", "sha256", "scopes" }]')
		.pipe(
			z.array(
				z.strictObject({
					id: z
						.string()
						.regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected 1 to 64 letters, digits, dots, dashes and underscores'),
					tenant: oneName(),
					sha256: z.string().regex(/^[0-9a-f]{64}$/, "expected the key's SHA-256: 64 lower-case hexadecimal digits"),
					scopes: z.array(scope(), scopeError).min(1, scopeError),
				}),
			),
		)
		.refine((keys) => keys.length > 0, 'expected at least one key')
		.refine((keys) => isEachOnce(keys.map(({ id }) => id)), 'expected every id once')
		.refine((keys) => isEachOnce(keys.map(({ sha256 }) => sha256)), 'expected every sha256 once');

const scopeList = () =>
	z
		.string()
		.transform((text) => text.split(/[\s,]+/).filter(Boolean))
		.pipe(z.array(scope()));

const rateLimit = () =>
	z
		.string()
		.regex(/^[1-9]\d{0,6}\/(10|60)s$/, 'expected requests and a window of 10 or 60 seconds, as in "1000/10s"')
		.transform((text) => {
			const [requests, windowSeconds] = text.split('/').map((part) => Number.parseInt(part, 10));
			return { requests: Number(requests), windowSeconds: Number(windowSeconds) };
		});

const limiter = () =>
	z.custom<RateLimit>(
		(value) => typeof (value as Partial<RateLimit> | undefined)?.limit === 'function',
		'expected a rate limiting binding',
	);

const objects = () =>
	z.custom<DurableObjectNamespace>(
		(value) => typeof (value as Partial<DurableObjectNamespace> | undefined)?.idFromName === 'function',
		'expected a Durable Object binding of the class TenantObject',
	);

/** The entries of a comma-separated list. */
const listed = () =>
	z.string().transform((text) =>
		text
			.split(',')
			.map((entry) => entry.trim())
			.filter(Boolean),
	);

const publicUrlError = 'expected http(s) URLs, separated by commas, without query, fragment and credentials';
const publicUrls = () =>
	listed().pipe(
		z
			.array(
				z
					.url({ protocol: /^https?$/, error: publicUrlError })
					.regex(/^[^?#@]+$/, publicUrlError)
					.transform((url) => url.replace(/\/+$/, '')),
			)
			.min(1, publicUrlError),
	);

/** An origin as browsers send it: `http://localhost:3000`, or of an app's own scheme: `capacitor://localhost`. */
function isOrigin(text: string): boolean {
	const url = URL.parse(text);
	if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin === text;
	return /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/.test(text);
}

const corsOrigins = () =>
	listed().pipe(
		z.array(
			z
				.string()
				.refine(
					(entry) => entry === EVERY_ORIGIN || isOrigin(entry),
					'expected * or origins as browsers send them, scheme and host without a trailing slash: https://app.example',
				),
		),
	);

const trueOrFalse = () => z.enum(['true', 'false'], 'expected true or false');

const onOrOff = () => z.enum(['on', 'off'], 'expected on or off');

interface Variable<Value, Unset> {
	/** Built only for a variable that is set, because building all of them delays the first response of an isolate. */
	readonly schema: () => z.ZodType<Value>;
	/** The value of a variable that is not set. */
	readonly unset: Unset;
}

function required<Value>(schema: () => z.ZodType<Value>, unset: NoInfer<Value>): Variable<Value, Value> {
	return { schema, unset };
}

function optional<Value>(schema: () => z.ZodType<Value>): Variable<Value, undefined> {
	return { schema, unset: undefined };
}

const VARIABLES = {
	AUTH: required(() => z.enum(['none', 'required'], 'expected "required" (the default) or "none"'), 'required'),
	API_KEYS: required(apiKeys, []),
	JWT_ISSUER: optional(() => z.string().min(1)),
	JWT_AUDIENCE: optional(() => z.string().min(1)),
	JWT_JWKS_URL: optional(() => z.url({ protocol: /^https?$/, error: 'expected an https URL' })),
	JWT_TENANT_CLAIM: required(oneName, DEFAULTS.JWT_TENANT_CLAIM),
	JWT_SCOPES_CLAIM: required(oneName, DEFAULTS.JWT_SCOPES_CLAIM),
	JWT_DEFAULT_SCOPES: required(scopeList, []),
	RATE_LIMIT_PER_KEY: optional(rateLimit),
	RATE_LIMIT_PER_ADDRESS: optional(rateLimit),
	LIMITER_PER_KEY: optional(limiter),
	LIMITER_PER_ADDRESS: optional(limiter),
	SIGNING_KEYS: required(signingKeys, new Map()),
	WEBHOOK_SECRETS: required(webhookSecrets, new Map()),
	PUBLIC_URL: required(publicUrls, []),
	CORS_ORIGINS: required(corsOrigins, []),
	ALLOW_PRIVATE_TARGETS: required(trueOrFalse, 'false'),
	MAX_INPUT_BYTES: required(() => wholeAtLeastOne('bytes'), DEFAULTS.MAX_INPUT_BYTES),
	MAX_RESULT_BYTES: required(() => wholeAtLeastOne('bytes'), DEFAULTS.MAX_RESULT_BYTES),
	MAX_BACKLOG: required(() => wholeAtLeastOne('messages'), DEFAULTS.MAX_BACKLOG),
	MAX_ACTIONS: required(() => wholeAtLeastOne('actions'), DEFAULTS.MAX_ACTIONS),
	ACTION_JOBS_PER_SECOND: required(() => wholeAtLeastOne('jobs'), DEFAULTS.ACTION_JOBS_PER_SECOND),
	EDGE_CACHE_SECONDS: required(cacheSeconds, DEFAULTS.EDGE_CACHE_SECONDS),
	LIST: required(onOrOff, DEFAULTS.LIST),
	DASHBOARD: required(onOrOff, DEFAULTS.DASHBOARD),
	OPENAPI: required(onOrOff, DEFAULTS.OPENAPI),
	MCP_WAIT_SECONDS: required(() => within(MCP_WAIT_SECONDS_RANGE, 'seconds'), DEFAULTS.MCP_WAIT_SECONDS),
	MAX_JOBS_IN_FLIGHT: optional(() => wholeAtLeastOne('jobs')),
	MAX_STORED_BYTES: optional(() => wholeAtLeastOne('bytes')),
	TOPIC_RETAIN_SECONDS: required(() => within(TOPIC_RETAIN_SECONDS_RANGE, 'seconds'), DEFAULTS.TOPIC_RETAIN_SECONDS),
	TOPIC_RETAIN_BYTES: required(() => within(TOPIC_RETAIN_BYTES_RANGE, 'bytes'), DEFAULTS.TOPIC_RETAIN_BYTES),
	MAX_TOPIC_BYTES: required(() => wholeAtLeastOne('bytes'), DEFAULTS.MAX_TOPIC_BYTES),
	MAX_TOPIC_EVENTS: required(() => wholeAtLeastOne('events'), DEFAULTS.MAX_TOPIC_EVENTS),
	TENANTS: optional(objects),
};

type Data = {
	readonly [Name in keyof typeof VARIABLES]: (typeof VARIABLES)[Name] extends Variable<infer Value, infer Unset>
		? Value | Unset
		: never;
};

const parsed = new WeakMap<object, Config | NotConfigured>();

/** @throws {NotConfigured} with the name of every missing or invalid variable, never with its value. */
export function readConfig(env: object): Config {
	let config = parsed.get(env);
	if (config === undefined) {
		config = withUpstreams(parse(env), env);
		parsed.set(env, config);
	}
	if (config instanceof NotConfigured) throw config;
	return config;
}

type Settings = Omit<Config, 'upstreams'>;
type Values = Readonly<Record<string, unknown>>;

function withUpstreams(settings: Settings | NotConfigured, env: object): Config | NotConfigured {
	if (settings instanceof NotConfigured) return settings;
	const values = env as Values;
	const { upstreams, faults } = readUpstreams(values.UPSTREAMS, values, settings.allowPrivateTargets);
	if (faults.length === 0) return { ...settings, upstreams };
	const variables = [...new Set(faults.map(({ variable }) => variable))];
	const reasons = faults.map(({ message }) => message).join('; ');
	return new NotConfigured(variables, `Invalid configuration:  ${reasons}`);
}

function joinVariables(env: object): Values | NotConfigured {
	try {
		return joinNumberedVariables(env as Values);
	} catch (error) {
		if (!(error instanceof WrongPart)) throw error;
		return new NotConfigured([error.variable], `Invalid configuration:  ${error.message}`);
	}
}

function parseVariables(values: Values): Data | NotConfigured {
	const invalid = new Set<string>();
	const reasons: string[] = [];
	const entries = Object.entries(VARIABLES).map(([name, { schema, unset }]) => {
		const value = values[name];
		if (value === undefined) return [name, unset];
		const result = schema().safeParse(value);
		if (result.success) return [name, result.data];
		invalid.add(name);
		reasons.push(...result.error.issues.map(({ path, message }) => `${[name, ...path].join('.')}: ${message}`));
		return [name, unset];
	});
	if (invalid.size > 0) return new NotConfigured([...invalid], `Invalid configuration:  ${reasons.join('; ')}`);
	return Object.fromEntries(entries) as Data;
}

function parse(env: object): Settings | NotConfigured {
	const joined = joinVariables(env);
	if (joined instanceof NotConfigured) return joined;
	const data = parseVariables(joined);
	if (data instanceof NotConfigured) return data;
	const contradiction = contradictionIn(data);
	if (contradiction) return contradiction;
	const isOpen = data.AUTH === 'none';
	return {
		isOpen,
		apiKeys: data.API_KEYS.map((key) => ({ ...key, sha256: Buffer.from(key.sha256, 'hex') })),
		jwt: readJwtSettings(data),
		rateLimits: isOpen
			? {}
			: {
					perKey: readRateLimit(data.RATE_LIMIT_PER_KEY, data.LIMITER_PER_KEY),
					perAddress: readRateLimit(data.RATE_LIMIT_PER_ADDRESS, data.LIMITER_PER_ADDRESS),
				},
		signingKeys: data.SIGNING_KEYS,
		webhookSecrets: data.WEBHOOK_SECRETS,
		publicUrls: data.PUBLIC_URL,
		corsOrigins: data.CORS_ORIGINS,
		allowPrivateTargets: data.ALLOW_PRIVATE_TARGETS === 'true',
		maxInputBytes: data.MAX_INPUT_BYTES,
		maxResultBytes: data.MAX_RESULT_BYTES,
		maxBacklog: data.MAX_BACKLOG,
		maxActions: data.MAX_ACTIONS,
		actionJobsPerSecond: data.ACTION_JOBS_PER_SECOND,
		edgeCacheSeconds: data.EDGE_CACHE_SECONDS,
		isListOn: data.LIST === 'on',
		mcpWaitSeconds: data.MCP_WAIT_SECONDS,
		isDashboardOn: data.DASHBOARD === 'on',
		isDescriptionOn: data.OPENAPI === 'on',
		quotas: readQuotas(data),
		topicRetention: { retainSeconds: data.TOPIC_RETAIN_SECONDS, retainBytes: data.TOPIC_RETAIN_BYTES },
		topicQuotas: data.TENANTS && { bytes: data.MAX_TOPIC_BYTES, events: data.MAX_TOPIC_EVENTS },
	};
}

/** Finds contradictions between valid values. A contradiction disables the deployment, so that it never opens by accident. */
function contradictionIn(data: Data): NotConfigured | undefined {
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
	if (readQuotas(data) && !data.TENANTS)
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

function readQuotas({ MAX_JOBS_IN_FLIGHT, MAX_STORED_BYTES }: Data): Quotas | undefined {
	if (MAX_JOBS_IN_FLIGHT === undefined && MAX_STORED_BYTES === undefined) return undefined;
	return defined({ maxJobsInFlight: MAX_JOBS_IN_FLIGHT, maxStoredBytes: MAX_STORED_BYTES });
}

function readJwtSettings(data: Data): JwtSettings | undefined {
	const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: jwksUrl } = data;
	if (issuer === undefined || audience === undefined || jwksUrl === undefined) return undefined;
	return {
		issuer,
		audience,
		jwksUrl: new URL(jwksUrl),
		tenantClaim: data.JWT_TENANT_CLAIM,
		scopesClaim: data.JWT_SCOPES_CLAIM,
		defaultScopes: data.JWT_DEFAULT_SCOPES,
	};
}

function readRateLimit(
	rule: { requests: number; windowSeconds: number } | undefined,
	limiter: RateLimit | undefined,
): RateLimitRule | undefined {
	return rule && limiter && { ...rule, limiter };
}

function isEachOnce(values: readonly string[]): boolean {
	return new Set(values).size === values.length;
}

function decodeBase64(base64: string): Uint8Array {
	return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
