/** A Worker's wrangler configuration, as far as Coatcheck depends on it. Pure. */
import { type ParseError, parse as parseJsonc, printParseErrorCode } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import * as z from 'zod';
import { UsageError } from '../failure.ts';

export type ConfigFormat = 'toml' | 'jsonc';

const producer = z.object({ binding: z.string(), queue: z.string() });
const consumer = z.object({
	queue: z.string(),
	max_batch_size: z.number().optional(),
	max_batch_timeout: z.number().optional(),
	max_retries: z.number().optional(),
	retry_delay: z.number().optional(),
	dead_letter_queue: z.string().optional(),
});
const rateLimiter = z.object({
	name: z.string(),
	simple: z.object({ limit: z.number(), period: z.number() }),
});
const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).default([]);

/** What an environment does not inherit from the top level. */
const ENVIRONMENT_ONLY = {
	vars: z.record(z.string(), z.unknown()).default({}),
	durable_objects: z
		.object({ bindings: listOf(z.object({ name: z.string(), class_name: z.string() })) })
		.default({ bindings: [] }),
	queues: z
		.object({ producers: listOf(producer), consumers: listOf(consumer) })
		.default({ producers: [], consumers: [] }),
	ratelimits: listOf(rateLimiter),
};

const CONFIG = z.object({
	...ENVIRONMENT_ONLY,
	name: z.string().optional(),
	main: z.string().optional(),
	build: z.object({ command: z.string().optional() }).optional(),
	compatibility_date: z.string().optional(),
	compatibility_flags: listOf(z.string()),
	exports: z.record(z.string(), z.looseObject({ storage: z.string().optional() })).default({}),
	migrations: listOf(z.object({ new_classes: listOf(z.string()), new_sqlite_classes: listOf(z.string()) })),
	limits: z.object({ cpu_ms: z.number().optional() }).optional(),
	observability: z
		.object({
			redact_query_string: z.boolean().optional(),
			logs: z.object({ invocation_logs: z.boolean().optional() }).optional(),
		})
		.optional(),
});

/** What a person has chosen of wrangler's configurations. */
export interface ConfigChoice {
	/** The name of one of its environments. Default: the top level. */
	readonly environment?: string | undefined;
	/** The file, as wrangler's `--config`. Default: that of the folder. */
	readonly path?: string | undefined;
}

export interface WranglerConfig extends z.infer<typeof CONFIG> {
	readonly origin: ConfigChoice & {
		/** The members that the environment has itself. Without an environment there are none. */
		readonly ownMembers: readonly string[];
	};
}
export type QueueProducer = z.infer<typeof producer>;
export type QueueConsumer = z.infer<typeof consumer>;

/** Whether the configuration gives a class of objects its storage: in `exports`, or by a migration. */
export function isDeclared({ exports, migrations }: WranglerConfig, className: string): boolean {
	const declared = Object.hasOwn(exports, className) ? exports[className] : undefined;
	return (
		declared?.storage === 'sqlite' || migrations.some(({ new_sqlite_classes: names }) => names.includes(className))
	);
}

/** Whether an environment has, or must have, a member of its own: it inherits the others from the top level. */
export function isOwnMember({ origin: { ownMembers } }: WranglerConfig, member: string): boolean {
	return Object.hasOwn(ENVIRONMENT_ONLY, member) || ownMembers.includes(member);
}

/** Whether the entry is there, or will be after the build. @param isThere whether the folder has a file. */
export async function hasEntry(
	{ main, build }: WranglerConfig,
	isThere: (path: string) => Promise<boolean>,
): Promise<boolean> {
	return main !== undefined && (build?.command !== undefined || (await isThere(main)));
}

/** @throws {UsageError} names the file and the place. */
export function parseText(text: string, file: string): Readonly<Record<string, unknown>> {
	const value = formatOf(file) === 'toml' ? parseTomlFile(text, file) : parseJsoncFile(text, file);
	if (typeof value !== 'object' || value === null || Array.isArray(value))
		throw new UsageError(`${file}: expected an object`);
	return value as Record<string, unknown>;
}

/** @param choice of the environment, whose file is read already. @throws {UsageError} */
export function readWranglerConfig(text: string, file: string, choice: ConfigChoice = {}): WranglerConfig {
	const { environment } = choice;
	const { env = {}, ...top } = parseText(text, file);
	if (environment === undefined) return { ...checked(top, file), origin: { ...choice, ownMembers: [] } };
	const own = Object.hasOwn(env as object, environment) ? (env as Record<string, object>)[environment] : undefined;
	if (own === undefined) throw new UsageError(`${file}: expected an environment "${environment}"`);
	const inherited = Object.entries(top).filter(([name]) => !Object.hasOwn(ENVIRONMENT_ONLY, name));
	const name = typeof top.name === 'string' ? { name: `${top.name}-${environment}` } : {};
	const members = checked({ ...Object.fromEntries(inherited), ...name, ...own }, file);
	return { ...members, origin: { ...choice, ownMembers: Object.keys(own) } };
}

export function formatOf(file: string): ConfigFormat {
	return file.endsWith('.toml') ? 'toml' : 'jsonc';
}

function checked(value: object, file: string): z.infer<typeof CONFIG> {
	const { data, error } = CONFIG.safeParse(value);
	if (data) return data;
	const [issue] = error.issues;
	throw new UsageError(`${file}: ${issue?.path.join('.')}: ${issue?.message}`);
}

function parseTomlFile(text: string, file: string): unknown {
	try {
		return parseToml(text);
	} catch (error) {
		const { line, column, message } = error as Error & { line?: number; column?: number };
		throw new UsageError(`${file}:${line}:${column}: ${message.split('\n')[0]}`);
	}
}

function parseJsoncFile(text: string, file: string): unknown {
	const errors: ParseError[] = [];
	const value: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
	const [error] = errors;
	if (!error) return value;
	const line = text.slice(0, error.offset).split('\n').length;
	throw new UsageError(`${file}:${line}: ${printParseErrorCode(error.error)}`);
}
