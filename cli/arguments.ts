/** Checks a command's arguments. citty ignores unknown options, missing values and repetitions, which would hide a typing error. Pure. */
import { parseArgs } from 'node:util';
import type { ArgDef, ArgsDef } from 'citty';
import { UsageError } from './failure.ts';

/** Options that may be given several times. */
const REPEATABLE: ReadonlySet<string> = new Set(['param', 'tag', 'var']);
/** Other processes of the machine can read arguments, and shells keep them. */
const KEYS: ReadonlySet<string> = new Set(['key', 'api-key', 'apikey', 'token']);

type Token = ReturnType<typeof readTokens>[number];

/** @throws {UsageError} for the first wrong argument. Values are not shown: one could be a key. */
export function assertArguments(rawArgs: readonly string[], definitions: ArgsDef): void {
	const tokens = readTokens(rawArgs, definitions);
	const seen = new Set<string>();
	for (const token of tokens) {
		if (token.kind !== 'option') continue;
		assertOption(token, definitions);
		if (seen.has(token.name) && !REPEATABLE.has(token.name))
			throw new UsageError(`${token.rawName}: expected only once`);
		seen.add(token.name);
	}
	const wanted = Object.values(definitions).filter(({ type }) => type === 'positional').length;
	const given = readPositionals(tokens).length;
	if (given > wanted) throw new UsageError(`Expected ${wanted} argument${wanted === 1 ? '' : 's'}, got: ${given}`);
}

/** The values of an option that may be repeated. */
export function repeatedValues(rawArgs: readonly string[], definitions: ArgsDef, name: string): string[] {
	return readTokens(rawArgs, definitions).flatMap((token) =>
		token.kind === 'option' && token.name === name && token.value !== undefined ? [token.value] : [],
	);
}

/** @throws {UsageError} */
export function readWholeNumber(option: string, text: string | undefined, min = 0): number | undefined {
	if (text === undefined) return undefined;
	const number = Number(text);
	if (/^\d{1,15}$/.test(text) && number >= min) return number;
	throw new UsageError(`--${option}: expected a whole number from ${min} on, got: "${text}"`);
}

function readTokens(rawArgs: readonly string[], definitions: ArgsDef) {
	const named = Object.entries(definitions).filter(([, { type }]) => type !== 'positional');
	const options = Object.fromEntries(named.map(([name, definition]) => [name, nodeOption(definition)]));
	return parseArgs({ args: [...rawArgs], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function nodeOption(definition: ArgDef) {
	const short = 'alias' in definition && typeof definition.alias === 'string' ? { short: definition.alias } : {};
	return { type: definition.type === 'boolean' ? ('boolean' as const) : ('string' as const), ...short };
}

function assertOption(token: Extract<Token, { kind: 'option' }>, definitions: ArgsDef): void {
	const { name, rawName, value, inlineValue } = token;
	if (KEYS.has(name) && !Object.hasOwn(definitions, name))
		throw new UsageError(
			`${rawName}: expected the API key in COATCHECK_API_KEY, because other processes can read arguments`,
		);
	const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
	if (definition === undefined || definition.type === 'positional') throw new UsageError(`${rawName}: unknown option`);
	if (definition.type === 'boolean') {
		if (value !== undefined) throw new UsageError(`${rawName}: expected no value`);
		return;
	}
	const isAnotherOption = !inlineValue && value?.startsWith('--') && Object.hasOwn(definitions, value.slice(2));
	if (value === undefined || value === '' || isAnotherOption) throw new UsageError(`${rawName}: expected a value`);
}

/** What follows `--` is for another program. */
function readPositionals(tokens: readonly Token[]): Token[] {
	const end = tokens.findIndex(({ kind }) => kind === 'option-terminator');
	return (end < 0 ? tokens : tokens.slice(0, end)).filter(({ kind }) => kind === 'positional');
}
