/** Settings of a deployment. Parsed once for each `env`. No other file reads variables. */
import { Buffer } from 'node:buffer';
import type { RateLimit } from '@cloudflare/workers-types';
import { defined } from '../core/defined.ts';
import type { Quotas } from '../core/quota/quotas.ts';
import type { TopicQuotas } from '../core/topic/allowance.ts';
import type { Retention } from '../core/topic/retention.ts';
import { readUpstreams, type Upstreams } from '../core/upstream/settings.ts';
import { contradictionIn } from './contradictions.ts';
import { NotConfigured } from './not-configured.ts';
import { joinNumberedVariables, WrongPart } from './numbered-variables.ts';
import type { KeyScope } from './scopes.ts';
import type { SigningKeys, WebhookSecrets } from './secrets.ts';
import { type Data, parseVariables } from './variables.ts';

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
