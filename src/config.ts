/**
 * What a deployment may set, with every default on one screen. Parsed once for each `env`; nothing behind this file knows
 * the name of a variable or supplies a default of its own.
 */
import { z } from 'zod';
import { MIB } from './job/limits.ts';
import { type Upstreams, upstreamsOf } from './upstream/settings.ts';

/** What holds when nothing is set. */
export const DEFAULTS = {
	/** The largest input, in bytes. */
	MAX_INPUT_BYTES: 32 * MIB,
	/** The largest result, in bytes. */
	MAX_RESULT_BYTES: 32 * MIB,
} as const;

/** The queue that takes what the lanes' queues gave up. */
export const DEAD_LETTER_QUEUE = 'coatcheck-dead-letters';

/** The keys that sign the tokens in links: the first signs, all verify, so that they can be changed without breaking a link. */
export type SigningKeys = ReadonlyMap<string, Uint8Array>;

export interface Config {
	/** Whether every request is let in, as the one tenant `default`. Only local development asks for it. */
	readonly isOpen: boolean;
	readonly signingKeys: SigningKeys;
	/** What webhooks are signed with: `whsec_…`, all of them. Without one, a submission can't ask for a webhook. */
	readonly webhookSecrets: readonly string[];
	/** What links start with, when a gateway stands in front; without a slash at the end. */
	readonly publicUrl: string | undefined;
	/** Which web pages may read answers; `*` is all. */
	readonly corsOrigins: readonly string[];
	/** Whether tasks may fetch `http:` and private addresses. */
	readonly allowPrivateTargets: boolean;
	readonly maxInputBytes: number;
	readonly maxResultBytes: number;
	/** Where requests can be forwarded to, by name. Their defaults are in `upstream/limits.ts`. */
	readonly upstreams: Upstreams;
}

/** The deployment can't serve: nothing is configured, or a value is wrong. `variables` names which. */
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

const signingKeys = json('{ "<key id>": "<base64>" }')
	.pipe(z.record(z.string().min(1), z.base64('expected base64')))
	.transform((keys) => new Map(Object.entries(keys).map(([id, key]) => [id, bytesOf(key)])))
	.refine((keys) => keys.size > 0, 'expected at least one key')
	.refine(
		(keys) => [...keys.values()].every((key) => key.byteLength >= MIN_KEY_BYTES),
		`expected keys of ≥ ${MIN_KEY_BYTES} bytes`,
	);

const webhookSecrets = json('["whsec_…"]').pipe(
	z.array(z.string().regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'expected whsec_ and base64 of 24 to 64 bytes')),
);

const bytes = (fallback: number) =>
	z.coerce
		.number('expected a whole number of bytes')
		.int('expected a whole number of bytes')
		.positive()
		.default(fallback);

const flag = z.enum(['true', 'false'], 'expected true or false').default('false');

const Variables = z.object({
	AUTH: z.enum(['none'], 'expected "none", or nothing at all').optional(),
	SIGNING_KEYS: signingKeys.default(new Map()),
	WEBHOOK_SECRETS: webhookSecrets.default([]),
	PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'expected an http(s) URL' }).optional(),
	CORS_ORIGINS: z.string().default(''),
	ALLOW_PRIVATE_TARGETS: flag,
	MAX_INPUT_BYTES: bytes(DEFAULTS.MAX_INPUT_BYTES),
	MAX_RESULT_BYTES: bytes(DEFAULTS.MAX_RESULT_BYTES),
});

const parsed = new WeakMap<object, Config | NotConfigured>();

/** @throws {NotConfigured} naming every variable that is missing or wrong, never its value. */
export function configOf(env: object): Config {
	let config = parsed.get(env);
	if (config === undefined) {
		config = withUpstreams(parse(env), env);
		parsed.set(env, config);
	}
	if (config instanceof NotConfigured) throw config;
	return config;
}

type Settings = Omit<Config, 'upstreams'>;

function withUpstreams(settings: Settings | NotConfigured, env: object): Config | NotConfigured {
	if (settings instanceof NotConfigured) return settings;
	const values = env as Readonly<Record<string, unknown>>;
	const { upstreams, faults } = upstreamsOf(values.UPSTREAMS, values, settings.allowPrivateTargets);
	if (faults.length === 0) return { ...settings, upstreams };
	const variables = [...new Set(faults.map(({ variable }) => variable))];
	const reasons = faults.map(({ message }) => message).join('; ');
	return new NotConfigured(variables, `Configuration is wrong: ${reasons}`);
}

function parse(env: object): Settings | NotConfigured {
	const result = Variables.safeParse(env);
	if (!result.success) {
		const variables = [...new Set(result.error.issues.map(({ path }) => String(path[0])))];
		const reasons = result.error.issues.map(({ path, message }) => `${String(path[0])}: ${message}`);
		return new NotConfigured(variables, `Configuration is wrong: ${reasons.join('; ')}`);
	}
	const { AUTH, SIGNING_KEYS, WEBHOOK_SECRETS, PUBLIC_URL, CORS_ORIGINS, ALLOW_PRIVATE_TARGETS, ...limits } =
		result.data;
	if (AUTH === undefined) return new NotConfigured(['AUTH'], 'Nothing is configured: nobody may come in');
	return {
		isOpen: AUTH === 'none',
		signingKeys: SIGNING_KEYS,
		webhookSecrets: WEBHOOK_SECRETS,
		publicUrl: PUBLIC_URL?.replace(/\/+$/, ''),
		corsOrigins: CORS_ORIGINS.split(',')
			.map((origin) => origin.trim())
			.filter(Boolean),
		allowPrivateTargets: ALLOW_PRIVATE_TARGETS === 'true',
		maxInputBytes: limits.MAX_INPUT_BYTES,
		maxResultBytes: limits.MAX_RESULT_BYTES,
	};
}

function bytesOf(base64: string): Uint8Array {
	return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
