/** Checks the variables and secrets, with the reader that the Worker itself uses. Pure. */
import { readConfig } from '../../src/config/config.ts';
import { NotConfigured } from '../../src/config/not-configured.ts';
import { isDeclared, type WranglerConfig } from '../configuration/config.ts';
import { OBJECT_CLASSES, RATE_LIMITS } from '../configuration/wanted.ts';
import { error, type Finding, remark, warning } from './finding.ts';

type Variables = Readonly<Record<string, unknown>>;

/** Stand for secrets that can't be read, so that everything else can be checked. */
const ASSUMED = {
	API_KEYS: JSON.stringify([{ id: 'assumed', tenant: 'assumed', sha256: '0'.repeat(64), scopes: ['read'] }]),
	SIGNING_KEYS: JSON.stringify({ assumed: Buffer.alloc(32).toString('base64') }),
};
/** They sign links and webhooks. */
const SECRETS = ['SIGNING_KEYS', 'WEBHOOK_SECRETS'] as const;

/**
 * @param secretNames of the deployment, if they are known.
 */
export function checkDeployedVariables(config: WranglerConfig, secretNames: readonly string[] | undefined): Finding[] {
	const { vars } = config;
	const found: Finding[] = SECRETS.filter((name) => vars[name] !== undefined).map((name) =>
		error(
			'SecretInConfig',
			`${name} stands in the configuration, where it is no secret`,
			`npx wrangler secret put ${name}`,
		),
	);
	if (vars.AUTH === 'none')
		return [
			...found,
			error('Open', 'AUTH=none accepts every request', 'remove it: .dev.vars has it for local development'),
		];
	if (vars.ALLOW_PRIVATE_TARGETS === 'true')
		found.push(warning('PrivateTargets', 'ALLOW_PRIVATE_TARGETS lets tasks and webhooks call private addresses'));
	return [
		...found,
		...checkRateLimits(config),
		...checkSecrets(vars, secretNames),
		...readFindings({ ...assumedBindings(config), ...assumedSecrets(vars), ...vars }),
	];
}

/** @param local the variables of `.dev.vars`. */
export function checkLocalVariables(config: WranglerConfig, local: Variables | undefined): Finding[] {
	if (local === undefined)
		return [
			error(
				'NoVariables',
				'The file .dev.vars is not there, so that every request is answered 503',
				'`coatcheck init`',
			),
		];
	return readFindings({ ...assumedBindings(config), ...config.vars, ...local });
}

function readFindings(env: Variables): Finding[] {
	try {
		readConfig(env);
		return [];
	} catch (reason) {
		if (!(reason instanceof NotConfigured)) throw reason;
		return [error('NotConfigured', reason.message.replace(/\s+/g, ' '))];
	}
}

function checkRateLimits({ ratelimits, vars }: WranglerConfig): Finding[] {
	return RATE_LIMITS.flatMap(({ binding, variable, limit, period }) => {
		const limiter = ratelimits.find(({ name }) => name === binding);
		const said = vars[variable];
		if (limiter === undefined && said === undefined)
			return [
				warning(
					'NoRateLimit',
					`There is no rate limit ${binding}`,
					`ratelimits: "${binding}" with ${limit}/${period}s`,
				),
			];
		if (limiter === undefined || said === undefined) return [];
		const counted = `${limiter.simple.limit}/${limiter.simple.period}s`;
		return said === counted
			? []
			: [
					error(
						'RateLimitNumbers',
						`${variable} says ${String(said)}, but ${binding} counts ${counted}`,
						`${variable} = "${counted}"`,
					),
				];
	});
}

function checkSecrets(vars: Variables, names: readonly string[] | undefined): Finding[] {
	const upstream = upstreamSecrets(vars);
	const isJwt = vars.JWT_ISSUER !== undefined;
	const wanted = [...(isJwt ? [] : ['API_KEYS']), 'SIGNING_KEYS', ...upstream];
	if (names === undefined)
		return [
			remark(
				'SecretsUnknown',
				`It needs the secrets ${wanted.join(', ')}, which can't be read from here`,
				'npx wrangler secret list | npx coatcheck doctor --secrets -',
			),
		];
	const has = (name: string) => names.includes(name) || vars[name] !== undefined;
	const missing = wanted
		.filter((name) => !has(name))
		.map((name) => error('NoSecret', `The secret ${name} is missing`, HOW[name] ?? `npx wrangler secret put ${name}`));
	return has('WEBHOOK_SECRETS')
		? missing
		: [
				...missing,
				warning(
					'NoSecret',
					'Without WEBHOOK_SECRETS, jobs with a webhook are refused',
					'npx wrangler secret put WEBHOOK_SECRETS',
				),
			];
}

const HOW: Readonly<Record<string, string>> = {
	API_KEYS:
		'npx coatcheck key --tenant acme --scopes submit,read,cancel --file api-keys.json, then npx wrangler secret put API_KEYS < api-keys.json',
	SIGNING_KEYS: 'npx coatcheck key --signing | npx wrangler secret put SIGNING_KEYS',
};

function assumedSecrets(vars: Variables): Variables {
	const upstream = Object.fromEntries(upstreamSecrets(vars).map((name) => [name, 'assumed']));
	return { ...(vars.JWT_ISSUER === undefined ? ASSUMED : { SIGNING_KEYS: ASSUMED.SIGNING_KEYS }), ...upstream };
}

/** The secrets that headers of upstreams name: `${REPORT_KEY}`. */
function upstreamSecrets({ UPSTREAMS = '' }: Variables): string[] {
	const text = typeof UPSTREAMS === 'string' ? UPSTREAMS : JSON.stringify(UPSTREAMS);
	return [...new Set([...text.matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map(([, name = '']) => name))];
}

/** Stand for bindings, and for the objects that the entry exports. The reader only looks at their form. */
function assumedBindings(config: WranglerConfig): Variables {
	const limiters = config.ratelimits.map(({ name }) => [name, { limit: () => {} }]);
	const declared = Object.entries(OBJECT_CLASSES).filter(([, className]) => isDeclared(config, className));
	return Object.fromEntries([...limiters, ...declared.map(([name]) => [name, { idFromName: () => {} }])]);
}
