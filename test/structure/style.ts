/** Counts what makes source readable or not: `npm run check:style` prints it, and `style.test.ts` holds it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Node, parseSync, visitorKeys } from 'oxc-parser';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceText {
	/** Relative to the root of the repository. */
	readonly path: string;
	readonly text: string;
}

/** The TypeScript files of a folder and of the folders in it. */
export function readSources(folder: string, root = ROOT): SourceText[] {
	return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.ts'))
		.map((name) => join(folder, name))
		.sort()
		.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** A function of a file, with what a reader meets in it. */
export interface FunctionFacts {
	readonly path: string;
	/** Left out for a function without a name. */
	readonly name?: string;
	readonly isMethod: boolean;
	readonly lines: number;
	/** How many blocks stand in one another: `if`, loops, `switch`, `try`. */
	readonly nesting: number;
	/** Parameters by position. */
	readonly parameters: number;
}

type AnyNode = Node & Record<string, unknown>;

const FUNCTIONS: ReadonlySet<string> = new Set([
	'FunctionDeclaration',
	'FunctionExpression',
	'ArrowFunctionExpression',
]);
const NESTS: ReadonlySet<string> = new Set([
	'IfStatement',
	'ForStatement',
	'ForOfStatement',
	'ForInStatement',
	'WhileStatement',
	'DoWhileStatement',
	'SwitchStatement',
	'TryStatement',
]);

export function functionsOf({ path, text }: SourceText): FunctionFacts[] {
	const found: FunctionFacts[] = [];
	walk(parse({ path, text }).program as unknown as AnyNode, undefined, (node, parent) => {
		if (!FUNCTIONS.has(node.type) || !node.body) return;
		const name = nameOf(node, parent);
		const { params } = node as unknown as { params: readonly { name?: string }[] };
		found.push({
			path,
			...(name !== undefined && { name }),
			isMethod: parent?.type === 'MethodDefinition' || parent?.type === 'Property',
			lines: text.slice(node.start, node.end).split('\n').length,
			nesting: nestingOf(node),
			parameters: params.filter((parameter) => parameter.name !== 'this').length,
		});
	});
	return found;
}

function nameOf(node: AnyNode, parent: AnyNode | undefined): string | undefined {
	const { name } = (node.id ?? {}) as { name?: string };
	if (name !== undefined) return name;
	const { id, key } = (parent ?? {}) as { id?: { name?: string }; key?: { name?: string } };
	return parent?.type === 'VariableDeclarator' ? id?.name : key?.name;
}

/** An `else if` is not deeper than its `if`; a function in a function is counted by itself. */
function nestingOf(node: AnyNode): number {
	let deepest = 0;
	for (const child of childrenOf(node)) {
		if (FUNCTIONS.has(child.type)) continue;
		const isElseIf = node.type === 'IfStatement' && child.type === 'IfStatement' && node.alternate === child;
		deepest = Math.max(deepest, nestingOf(child) + (NESTS.has(child.type) && !isElseIf ? 1 : 0));
	}
	return deepest;
}

/** Function names (not methods) that stand in several files, each with those files. */
export function sharedNames(functions: readonly FunctionFacts[]): Map<string, string[]> {
	const files = new Map<string, Set<string>>();
	for (const { name, path, isMethod } of functions)
		if (name !== undefined && !isMethod) files.set(name, (files.get(name) ?? new Set()).add(path));
	return new Map([...files].filter(([, paths]) => paths.size > 1).map(([name, paths]) => [name, [...paths]]));
}

/** The comments of a file, each as one text. Directives for tools are none. */
export function commentsOf(source: SourceText): string[] {
	return parse(source)
		.comments.map(({ value }) => value.replace(/^\s*\*/gm, ' '))
		.filter((comment) => !/^\s*(@ts-|biome-ignore|\/ <)/.test(comment));
}

/** Words that stand for a subject that could be named. Each has plain uses, so a file has a small budget. */
const VAGUE_WORDS = /\b(?:who|whoever|whom|nobody|somebody|anybody|everybody|so (?:many|much|often)|of which)\b/gi;

export function vagueWordsOf(text: string): string[] {
	return [...text.matchAll(VAGUE_WORDS)].map(([word]) => word.toLowerCase());
}

/** The string literals of a file that have several words: error texts, titles, log lines. */
export function sentencesOf(source: SourceText): string[] {
	const found: string[] = [];
	walk(parse(source).program as unknown as AnyNode, undefined, (node) => {
		const { value } = node as { value?: unknown };
		const text = node.type === 'TemplateElement' ? (value as { cooked?: string }).cooked : value;
		const isText = node.type === 'TemplateElement' || node.type === 'Literal';
		if (isText && typeof text === 'string' && text.trim().includes(' ')) found.push(text);
	});
	return found;
}

/** `...(x && { x })`: a field that is left out where there is no value. */
export function conditionalSpreadsOf({ text }: SourceText): number {
	return text.match(/\.\.\.\(.*?&& \{/g)?.length ?? 0;
}

function parse({ path, text }: SourceText) {
	const result = parseSync(path, text);
	const [error] = result.errors;
	if (error) throw new Error(`${path}: ${error.message}`);
	return result;
}

function walk(node: AnyNode, parent: AnyNode | undefined, visit: (node: AnyNode, parent?: AnyNode) => void): void {
	visit(node, parent);
	for (const child of childrenOf(node)) walk(child, node, visit);
}

function childrenOf(node: AnyNode): AnyNode[] {
	return (visitorKeys[node.type] ?? []).flatMap((key) => {
		const value = node[key];
		return (Array.isArray(value) ? value : [value]).filter((child) => typeof child === 'object' && child !== null);
	}) as AnyNode[];
}
