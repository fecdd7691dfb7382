/** A deployment's configuration of its upstreams: the variable `UPSTREAMS`, validated once, with every default filled in. */
import * as z from 'zod';
import { targetRefusal } from '../http/target.ts';
import { issueMessage } from '../issue-message.ts';
import { OPTION_LIMITS } from '../job/limits.ts';
import { once } from '../once.ts';
import { HEADER_NAME, HEADER_VALUE, isOwnHeader } from './header-names.ts';
import { UPSTREAM_DEFAULTS as DEFAULTS, FOLLOW_SECONDS, MAX_CONCURRENCY, MAX_DESCRIPTION_CHARS } from './limits.ts';
import { pathRefusal } from './paths.ts';

/** One upstream with complete settings. */
export interface Upstream {
	readonly name: string;
	/** The tenants that may use it; `undefined` for all. */
	readonly tenants: readonly string[] | undefined;
	/** Without a trailing slash. */
	readonly baseUrl: string;
	/** Upper case; `undefined` for all. */
	readonly methods: readonly string[] | undefined;
	/** Prefixes ending in `*`, or exact paths; relative to the base URL. */
	readonly paths: readonly string[];
	/** Added to every request, with secrets filled in: never stored, never shown. */
	readonly headers: readonly (readonly [name: string, value: string])[];
	readonly timeoutSeconds: number;
	readonly maxAttempts: number;
	readonly resend: boolean;
	readonly lane: 'jobs' | 'long';
	/** Maximum number of concurrent requests; `undefined` for no limit. */
	readonly concurrency: number | undefined;
	readonly followRedirects: boolean;
	/** Whether Coatcheck polls an upstream that answers 202 with a status URL until its operation has finished. */
	readonly follow: boolean;
	/** Maximum duration of such an operation. */
	readonly followSeconds: number;
	/** The caller's headers that are forwarded although they are dropped by default, lower case. */
	readonly forward: readonly string[];
	/** The caller's headers that are forwarded instead of the default ones, lower case; `undefined` for the default. */
	readonly forwardOnly: readonly string[] | undefined;
	/**
	 * The caller's headers that are part of an idempotency key's identity, besides method, path, query and body; lower case.
	 */
	readonly fingerprintHeaders: readonly string[];
	/** What the API is for, for readers that choose by it; `undefined` when nobody said so. */
	readonly description: string | undefined;
	/** Whether agents have it as a tool. */
	readonly mcp: boolean;
}

export type Upstreams = ReadonlyMap<string, Upstream>;

/** Whether a tenant's jobs may be sent to an upstream, and so with the operator's credential. */
export function mayUse({ tenants }: Upstream, tenant: string): boolean {
	return tenants === undefined || tenants.includes(tenant);
}

/** An error in the configuration, and the variable that has it. Never contains a secret's value. */
export interface SettingsFault {
	readonly variable: string;
	readonly message: string;
}

const VARIABLE = 'UPSTREAMS';
/** The part of a URL that names the upstream. */
const NAME = /^[a-z][a-z0-9-]{0,63}$/;
/** RFC 9110 §9.3.6 and §9.3.8: neither method is about a resource behind Coatcheck. */
const NEVER: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);
/** `${NAME}` in a header. */
const REFERENCE = /\$\{([A-Za-z_]\w*)\}/g;

const wholeSetting = ({ min, max }: { min: number; max: number }, unit: string) => {
	const error = `expected a whole number of ${unit} from ${min} to ${max}`;
	return z.int(error).min(min, error).max(max, error);
};
const flag = () => z.boolean('expected true or false');

const method = () =>
	z
		.string('expected a method, as in "GET"')
		.regex(/^[A-Z][A-Z0-9-]*$/, 'expected a method in upper case, as in "GET"')
		.refine((name) => !NEVER.has(name), 'expected a method other than CONNECT and TRACE, which are never forwarded');

const pathPattern = () =>
	z
		.string('expected a path, as in "/reports/*"')
		.regex(
			/^\/[^*?#]*\*?$/,
			'expected a path that begins with a slash, exact or with one * at its end, as in "/reports/*"',
		)
		.superRefine((path, context) => {
			const refusal = pathRefusal(path.replace(/\*$/, ''));
			if (refusal !== undefined) context.addIssue(refusal);
		});

const headerName = () =>
	z
		.string()
		.regex(HEADER_NAME, 'expected the name of a header')
		.refine(
			(name) => !isOwnHeader(name.toLowerCase()),
			'expected another header, because this one is set by Coatcheck',
		);

const headerNames = () =>
	z.array(headerName(), 'expected a list of headers').transform((names) => names.map((name) => name.toLowerCase()));

const baseUrl = () =>
	z
		.url({ protocol: /^https?$/, error: 'expected an http(s) URL, as in "https://api.example/v1"' })
		.refine((url) => !/[?#]/.test(url), 'expected a URL without query and fragment')
		.refine(
			(url) => URL.parse(url)?.username === '' && URL.parse(url)?.password === '',
			'expected a URL without credentials',
		)
		.transform((url) => new URL(url).href.replace(/\/+$/, ''));

const description = () =>
	z
		.string('expected text')
		.min(1, 'expected text')
		.max(MAX_DESCRIPTION_CHARS, `expected at most ${MAX_DESCRIPTION_CHARS} characters`);

const Settings = once(() =>
	z.strictObject({
		baseUrl: baseUrl(),
		tenants: z
			.array(
				z.string('expected the name of a tenant').min(1, 'expected the name of a tenant'),
				'expected a list of tenants',
			)
			.min(1, 'expected at least one tenant')
			.optional(),
		methods: z.array(method(), 'expected a list of methods').min(1, 'expected at least one method').optional(),
		paths: z
			.array(pathPattern(), 'expected a list of paths')
			.min(1, 'expected at least one path')
			.default([...DEFAULTS.paths]),
		headers: z
			.record(headerName(), z.string('expected text'), 'expected an object: { "<name>": "<value>" }')
			.default({}),
		timeoutSeconds: wholeSetting(OPTION_LIMITS.timeoutSeconds, 'seconds').default(DEFAULTS.timeoutSeconds),
		retry: z
			.strictObject(
				{
					maxAttempts: wholeSetting(OPTION_LIMITS.maxAttempts, 'attempts').default(DEFAULTS.maxAttempts),
					resend: flag().default(DEFAULTS.resend),
				},
				'expected an object: { "maxAttempts"?, "resend"? }',
			)
			.prefault({}),
		lane: z.enum(['jobs', 'long'], 'expected "jobs" or "long"').default(DEFAULTS.lane),
		concurrency: wholeSetting({ min: 1, max: MAX_CONCURRENCY }, 'requests').optional(),
		followRedirects: flag().default(DEFAULTS.followRedirects),
		follow: flag().default(DEFAULTS.follow),
		followSeconds: wholeSetting(FOLLOW_SECONDS, 'seconds').default(FOLLOW_SECONDS.default),
		forward: headerNames().default([...DEFAULTS.forward]),
		forwardOnly: headerNames().optional(),
		fingerprintHeaders: headerNames().default([...DEFAULTS.fingerprintHeaders]),
		description: description().optional(),
		mcp: flag().default(DEFAULTS.mcp),
	}),
);

const All = once(() =>
	z.record(
		z.string().regex(NAME, 'expected a name of 1–64 characters of a–z, 0–9 and -, beginning with a letter'),
		z.unknown(),
		'expected an object: { "<name>": { "baseUrl": … } }',
	),
);

/** @param variable JSON text, or the object itself when `wrangler.toml` has it as one. */
export function readUpstreams(
	variable: unknown,
	env: Readonly<Record<string, unknown>>,
	allowPrivateTargets: boolean,
): { readonly upstreams: Upstreams; readonly faults: readonly SettingsFault[] } {
	const faults: SettingsFault[] = [];
	const upstreams = new Map<string, Upstream>();
	if (variable === undefined) return { upstreams, faults };
	const all = All().safeParse(parseSettings(variable));
	if (!all.success) faults.push(...all.error.issues.map((issue) => settingFault(issue, [])));
	for (const [name, settings] of Object.entries(all.data ?? {})) {
		const parsed = Settings().safeParse(settings);
		if (!parsed.success) {
			faults.push(...parsed.error.issues.map((issue) => settingFault(issue, [name])));
			continue;
		}
		const refusal = targetRefusal(parsed.data.baseUrl, allowPrivateTargets);
		const message = `${settingPath([name, 'baseUrl'])}: expected a public https URL: ${refusal}`;
		if (refusal !== undefined) faults.push({ variable: VARIABLE, message });
		const filled = fillIn(name, parsed.data, env);
		faults.push(...filled.faults);
		upstreams.set(name, filled.upstream);
	}
	return { upstreams, faults };
}

/** Completes the settings of an upstream, with its secrets. */
function fillIn(
	name: string,
	{ retry, ...settings }: z.infer<ReturnType<typeof Settings>>,
	env: Readonly<Record<string, unknown>>,
): { readonly upstream: Upstream; readonly faults: readonly SettingsFault[] } {
	const faults: SettingsFault[] = [];
	const headers = Object.entries(settings.headers).map(([header, text]) => {
		const { value, fault } = replaceReferences(text, env);
		if (fault) faults.push({ ...fault, message: `${settingPath([name, 'headers', header])}: ${fault.message}` });
		return [header, value] as const;
	});
	const { tenants, methods, concurrency, forwardOnly, description: purpose, ...rest } = settings;
	const optional = { tenants, methods, concurrency, forwardOnly, description: purpose };
	return { upstream: { name, ...rest, ...retry, ...optional, headers }, faults };
}

/** Fills in the secrets that a header's value names. */
function replaceReferences(
	text: string,
	env: Readonly<Record<string, unknown>>,
): { value: string; fault?: SettingsFault } {
	const named = [...text.matchAll(REFERENCE)].map(([, name = '']) => name);
	const missing = named.find((name) => typeof env[name] !== 'string' || env[name] === '');
	if (missing !== undefined)
		return { value: '', fault: { variable: missing, message: `the secret ${missing} is not set` } };
	const value = text.replace(REFERENCE, (_, name: string) => String(env[name]));
	if (HEADER_VALUE.test(value)) return { value };
	const variable = named.find((name) => !HEADER_VALUE.test(String(env[name]))) ?? VARIABLE;
	const where = variable === VARIABLE ? '' : `: see the secret ${variable}`;
	return {
		value: '',
		fault: { variable, message: `expected ASCII text without line breaks and control characters${where}` },
	};
}

function parseSettings(variable: unknown): unknown {
	if (typeof variable !== 'string') return variable;
	try {
		return JSON.parse(variable) as unknown;
	} catch {
		return undefined;
	}
}

function settingFault(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): SettingsFault {
	const path = [...prefix, ...issue.path];
	if (issue.code === 'unrecognized_keys') {
		const messages = issue.keys.map((key) => `${settingPath([...path, key])}: is not a known setting`);
		return { variable: VARIABLE, message: messages.join('; ') };
	}
	return { variable: VARIABLE, message: `${settingPath(path)}: ${issueMessage(issue)}` };
}

/** `UPSTREAMS.report.paths[0]`. */
function settingPath(path: readonly PropertyKey[]): string {
	return path.reduce<string>(
		(parent, key) => (typeof key === 'number' ? `${parent}[${key}]` : `${parent}.${String(key)}`),
		VARIABLE,
	);
}
