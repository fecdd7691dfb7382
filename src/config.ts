/**
 * What a deployment may set, with every default on one screen. Parsed once for each `env`; nothing behind this file knows
 * the name of a variable or supplies a default of its own.
 */
import { z } from 'zod';
import { MIB } from './job/limits.ts';

/** What holds when nothing is set. */
export const DEFAULTS = {
	/** The largest input, in bytes. */
	MAX_INPUT_BYTES: 32 * MIB,
	/** The largest result, in bytes. */
	MAX_RESULT_BYTES: 32 * MIB,
	/** How many messages may wait in each queue of a lane before new jobs are refused. */
	MAX_BACKLOG: 1_000_000,
} as const;

/** The queues whose batches hold one message; a second one is `coatcheck-alone-2`. */
export const ALONE_QUEUE = 'coatcheck-alone';

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
	readonly maxBacklog: number;
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

const count = (unit: string, fallback: number) =>
	z.coerce
		.number(`expected a whole number of ${unit}`)
		.int(`expected a whole number of ${unit}`)
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
	MAX_INPUT_BYTES: count('bytes', DEFAULTS.MAX_INPUT_BYTES),
	MAX_RESULT_BYTES: count('bytes', DEFAULTS.MAX_RESULT_BYTES),
	MAX_BACKLOG: count('messages', DEFAULTS.MAX_BACKLOG),
});

const parsed = new WeakMap<object, Config | NotConfigured>();

/** @throws {NotConfigured} naming every variable that is missing or wrong, never its value. */
export function configOf(env: object): Config {
	let config = parsed.get(env);
	if (config === undefined) {
		config = parse(env);
		parsed.set(env, config);
	}
	if (config instanceof NotConfigured) throw config;
	return config;
}

function parse(env: object): Config | NotConfigured {
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
		maxBacklog: limits.MAX_BACKLOG,
	};
}

function bytesOf(base64: string): Uint8Array {
	return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
