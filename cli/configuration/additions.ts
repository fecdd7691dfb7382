/** What a configuration lacks, and the configuration with it. What is there stays as it is, comments included. Pure. */
import { createHash } from 'node:crypto';
import { applyEdits, modify } from 'jsonc-parser';
import { formatOf, isDeclared, parseText, type WranglerConfig } from './config.ts';
import {
	COMPATIBILITY_DATE,
	CPU_MS,
	DEAD_LETTER_CONSUMER,
	DEAD_LETTERS_BINDING,
	LANE_CONSUMER,
	LANES,
	OBJECT_CLASSES,
	PUBLIC_FETCH_FLAG,
	RATE_LIMITS,
	REQUEST_SIGNAL_FLAG,
} from './wanted.ts';

/** A member of an object, or an item of a list. */
export interface Addition {
	readonly path: readonly string[];
	readonly value: unknown;
	/** Whether the value is another item of the list at `path`. */
	readonly isItem?: true;
}

/** @param name of the Worker. Queues are named after it, because two Workers must not share one. */
export function additionsFor(config: WranglerConfig, name: string): Addition[] {
	return [
		...compatibilityAdditions(config),
		...objectAdditions(config),
		...queueAdditions(config, name),
		...rateLimitAdditions(config, name),
		...(config.limits === undefined ? [{ path: ['limits'], value: { cpu_ms: CPU_MS } }] : []),
		...observabilityAdditions(config),
	];
}

const OBSERVABILITY = {
	enabled: true,
	redact_query_string: true,
	logs: { enabled: true, head_sampling_rate: 1, invocation_logs: false },
};

/** What is said stays: only members that are not there are added. */
function observabilityAdditions({ observability: there }: WranglerConfig): Addition[] {
	const { redact_query_string, logs } = OBSERVABILITY;
	if (there === undefined) return [{ path: ['observability'], value: OBSERVABILITY }];
	const additions: Addition[] = [];
	if (there.redact_query_string === undefined)
		additions.push({ path: ['observability', 'redact_query_string'], value: redact_query_string });
	if (there.logs === undefined) additions.push({ path: ['observability', 'logs'], value: logs });
	else if (there.logs.invocation_logs === undefined)
		additions.push({ path: ['observability', 'logs', 'invocation_logs'], value: logs.invocation_logs });
	return additions;
}

function compatibilityAdditions({ compatibility_date, compatibility_flags }: WranglerConfig): Addition[] {
	return [
		...(compatibility_date === undefined ? [{ path: ['compatibility_date'], value: COMPATIBILITY_DATE }] : []),
		...flagAdditions(compatibility_flags),
	];
}

/** All flags at once where there is none, because TOML can't extend a list. */
function flagAdditions(there: readonly string[]): Addition[] {
	const path = ['compatibility_flags'];
	const missing = [PUBLIC_FETCH_FLAG, REQUEST_SIGNAL_FLAG].filter((flag) => !there.includes(flag));
	if (there.length === 0) return [{ path, value: missing }];
	return missing.map((value) => ({ path, value, isItem: true }));
}

/** The classes need no bindings: the Worker finds what its entry exports. */
function objectAdditions(config: WranglerConfig): Addition[] {
	return Object.values(OBJECT_CLASSES)
		.filter((className) => !isDeclared(config, className))
		.map((className) => ({ path: ['exports', className], value: { type: 'durable-object', storage: 'sqlite' } }));
}

/** The queues of each lane that has none yet, and the dead letters. */
function queueAdditions({ queues: { producers, consumers } }: WranglerConfig, name: string): Addition[] {
	const bindings = new Set(producers.map(({ binding }) => binding));
	const letters = producers.find(({ binding }) => binding === DEAD_LETTERS_BINDING)?.queue ?? `${name}-dead-letters`;
	const wanted = LANES.filter(({ lane }) => !bindings.has(`LANE_${lane.toUpperCase()}_1`)).flatMap((lane) =>
		Array.from({ length: lane.queues }, (_, index) => ({
			binding: `LANE_${lane.lane.toUpperCase()}_${index + 1}`,
			queue: `${name}-${lane.lane}${index === 0 ? '' : `-${index + 1}`}`,
			settings: { max_batch_size: lane.maxBatchSize, ...LANE_CONSUMER, dead_letter_queue: letters },
		})),
	);
	const hasConsumer = consumers.some(({ queue }) => queue === letters);
	return [
		...wanted.map(({ binding, queue }) => item('producers', { binding, queue })),
		...(bindings.has(DEAD_LETTERS_BINDING)
			? []
			: [item('producers', { binding: DEAD_LETTERS_BINDING, queue: letters })]),
		...wanted.map(({ queue, settings }) => item('consumers', { queue, ...settings })),
		...(hasConsumer ? [] : [item('consumers', { queue: letters, ...DEAD_LETTER_CONSUMER })]),
	];
}

function item(list: 'producers' | 'consumers', value: object): Addition {
	return { path: ['queues', list], value, isItem: true };
}

function rateLimitAdditions({ ratelimits, vars }: WranglerConfig, name: string): Addition[] {
	const isThere = ratelimits.some((limiter) => RATE_LIMITS.some(({ binding }) => binding === limiter.name));
	if (isThere) return [];
	return RATE_LIMITS.filter(({ variable }) => vars[variable] === undefined).flatMap(
		({ binding, variable, limit, period }): Addition[] => [
			{
				path: ['ratelimits'],
				value: { name: binding, namespace_id: String(limiterNumber(name, binding)), simple: { limit, period } },
				isItem: true,
			},
			{ path: ['vars', variable], value: `${limit}/${period}s` },
		],
	);
}

/** Limiters with the same number count together, in the whole account. This gives each deployment its own numbers. */
export function limiterNumber(name: string, id: string): number {
	return createHash('sha256').update(`${name} ${id}`).digest().readUInt32BE(0) >>> 1;
}

export interface EditedConfig {
	readonly text: string;
	/** The additions that a person has to make, because they would change a line that is there. */
	readonly left: readonly Addition[];
}

/** The configuration with the additions. If the file can't be extended, it stays as it is, and all additions are left. */
export function addToConfig(text: string, file: string, additions: readonly Addition[]): EditedConfig {
	const before = parseText(text, file);
	const edited =
		formatOf(file) === 'toml' ? extendToml(text, before, additions) : { text: editJsonc(text, additions), left: [] };
	try {
		if (contains(parseText(edited.text, file), before))
			return { text: edited.text, left: wholeLists(edited.left, before) };
	} catch {
		// The file uses a form, such as an inline table, that can't be extended.
	}
	return { text, left: wholeLists(additions, before) };
}

/** Several values for one list of plain values, as that whole list. */
function wholeLists(additions: readonly Addition[], there: Readonly<Record<string, unknown>>): Addition[] {
	const lists = new Map<string, unknown[]>();
	return additions.flatMap(({ path, value, isItem }): Addition[] => {
		const [name = '', ...rest] = path;
		if (!isItem || isTableValue(value) || rest.length > 0) return [{ path, value, ...(isItem ? { isItem } : {}) }];
		const known = lists.get(name);
		if (known) {
			known.push(value);
			return [];
		}
		const list = [...(Array.isArray(there[name]) ? there[name] : []), value];
		lists.set(name, list);
		return [{ path, value: list }];
	});
}

function editJsonc(text: string, additions: readonly Addition[]): string {
	const formattingOptions = { insertSpaces: !/^\t/m.test(text), tabSize: /^ {4}\S/m.test(text) ? 4 : 2 };
	return additions.reduce((before, { path, value, isItem }) => {
		const list = isItem ? [...path, -1] : [...path];
		return applyEdits(before, modify(before, list, value, { formattingOptions, isArrayInsertion: isItem === true }));
	}, text);
}

/** Appends tables. A member goes below the header of its table, and a member of the top level below the first lines. */
function extendToml(
	text: string,
	there: Readonly<Record<string, unknown>>,
	additions: readonly Addition[],
): EditedConfig {
	const left: Addition[] = [];
	const tables: Addition[] = [];
	let result = text.trimEnd();
	for (const addition of additions) {
		const [table = '', ...rest] = addition.path;
		const isTable = isTableValue(addition.value) || (rest.length > 0 && !Object.hasOwn(there, table));
		const inserted = isTable ? result : insertTomlLine(result, there, addition);
		if (isTable) tables.push(addition);
		else if (inserted === undefined) left.push(addition);
		else result = inserted;
	}
	return { text: tables.length > 0 ? `${result}\n\n${renderToml(tables)}` : `${result}\n`, left };
}

/** @returns `undefined` when the line would change one that is there. */
function insertTomlLine(
	text: string,
	there: Readonly<Record<string, unknown>>,
	{ path, value, isItem }: Addition,
): string | undefined {
	const [first = ''] = path;
	if (path.length > 1) {
		const header = new RegExp(`^\\[${path.slice(0, -1).join('\\.')}\\][^\\n]*$`, 'm');
		return header.test(text)
			? text.replace(header, (line) => `${line}\n${path.at(-1)} = ${tomlValue(value)}`)
			: undefined;
	}
	if (Object.hasOwn(there, first)) return undefined;
	const line = `${first} = ${tomlValue(isItem ? [value] : value)}`;
	const firstTable = text.search(/^\s*\[/m);
	const date = /^compatibility_date\s*=[^\n]*$/m.exec(text);
	if (date === null || (firstTable >= 0 && date.index > firstTable)) return `${line}\n${text}`;
	return text.replace(date[0], (known) => `${known}\n${line}`);
}

function isTableValue(value: unknown): value is object {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The additions as lines and tables of TOML. */
export function renderToml(additions: readonly Addition[]): string {
	const lines = additions.filter(({ value }) => !isTableValue(value));
	const tables = new Map<string, string[]>([['', []]]);
	for (const { path, value, isItem } of lines) {
		const table = path.slice(0, -1).join('.');
		const line = `${path.at(-1)} = ${tomlValue(isItem ? [value] : value)}`;
		tables.set(table, [...(tables.get(table) ?? [`[${table}]`]), line]);
	}
	const blocks = additions.flatMap(({ path, value, isItem }) => {
		if (!isTableValue(value)) return [];
		const header = isItem ? `[[${path.join('.')}]]` : `[${path.join('.')}]`;
		return [[header, ...Object.entries(value).map(([name, member]) => `${name} = ${tomlValue(member)}`)]];
	});
	const all = [
		tables.get('') ?? [],
		...blocks,
		...[...tables].filter(([name]) => name !== '').map(([, block]) => block),
	];
	return `${all
		.filter(({ length }) => length > 0)
		.map((block) => block.join('\n'))
		.join('\n\n')}\n`;
}

function tomlValue(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	return `{ ${Object.entries(value)
		.map(([name, member]) => `${name} = ${tomlValue(member)}`)
		.join(', ')} }`;
}

const MAX_LINE_CELLS = 200;

/** A new configuration as JSON: a flat object or list is one line, so that each queue is a line. */
export function renderJsonc(value: unknown, indent = ''): string {
	const flat = JSON.stringify(value, undefined, ' ').replace(/\s*\n\s*/g, ' ');
	if (typeof value !== 'object' || value === null) return flat;
	const members = Object.values(value);
	const isDeep = members.some((member) => typeof member === 'object');
	if (indent !== '' && !isDeep && flat.length < MAX_LINE_CELLS) return flat;
	const inner = `${indent}\t`;
	const lines = Array.isArray(value)
		? value.map((member) => `${inner}${renderJsonc(member, inner)}`)
		: Object.entries(value).map(([name, member]) => `${inner}${JSON.stringify(name)}: ${renderJsonc(member, inner)}`);
	const [open, close] = Array.isArray(value) ? '[]' : '{}';
	return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

/** The value of a configuration with nothing but the additions. */
export function applyAdditions(
	base: Readonly<Record<string, unknown>>,
	additions: readonly Addition[],
): Record<string, unknown> {
	return JSON.parse(editJsonc(JSON.stringify(base), additions)) as Record<string, unknown>;
}

/** Whether everything in `part` is in `whole`, in the same order. */
function contains(whole: unknown, part: unknown): boolean {
	if (typeof part !== 'object' || part === null) return Object.is(whole, part);
	if (typeof whole !== 'object' || whole === null) return false;
	return Object.entries(part).every(([name, value]) => contains((whole as Record<string, unknown>)[name], value));
}
