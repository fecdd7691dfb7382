/** The variables of a deployment, each with its form and its default. */
import * as z from 'zod';
import { MCP_WAIT_SECONDS_RANGE } from '../core/mcp/limits.ts';
import { TOPIC_RETAIN_BYTES_RANGE, TOPIC_RETAIN_SECONDS_RANGE } from '../core/topic/limits.ts';
import { DEFAULTS } from './defaults.ts';
import {
	apiKeys,
	corsOrigins,
	limiter,
	objects,
	oneName,
	onOrOff,
	publicUrls,
	rateLimit,
	scopeList,
	signingKeys,
	trueOrFalse,
	webhookSecrets,
	wholeAtLeastOne,
	within,
} from './forms.ts';
import { NotConfigured } from './not-configured.ts';

const CACHE_SECONDS_RANGE = { min: 0, max: 86_400 } as const;

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
	EDGE_CACHE_SECONDS: required(() => within(CACHE_SECONDS_RANGE, 'seconds'), DEFAULTS.EDGE_CACHE_SECONDS),
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

/** The values of the variables. */
export type Data = {
	readonly [Name in keyof typeof VARIABLES]: (typeof VARIABLES)[Name] extends Variable<infer Value, infer Unset>
		? Value | Unset
		: never;
};

/** Reads every variable. Names all that are wrong, not only the first. */
export function parseVariables(values: Readonly<Record<string, unknown>>): Data | NotConfigured {
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
