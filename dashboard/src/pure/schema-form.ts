/** A form made of a JSON Schema, and JSON made of the form. Numbers stay text, so that they arrive as they were typed. */

export interface Field {
	/** The members on the way to the value: `error.code`. */
	readonly name: string;
	/** The same members one by one: a member's own name may have a dot. */
	readonly path: readonly string[];
	readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';
	readonly isRequired: boolean;
	readonly description?: string;
	readonly choices?: readonly string[];
	/** As the form shows it. */
	readonly default?: string;
}

interface Schema {
	readonly type?: string;
	readonly properties?: Readonly<Record<string, Schema>>;
	readonly required?: readonly string[];
	readonly enum?: readonly unknown[];
	readonly description?: string;
	readonly default?: unknown;
}

/** Objects in objects are fields of their own up to this depth; deeper ones are JSON. */
const MAX_DEPTH = 3;

/** The fields of an object; `undefined` for a schema that no form can show. */
export function fieldsOf(schema: object | undefined): Field[] | undefined {
	const { type, properties } = (schema ?? {}) as Schema;
	if (type !== 'object' || !properties) return undefined;
	return fieldsIn(schema as Schema, [], true);
}

function fieldsIn(
	{ properties = {}, required = [] }: Schema,
	path: readonly string[],
	isParentRequired: boolean,
): Field[] {
	return Object.entries(properties).flatMap(([member, schema]) => {
		const place = [...path, member];
		const isRequired = isParentRequired && required.includes(member);
		// A form's values have only the names, in which a way through this object could not be told from another.
		const isPlain = !member.includes('.');
		if (isPlain && schema.type === 'object' && schema.properties && place.length < MAX_DEPTH)
			return fieldsIn(schema, place, isRequired);
		return [fieldOf(schema, place, isRequired)];
	});
}

function fieldOf(schema: Schema, path: readonly string[], isRequired: boolean): Field {
	const { description, default: usual } = schema;
	return {
		name: path.join('.'),
		path,
		isRequired,
		...kindOf(schema),
		...(description !== undefined && { description }),
		...(usual !== undefined && { default: typeof usual === 'string' ? usual : JSON.stringify(usual) }),
	};
}

function kindOf({ type, enum: choices }: Schema): Pick<Field, 'kind' | 'choices'> {
	if (choices?.every((choice) => typeof choice === 'string')) return { kind: 'choice', choices: choices as string[] };
	if (type === 'string') return { kind: 'text' };
	if (type === 'number' || type === 'integer' || type === 'boolean') return { kind: type };
	return { kind: 'json' };
}

export type Values = Readonly<Record<string, string>>;

/** A field's text can't become its value. */
export class FieldError extends Error {
	override readonly name = 'FieldError';
	readonly field: string;

	constructor(field: string, message: string) {
		super(`${field}: ${message}`);
		this.field = field;
	}
}

/** JSON text: what a tree of members says. A field without text is left out, and so is an object without members. */
type Tree = Map<string, Tree | string>;

/** @throws {FieldError} */
export function inputText(fields: readonly Field[], values: Values): string {
	const root: Tree = new Map();
	for (const field of fields) {
		const text = values[field.name] ?? '';
		if (text === '' && !(field.isRequired && field.kind === 'text')) continue;
		place(root, field.path, valueText(field, text));
	}
	return treeText(root);
}

function place(tree: Tree, [member = '', ...rest]: readonly string[], text: string): void {
	if (rest.length === 0) {
		tree.set(member, text);
		return;
	}
	const below = tree.get(member);
	const inner: Tree = below instanceof Map ? below : new Map();
	tree.set(member, inner);
	place(inner, rest, text);
}

function treeText(tree: Tree): string {
	const members = [...tree].map(
		([name, value]) => `${JSON.stringify(name)}:${typeof value === 'string' ? value : treeText(value)}`,
	);
	return `{${members.join(',')}}`;
}

/** The grammar of numbers in JSON (RFC 8259 §6). */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function valueText({ name, kind }: Field, text: string): string {
	switch (kind) {
		case 'text':
		case 'choice':
			return JSON.stringify(text);
		case 'number':
		case 'integer':
			if (NUMBER.test(text.trim())) return text.trim();
			throw new FieldError(name, `expected a number, got: ${text}`);
		case 'boolean':
			return text;
		case 'json':
			return checkedJson(name, text);
	}
}

function checkedJson(name: string, text: string): string {
	try {
		JSON.parse(text);
		return text;
	} catch {
		throw new FieldError(name, 'expected JSON');
	}
}

/** The form's values of an input; `undefined` where the form has no place for a part of it. */
export function valuesOf(fields: readonly Field[], text: string): Values | undefined {
	const values: Record<string, string> = {};
	const names = new Map(fields.map((field) => [field.name, field]));
	const isComplete = collect(parseExactly(text), '', { names, values });
	return isComplete ? values : undefined;
}

interface Collected {
	readonly names: ReadonlyMap<string, Field>;
	readonly values: Record<string, string>;
}

function collect(value: unknown, path: string, collected: Collected): boolean {
	const field = collected.names.get(path);
	if (field) {
		const isText = (field.kind === 'text' || field.kind === 'choice') && typeof value === 'string';
		collected.values[path] = isText ? value : exactText(value);
		return isText || (field.kind !== 'text' && field.kind !== 'choice');
	}
	if (typeof value !== 'object' || value === null || value instanceof ExactNumber || Array.isArray(value)) return false;
	return Object.entries(value).every(([name, inner]) =>
		collect(inner, path === '' ? name : `${path}.${name}`, collected),
	);
}

/** A number as it is written. */
class ExactNumber {
	readonly source: string;

	constructor(source: string) {
		this.source = source;
	}
}

/** JSON with each number as its source, where the browser tells it. */
function parseExactly(text: string): unknown {
	const revive = (_: string, value: unknown, context?: { readonly source?: string }) =>
		typeof value === 'number' ? new ExactNumber(context?.source ?? String(value)) : value;
	try {
		return JSON.parse(text, revive);
	} catch {
		return undefined;
	}
}

function exactText(value: unknown): string {
	if (value instanceof ExactNumber) return value.source;
	if (Array.isArray(value)) return `[${value.map(exactText).join(',')}]`;
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	return `{${Object.entries(value)
		.map(([name, inner]) => `${JSON.stringify(name)}:${exactText(inner)}`)
		.join(',')}}`;
}
