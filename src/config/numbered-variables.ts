/**
 * Joins numbered secrets. A secret of the platform holds 5 KB, about 30 API keys. `API_KEYS_2`, `API_KEYS_3`, … hold more. Each
 * is JSON of the same form. Pure.
 */

const CONTINUED = ['API_KEYS', 'WEBHOOK_SECRETS'] as const;

type Variables = Readonly<Record<string, unknown>>;

/** A numbered variable is invalid. */
export class WrongPart extends Error {
	override readonly name = 'WrongPart';
	readonly variable: string;

	constructor(variable: string, reason: string) {
		super(`${variable}: ${reason}`);
		this.variable = variable;
	}
}

/**
 * The variables, with each numbered one merged into the variable without a number.
 *
 * @throws {WrongPart} for a gap in the numbers, for invalid JSON, and for a form that differs from the first variable's.
 */
export function joinNumberedVariables(env: Variables): Variables {
	const joined = CONTINUED.flatMap((name) => {
		const parts = findParts(name, env);
		return parts.length > 0 ? [[name, joinParts([name, ...parts], env)] as const] : [];
	});
	return joined.length > 0 ? { ...env, ...Object.fromEntries(joined) } : env;
}

function findParts(name: string, env: Variables): string[] {
	const numbers = Object.keys(env)
		.map((key) => Number(new RegExp(`^${name}_([1-9]\\d*)$`).exec(key)?.[1]))
		.filter((number) => !Number.isNaN(number) && env[`${name}_${number}`] !== undefined)
		.sort((a, b) => a - b);
	for (const [index, number] of numbers.entries()) {
		if (number !== index + 2) throw new WrongPart(`${name}_${number}`, `expected ${name}_${index + 2} before it`);
	}
	return numbers.map((number) => `${name}_${number}`);
}

function joinParts(names: readonly string[], env: Variables): string {
	const values = names.map((name) => parsePart(name, env[name]));
	const [first] = values;
	const other = names.find((_, index) => Array.isArray(values[index]) !== Array.isArray(first));
	if (other !== undefined) throw new WrongPart(other, `expected the same form as ${names[0]}: a list, or an object`);
	if (Array.isArray(first)) return JSON.stringify(values.flat());
	const lists = new Map<string, unknown[]>();
	for (const [key, value] of values.flatMap((part) => Object.entries(part as Record<string, unknown>)))
		lists.set(key, [...(lists.get(key) ?? []), ...(Array.isArray(value) ? value : [value])]);
	return JSON.stringify(Object.fromEntries(lists));
}

function parsePart(name: string, text: unknown): object {
	try {
		const value: unknown = JSON.parse(String(text));
		if (typeof value === 'object' && value !== null) return value;
	} catch {
		// Reported below without details: the value is secret, and the parser's message quotes it.
	}
	throw new WrongPart(name, 'expected JSON: a list, or an object');
}
