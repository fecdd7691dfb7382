/** The forms of variables: what each may hold, and how it is read. An error says what was expected, never the value. */
import type { DurableObjectNamespace, RateLimit } from '@cloudflare/workers-types';
import * as z from 'zod';
import { KEY_SCOPES } from './scopes.ts';
import { EVERY_TENANT, type WebhookSecrets } from './secrets.ts';

/** In `corsOrigins`: allows all origins. */
export const EVERY_ORIGIN = '*';

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

export const signingKeys = () =>
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
export const webhookSecrets = () =>
	json(webhookSecretForms)
		.transform((value) => (Array.isArray(value) ? { [EVERY_TENANT]: value } : value))
		.pipe(z.record(z.string().min(1), webhookSecretList(), `expected ${webhookSecretForms}`))
		.transform((secrets): WebhookSecrets => new Map(Object.entries(secrets)));

export const wholeAtLeastOne = (unit: string) =>
	z.coerce
		.number(`expected a whole number of ${unit}`)
		.int(`expected a whole number of ${unit}`)
		.positive(`expected a positive number of ${unit}`);

export const within = ({ min, max }: { readonly min: number; readonly max: number }, unit: string) => {
	const error = `expected a whole number of ${unit} from ${min} to ${max}`;
	return z.coerce.number(error).int(error).min(min, error).max(max, error);
};

export const oneName = () => z.string().regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 visible ASCII characters');

const scopeError = `expected one or more of ${KEY_SCOPES.join(', ')}`;
const scope = () => z.enum(KEY_SCOPES, scopeError);

export const apiKeys = () =>
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

export const scopeList = () =>
	z
		.string()
		.transform((text) => text.split(/[\s,]+/).filter(Boolean))
		.pipe(z.array(scope()));

export const rateLimit = () =>
	z
		.string()
		.regex(/^[1-9]\d{0,6}\/(10|60)s$/, 'expected requests and a window of 10 or 60 seconds, as in "1000/10s"')
		.transform((text) => {
			const [requests, windowSeconds] = text.split('/').map((part) => Number.parseInt(part, 10));
			return { requests: Number(requests), windowSeconds: Number(windowSeconds) };
		});

export const limiter = () =>
	z.custom<RateLimit>(
		(value) => typeof (value as Partial<RateLimit> | undefined)?.limit === 'function',
		'expected a rate limiting binding',
	);

export const objects = () =>
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
export const publicUrls = () =>
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

export const corsOrigins = () =>
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

export const trueOrFalse = () => z.enum(['true', 'false'], 'expected true or false');

export const onOrOff = () => z.enum(['on', 'off'], 'expected on or off');

function isEachOnce(values: readonly string[]): boolean {
	return new Set(values).size === values.length;
}

function decodeBase64(base64: string): Uint8Array {
	return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
