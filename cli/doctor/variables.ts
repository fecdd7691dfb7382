/** Checks the variables and secrets, with the reader that the Worker itself uses. Pure. */
import { readConfig } from '../../src/config/config.ts';
import { NotConfigured } from '../../src/config/not-configured.ts';
import { isDeclared, type WranglerConfig } from '../configuration/config.ts';
import { type LocalVariables, variableFiles } from '../configuration/variables.ts';
import { OBJECT_CLASSES, RATE_LIMITS } from '../configuration/wanted.ts';
import { commandFor, settingFor } from './advice.ts';
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
			commandFor(config, `npx wrangler secret put ${name}`),
		),
	);
	if (vars.AUTH === 'none')
		return [
			...found,
			error(
				'Open',
				'AUTH=none accepts every request',
				settingFor(config, 'vars', 'remove AUTH; .dev.vars has it for local development'),
			),
		];
	if (vars.ALLOW_PRIVATE_TARGETS === 'true')
		found.push(warning('PrivateTargets', 'ALLOW_PRIVATE_TARGETS lets tasks and webhooks call private addresses'));
	return [
		...found,
		...checkRateLimits(config),
		...checkSecrets(config, secretNames),
		...readFindings({ ...assumedBindings(config), ...assumedSecrets(vars), ...vars }),
	];
}

export function checkLocalVariables(config: WranglerConfig, local: LocalVariables | undefined): Finding[] {
	const files = variableFiles(config.origin.environment);
	if (local === undefined) {
		const missing = files.length > 1 ? `Neither ${files.join(' nor ')} is there` : `The file ${files[0]} is not there`;
		return [error('NoVariables', `${missing}, so that every request is answered 503`, '`coatcheck init`')];
	}
	const found = readFindings({ ...assumedBindings(config), ...config.vars, ...local.values });
	if (local.file === files.at(-1)) return found;
	const fix = `wrangler reads ${local.file} in place of ${files.at(-1)}: it needs all of the variables`;
	return found.map((finding) => ({ ...finding, fix }));
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

function checkRateLimits(config: WranglerConfig): Finding[] {
	const { ratelimits, vars } = config;
	return RATE_LIMITS.flatMap(({ binding, variable, limit, period }) => {
		const limiter = ratelimits.find(({ name }) => name === binding);
		const said = vars[variable];
		if (limiter === undefined && said === undefined)
			return [
				warning(
					'NoRateLimit',
					`There is no rate limit ${binding}`,
					settingFor(config, 'ratelimits', `"${binding}" with ${limit}/${period}s`),
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
						settingFor(config, 'vars', `${variable} = "${counted}"`),
					),
				];
	});
}

function checkSecrets(config: WranglerConfig, names: readonly string[] | undefined): Finding[] {
	const { vars } = config;
	const upstream = upstreamSecrets(vars);
	const isJwt = vars.JWT_ISSUER !== undefined;
	const wanted = [...(isJwt ? [] : ['API_KEYS']), 'SIGNING_KEYS', ...upstream];
	if (names === undefined)
		return [
			remark(
				'SecretsUnknown',
				`It needs the secrets ${wanted.join(', ')}, which can't be read from here`,
				`${commandFor(config, 'npx wrangler secret list')} | ${commandFor(config, 'npx coatcheck doctor --secrets -')}`,
			),
		];
	const has = (name: string) => names.includes(name) || vars[name] !== undefined;
	const missing = wanted
		.filter((name) => !has(name))
		.map((name) => error('NoSecret', `The secret ${name} is missing`, putSecret(config, name)));
	return has('WEBHOOK_SECRETS')
		? missing
		: [
				...missing,
				warning(
					'NoSecret',
					'Without WEBHOOK_SECRETS, jobs with a webhook are refused',
					putSecret(config, 'WEBHOOK_SECRETS'),
				),
			];
}

/** How to make a secret, and to give it to the deployment. */
function putSecret(config: WranglerConfig, name: string): string {
	const put = commandFor(config, `npx wrangler secret put ${name}`);
	if (name === 'SIGNING_KEYS') return `npx coatcheck key --signing | ${put}`;
	if (name !== 'API_KEYS') return put;
	const key = 'npx coatcheck key --tenant acme --scopes submit,read,cancel --file api-keys.json';
	return `${key}, then ${put} < api-keys.json`;
}

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
