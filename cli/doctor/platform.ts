/** Checks the Worker itself: its name, its entry, its date and its objects. Pure. */
import { isDeclared, isOwnMember, type WranglerConfig } from '../configuration/config.ts';
import {
	COMPATIBILITY_DATE,
	CPU_MS,
	NODEJS_COMPAT_DATE,
	NODEJS_FLAGS,
	OBJECT_CLASSES,
	OLDEST_COMPATIBILITY_DATE,
	PUBLIC_FETCH_FLAG,
	REQUEST_SIGNAL_FLAG,
} from '../configuration/wanted.ts';
import { settingFor } from './advice.ts';
import { error, type Finding, warning } from './finding.ts';

/** What local development needs, too. */
export function checkWorker(config: WranglerConfig, isEntryThere: boolean): Finding[] {
	return [...checkEntry(config, isEntryThere), ...checkDate(config), ...checkObjects(config)];
}

/** What only a deployment needs. */
export function checkOperation(config: WranglerConfig): Finding[] {
	const { compatibility_flags: flags, limits, observability } = config;
	const checks: readonly (readonly [isFine: boolean, check: OperationCheck])[] = [
		[flags.includes(PUBLIC_FETCH_FLAG), PRIVATE_FETCH],
		[flags.includes(REQUEST_SIGNAL_FLAG), UNNOTICED_CLOSE],
		[observability?.redact_query_string === true, TOKENS_IN_LOGS],
		[observability?.logs?.invocation_logs === false, INVOCATION_LOGS],
		[limits?.cpu_ms !== undefined, CPU_LIMIT],
	];
	return checks
		.filter(([isFine]) => !isFine)
		.map(([, [report, code, message, ...setting]]) => report(code, message, settingFor(config, ...setting)));
}

/** What is reported, and the setting that mends it: its table, and the line. */
type OperationCheck = readonly [report: typeof error, code: string, message: string, table: string, line: string];

const PRIVATE_FETCH: OperationCheck = [
	error,
	'PrivateFetch',
	'Clients choose URLs that this Worker calls, and calls to its own zone would bypass Cloudflare',
	'compatibility_flags',
	`add "${PUBLIC_FETCH_FLAG}"`,
];
const UNNOTICED_CLOSE: OperationCheck = [
	warning,
	'UnnoticedClose',
	'A call of an agent that is closed does not cancel its job',
	'compatibility_flags',
	`add "${REQUEST_SIGNAL_FLAG}"`,
];
const TOKENS_IN_LOGS: OperationCheck = [
	error,
	'TokensInLogs',
	'Query strings hold tokens, and logs would keep them',
	'observability',
	'redact_query_string = true',
];
const INVOCATION_LOGS: OperationCheck = [
	warning,
	'InvocationLogs',
	'A log line for each invocation can cost more than the jobs',
	'observability.logs',
	'invocation_logs = false',
];
const CPU_LIMIT: OperationCheck = [
	warning,
	'CpuLimit',
	"A batch of jobs has the platform's 30 s of CPU together (on the Free plan 10 ms, and no limit can be set)",
	'limits',
	`cpu_ms = ${CPU_MS}`,
];

function checkEntry(config: WranglerConfig, isEntryThere: boolean): Finding[] {
	const { name, main } = config;
	const found: Finding[] = [];
	const entry = settingFor(config, '', 'main = "src/index.ts"');
	if (name === undefined) found.push(error('NoName', 'The Worker has no name', settingFor(config, '', 'name = "…"')));
	if (main === undefined) found.push(error('NoEntry', 'The Worker has no entry', entry));
	else if (!isEntryThere) {
		const fix = isOwnMember(config, 'main') ? `the build, or ${entry}` : '`coatcheck init`, or the build';
		found.push(error('NoEntry', `The entry ${main} is not there`, fix));
	}
	return found;
}

function checkDate(config: WranglerConfig): Finding[] {
	const { compatibility_date: date, compatibility_flags: flags } = config;
	const fix = settingFor(config, '', `compatibility_date = "${COMPATIBILITY_DATE}"`);
	if (date === undefined) return [error('NoDate', 'The configuration has no compatibility date', fix)];
	if (date < OLDEST_COMPATIBILITY_DATE)
		return [error('OldDate', `Before ${OLDEST_COMPATIBILITY_DATE}, alarms of deleted jobs stay`, fix)];
	if (date < NODEJS_COMPAT_DATE && !NODEJS_FLAGS.some((flag) => flags.includes(flag)))
		return [error('NoNodejs', `Before ${NODEJS_COMPAT_DATE}, Node's modules need the flag nodejs_compat`, fix)];
	return [];
}

/** A binding is not needed: the Worker finds what its entry exports. A binding that is there comes first. */
function checkObjects(config: WranglerConfig): Finding[] {
	return Object.entries(OBJECT_CLASSES).flatMap(([name, className]) => {
		const binding = config.durable_objects.bindings.find((one) => one.name === name);
		const found: Finding[] = [];
		if (binding !== undefined && binding.class_name !== className)
			found.push(error('WrongClass', `${name}: expected the class ${className}, got ${binding.class_name}`));
		if (!isDeclared(config, className))
			found.push(
				error(
					'NoStorage',
					`The class ${className} has no SQLite storage`,
					settingFor(config, `exports.${className}`, 'type = "durable-object", storage = "sqlite"'),
				),
			);
		return found;
	});
}
