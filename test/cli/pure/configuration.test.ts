import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { additionsFor, addToConfig } from '../../../cli/configuration/additions.ts';
import { parseText, readWranglerConfig } from '../../../cli/configuration/config.ts';
import { missingVariables, parseVariables } from '../../../cli/configuration/variables.ts';
import { LANES } from '../../../cli/configuration/wanted.ts';
import { checkOperation, checkWorker } from '../../../cli/doctor/platform.ts';
import { checkQueues } from '../../../cli/doctor/queues.ts';
import { checkDeployedVariables, checkLocalVariables } from '../../../cli/doctor/variables.ts';
import { planInit } from '../../../cli/init/plan.ts';

const CONFIG = fileURLToPath(new URL('../../../wrangler.toml', import.meta.url));
const OURS = readFileSync(CONFIG, 'utf8');

/** The parts of wrangler's own reading that are compared. */
interface WranglersOwn {
	readonly name?: string | undefined;
	readonly compatibility_date?: string | undefined;
	readonly queues: { readonly consumers?: readonly { readonly queue: string }[] | undefined };
}

const INIT = {
	name: 'shop',
	version: '0.1.0',
	nodeMajor: 24,
	configFile: undefined,
	secrets: { signingKeys: '{}', webhookSecret: 'whsec_secret' },
};
const TOML = `# Our Worker.
name = "shop"
main = "src/worker.ts"
compatibility_date = "2026-10-20" # pinned

[vars] # ours
GREETING = "hello"

[[queues.producers]]
binding = "MAIL"
queue = "mail"
`;
const JSONC = `{
	// Our Worker.
	"name": "shop",
	"main": "src/worker.ts",
	"compatibility_date": "2026-10-20",
	"compatibility_flags": ["nodejs_compat"], // ours
	"vars": { "GREETING": "hello" },
	"queues": { "producers": [{ "binding": "MAIL", "queue": "mail" }] },
}
`;

function findingsIn(text: string, file: string): string[] {
	const config = readWranglerConfig(text, file);
	const findings = [
		...checkWorker(config, true),
		...checkOperation(config),
		...checkQueues(config),
		...checkDeployedVariables(config, ['API_KEYS', 'SIGNING_KEYS', 'WEBHOOK_SECRETS']),
	];
	return findings.map(({ severity, code }) => `${severity} ${code}`);
}

function extended(text: string, file: string) {
	return addToConfig(text, file, additionsFor(readWranglerConfig(text, file), 'shop'));
}

describe('a configuration', () => {
	it.each([
		['wrangler.toml', TOML],
		['wrangler.jsonc', JSONC],
	])('%s is extended by what is missing, and every line of it stays', (file, before) => {
		const { text, left } = extended(before, file);
		expect(left).toEqual([]);
		expect(findingsIn(before, file)).toContain('error NoLane');
		expect(findingsIn(text, file)).toEqual([]);
		for (const piece of ['Our Worker.', 'GREETING', 'ours', 'MAIL']) expect(text).toContain(piece);
		if (file.endsWith('.toml')) for (const line of before.trim().split('\n')) expect(text).toContain(line);
		expect(readWranglerConfig(text, file).queues.producers[0]).toEqual({ binding: 'MAIL', queue: 'mail' });
		expect(extended(text, file).text.trim()).toBe(text.trim());
	});

	it('in a form that can’t be extended stays as it is, and the lines are shown', () => {
		const inline = 'name = "shop"\nmain = "a.ts"\nqueues = { producers = [] }\n';
		const { text, left } = extended(inline, 'wrangler.toml');
		expect(text).toBe(inline);
		expect(left.length).toBeGreaterThan(10);
		// The first line that looks like the table is part of a text.
		const quoted = TOML.replace('[vars]', 'note = """\n[vars]\n"""\n\n[vars]');
		expect(extended(quoted, 'wrangler.toml')).toMatchObject({ text: quoted });
		const flags = TOML.replace('[vars]', 'compatibility_flags = ["nodejs_compat"]\n\n[vars]');
		const values = extended(flags, 'wrangler.toml').left.map(({ value }) => value);
		expect(values).toEqual([['nodejs_compat', 'global_fetch_strictly_public', 'enable_request_signal']]);
		const { steps } = planInit({ 'wrangler.toml': flags }, { ...INIT, configFile: 'wrangler.toml' });
		expect(steps[0]?.lines).toBe(
			'compatibility_flags = ["nodejs_compat", "global_fetch_strictly_public", "enable_request_signal"]\n',
		);
	});

	it.each([
		['wrangler.toml', `${TOML}\n[observability]\nenabled = true\n\n[observability.logs]\nenabled = true\n`],
		['wrangler.toml', `${TOML}\n[observability]\nenabled = true\n`],
		['wrangler.jsonc', JSONC.replace('"vars"', '"observability": { "enabled": true }, "vars"')],
	])('%s with logs of its own gets only what they lack', (file, before) => {
		const { text, left } = extended(before, file);
		expect([left, findingsIn(text, file)]).toEqual([[], []]);
		expect(parseText(text, file)).toMatchObject({ observability: { enabled: true } });
	});

	it('is read as wrangler reads it', () => {
		const { name, queues, compatibility_date }: WranglersOwn = unstable_readConfig({ config: CONFIG });
		const config = readWranglerConfig(OURS, 'wrangler.toml');
		expect(config).toMatchObject({ name, compatibility_date });
		expect(config.queues.consumers.map(({ queue }) => queue)).toEqual(queues.consumers?.map(({ queue }) => queue));
	});

	it('has environments, which inherit neither variables nor bindings', () => {
		const text = `${TOML}[env.staging]\nvars = { A = "1" }\n`;
		const staging = readWranglerConfig(text, 'wrangler.toml', { environment: 'staging' });
		expect(staging).toMatchObject({
			name: 'shop-staging',
			main: 'src/worker.ts',
			vars: { A: '1' },
			queues: { producers: [] },
		});
		const unknown = { environment: 'toString' };
		expect(() => readWranglerConfig(text, 'wrangler.toml', unknown)).toThrow('expected an environment "toString"');
	});

	it.each([
		['wrangler.toml', 'name = \n', /^wrangler\.toml:1:\d+: /],
		['wrangler.jsonc', '{ "name": }', /^wrangler\.jsonc:1: /],
		['wrangler.jsonc', '[]', /expected an object/],
		['wrangler.toml', '[[queues.producers]]\nqueue = 1\n', /queues\.producers\.0\.binding/],
	])('%s that is wrong is refused with its place: %j', (file, text, message) => {
		expect(() => readWranglerConfig(text, file)).toThrow(message);
	});
});

describe('this deployment', () => {
	it('has nothing for a doctor to find', () => {
		expect(findingsIn(OURS, 'wrangler.toml')).toEqual([]);
	});

	it('has the queues that a new Worker gets', () => {
		const base = readWranglerConfig('', 'wrangler.toml');
		const fresh = addToConfig('', 'wrangler.toml', additionsFor(base, 'coatcheck')).text;
		const { queues, exports } = readWranglerConfig(OURS, 'wrangler.toml');
		const made = readWranglerConfig(fresh, 'wrangler.toml');
		expect(made.queues.producers).toEqual(expect.arrayContaining(queues.producers));
		expect(made.queues.consumers).toEqual(expect.arrayContaining(queues.consumers));
		expect(made.exports).toEqual(exports);
		expect(LANES.reduce((sum, lane) => sum + lane.queues, 1)).toBe(queues.producers.length);
	});
});

describe('a doctor', () => {
	const change = (from: string, to: string) => findingsIn(OURS.replace(from, to), 'wrangler.toml');

	it.each([
		['name = "coatcheck"\n', '', 'error NoName'],
		['main = "dist/index.mjs"\n', '', 'error NoEntry'],
		['"2026-10-20"', '"2026-01-01"', 'error OldDate'],
		['"2026-10-20"', '"2026-06-01"', 'error NoNodejs'],
		['"global_fetch_strictly_public", ', '', 'error PrivateFetch'],
		[', "enable_request_signal"', '', 'warning UnnoticedClose'],
		['redact_query_string = true', 'redact_query_string = false', 'error TokensInLogs'],
		['invocation_logs = false', 'invocation_logs = true', 'warning InvocationLogs'],
		['[limits]\ncpu_ms = 120_000\n', '', 'warning CpuLimit'],
		['class_name = "JobObject"', 'class_name = "Job"', 'error WrongClass'],
		['[exports.TopicObject]', '[exports.Topics]', 'error NoStorage'],
		['binding = "LANE_JOBS_1"', 'binding = "JOBS_1"', 'error LaneGap'],
		['binding = "LANE_WEBHOOKS_1"', 'binding = "HOOKS"', 'warning NoLane'],
		['queue = "coatcheck-long-2"', 'queue = "coatcheck-lang-2"', 'error QueueName'],
		['"LANE_JOBS_2"\nqueue = "coatcheck-jobs-2"', '"LANE_JOBS_2"\nqueue = "coatcheck-jobs-9"', 'error QueueName'],
		['[[queues.consumers]]\nqueue = "coatcheck-alone"', '[[queues.consumers]]\nqueue = "alone"', 'error NoConsumer'],
		['retry_delay = 10\ndead_letter_queue = "coatcheck-dead-letters"', 'retry_delay = 10', 'error NoDeadLetters'],
		['max_batch_size = 1\n', 'max_batch_size = 10\n', 'warning BatchSize'],
		['max_batch_timeout = 0\n', '', 'warning BatchTimeout'],
		['max_retries = 100\n', '', 'warning Retries'],
		[
			'binding = "DEAD_LETTERS"\nqueue = "coatcheck-dead-letters"',
			'binding = "MAIL"\nqueue = "mail"',
			'error NotCreated',
		],
		['"1000/10s"', '"999/10s"', 'error RateLimitNumbers'],
		['RATE_LIMIT_PER_KEY = "1000/10s"\n', '', 'error NotConfigured'],
		['[vars]', '[vars]\nAUTH = "none"', 'error Open'],
		['[vars]', `[vars]\nSIGNING_KEYS = '{"k":"${'A'.repeat(43)}="}'`, 'error SecretInConfig'],
		['[vars]', '[vars]\nALLOW_PRIVATE_TARGETS = "true"', 'warning PrivateTargets'],
		['[exports.TenantObject]', '[vars.A]', 'error NoStorage'],
		['[vars]', '[vars]\nCORS_ORIGINS = "https://app.example/"', 'error NotConfigured'],
		[
			'[vars]',
			`[vars]\nUPSTREAMS = '{"a":{"baseUrl":"https://a.example","headers":{"X-Key":"\${A_KEY}"}}}'`,
			'error NoSecret',
		],
	])('finds what is wrong when %s becomes %j', (from, to, finding) => {
		expect(OURS).toContain(from);
		expect(change(from, to)).toContain(finding);
	});

	it('says which secrets are missing, and that it can’t see them without a list', () => {
		const config = readWranglerConfig(OURS, 'wrangler.toml');
		const messages = (names?: string[]) => checkDeployedVariables(config, names).map(({ message }) => message);
		expect(messages([])).toEqual([
			'The secret API_KEYS is missing',
			'The secret SIGNING_KEYS is missing',
			'Without WEBHOOK_SECRETS, jobs with a webhook are refused',
		]);
		expect(messages()).toEqual(["It needs the secrets API_KEYS, SIGNING_KEYS, which can't be read from here"]);
	});

	it('reads local variables as the Worker does', () => {
		const config = readWranglerConfig(OURS, 'wrangler.toml');
		const file = '.dev.vars';
		const values = parseVariables(readFileSync(new URL('../../../.dev.vars', import.meta.url), 'utf8'));
		expect(checkLocalVariables(config, { file, values })).toEqual([]);
		expect(checkLocalVariables(config, undefined)).toMatchObject([{ code: 'NoVariables' }]);
		const { AUTH: _, ...closed } = values;
		expect(checkLocalVariables(config, { file, values: closed })).toMatchObject([
			{ code: 'NotConfigured', message: expect.stringContaining('API_KEYS') },
		]);
	});
});

describe('a doctor of an environment', () => {
	/** Each fix, by its finding: what a person is told to do in `env.staging` of this deployment. */
	function fixesIn(environment: string, change: (toml: string) => string = (toml) => toml): string[] {
		const choice = { environment: 'staging', path: undefined };
		const config = readWranglerConfig(change(`${OURS}\n${environment}`), 'wrangler.toml', choice);
		const findings = [
			...checkWorker(config, true),
			...checkOperation(config),
			...checkQueues(config),
			...checkDeployedVariables(config, []),
		];
		return findings.map(({ fix = '' }) => fix);
	}

	it('names it in each command of wrangler', () => {
		const fixes = fixesIn('[env.staging]\nvars = {}\n');
		expect(fixes).toContain('npx coatcheck key --signing | npx wrangler secret put SIGNING_KEYS --env staging');
		expect(fixes).toContain('npx wrangler secret put WEBHOOK_SECRETS --env staging');
		const commands = fixes.join('\n').match(/npx wrangler [^|\n]*/g) ?? [];
		expect(commands).toHaveLength(3);
		expect(commands.filter((command) => !command.includes('--env staging'))).toEqual([]);
		const config = readWranglerConfig(OURS, 'wrangler.toml');
		const origin = { environment: "o'clock", path: 'apps/shop/wrangler.toml', ownMembers: [] };
		const chosen = String.raw`--config apps/shop/wrangler.toml --env 'o'\''clock'`;
		const [asked] = checkDeployedVariables({ ...config, origin }, undefined).filter(
			({ code }) => code === 'SecretsUnknown',
		);
		expect(asked?.fix).toBe(`npx wrangler secret list ${chosen} | npx coatcheck doctor --secrets - ${chosen}`);
	});

	it('names the sections that an environment must have itself, and never `init`, which adds to the top level', () => {
		const fixes = fixesIn('[env.staging]\nvars = { ALLOW_PRIVATE_TARGETS = "true" }\n');
		expect(fixes).toContain('env.staging.queues.producers: binding = "LANE_JOBS_1", queue = "coatcheck-staging-jobs"');
		expect(fixes).toContain('env.staging.ratelimits: "LIMITER_PER_KEY" with 1000/10s');
		expect(fixes.join()).not.toContain('init');
		const producer = 'binding = "LANE_JOBS_1"\nqueue = "coatcheck-staging-jobs"\n';
		expect(fixesIn(`[[env.staging.queues.producers]]\n${producer}`)).toContain(
			'env.staging.queues.consumers: queue = "coatcheck-staging-jobs"',
		);
		const consumer = '[[env.staging.queues.consumers]]\nqueue = "coatcheck-staging-jobs"\n';
		expect(fixesIn(`[[env.staging.queues.producers]]\n${producer}${consumer}`)).toEqual(
			expect.arrayContaining([
				'env.staging.queues.consumers: dead_letter_queue = "…-dead-letters"',
				'env.staging.queues.consumers: max_batch_timeout = 0',
			]),
		);
		expect(fixesIn('[env.staging.vars]\nAUTH = "none"\n')).toContain(
			'env.staging.vars: remove AUTH; .dev.vars has it for local development',
		);
	});

	it('names the top level for what the environment inherits, and the environment for what it has itself', () => {
		const without = (toml: string) =>
			toml.replace('redact_query_string = true', '').replace('"2026-10-20"', '"2026-01-01"');
		const inherited = fixesIn('[env.staging]\nvars = {}\n', without);
		expect(inherited).toContain('observability: redact_query_string = true');
		expect(inherited).toContain('compatibility_date = "2026-10-20"');
		const own = fixesIn('[env.staging]\ncompatibility_date = "2026-01-01"\nobservability = { enabled = true }\n');
		expect(own).toContain('env.staging.observability: redact_query_string = true');
		expect(own).toContain('env.staging: compatibility_date = "2026-10-20"');
	});

	it('of a development machine names the file of variables that wrangler reads', () => {
		const config = readWranglerConfig(`${OURS}\n[env.staging]\n`, 'wrangler.toml', { environment: 'staging' });
		const [missing] = checkLocalVariables(config, undefined);
		expect(missing?.message).toContain('Neither .dev.vars.staging nor .dev.vars is there');
		const [partial] = checkLocalVariables(config, { file: '.dev.vars.staging', values: { GREETING: 'hello' } });
		expect(partial).toMatchObject({
			code: 'NotConfigured',
			fix: 'wrangler reads .dev.vars.staging in place of .dev.vars: it needs all of the variables',
		});
	});
});

describe('.dev.vars', () => {
	const secrets = { signingKeys: '{"k1":"abc="}', webhookSecret: 'whsec_abc' };

	it('gets what is missing, and no AUTH=none beside keys', () => {
		const lines = missingVariables('', secrets);
		expect(parseVariables(lines.join('\n'))).toMatchObject({ AUTH: 'none', SIGNING_KEYS: '{"k1":"abc="}' });
		expect(missingVariables(lines.join('\n'), secrets)).toEqual([]);
		expect(missingVariables('API_KEYS=[]', secrets).join()).not.toContain('AUTH');
	});

	it('is read with quotes, comments and export', () => {
		const text = `# a comment\nA="1"\nexport B='{"c":"d=e"}'\n\nC = plain `;
		expect(parseVariables(text)).toEqual({ A: '1', B: '{"c":"d=e"}', C: 'plain' });
	});
});

it('an object of the configuration is read from either format', () => {
	expect(parseText(JSONC, 'wrangler.json')).toMatchObject({ vars: { GREETING: 'hello' } });
	expect(parseText(TOML, 'wrangler.toml')).toMatchObject({ vars: { GREETING: 'hello' } });
});
