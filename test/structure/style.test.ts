import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
	commentsOf,
	conditionalSpreadsOf,
	functionsOf,
	ROOT,
	readSources,
	type SourceText,
	sentencesOf,
	sharedNames,
	vagueWordsOf,
} from './style.ts';

/** Lower a number when the source allows it; never raise one. */
const LIMITS = {
	functionLines: 40,
	nesting: 4,
	positionalParameters: 3,
	namesEndingInOf: 15,
	conditionalSpreads: 8,
	vagueWordsAFile: 1,
	vagueWordsAPage: 3,
	readmeWords: 950,
} as const;

const SOURCES = readSources('src');
const FUNCTIONS = SOURCES.flatMap(functionsOf);
const PAGES: readonly SourceText[] = [
	'README.md',
	'CONTRIBUTING.md',
	'SECURITY.md',
	...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.md'))
		.map((name) => `docs/${name}`),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

describe('a function', () => {
	it(`has at most ${LIMITS.functionLines} lines and ${LIMITS.nesting} levels of blocks`, () => {
		const isTooMuch = FUNCTIONS.filter(
			({ lines, nesting }) => lines > LIMITS.functionLines || nesting > LIMITS.nesting,
		);
		expect(isTooMuch).toEqual([]);
	});

	it(`has at most ${LIMITS.positionalParameters} positional parameters`, () => {
		expect(FUNCTIONS.filter(({ parameters }) => parameters > LIMITS.positionalParameters)).toEqual([]);
	});

	it('shares its name with no function of another file', () => {
		expect([...sharedNames(FUNCTIONS)]).toEqual([]);
	});
});

describe('a comment, an error text or a log line', () => {
	it(`names its subject: at most ${LIMITS.vagueWordsAFile} vague words a file`, () => {
		const vague = SOURCES.map((source) => ({
			path: source.path,
			words: [...commentsOf(source), ...sentencesOf(source)].flatMap(vagueWordsOf),
		}));
		expect(vague.filter(({ words }) => words.length > LIMITS.vagueWordsAFile)).toEqual([]);
	});
});

describe('a page', () => {
	it(`names its subjects: at most ${LIMITS.vagueWordsAPage} vague words`, () => {
		const vague = PAGES.map(({ path, text }) => ({ path, words: vagueWordsOf(text) }));
		expect(vague.filter(({ words }) => words.length > LIMITS.vagueWordsAPage)).toEqual([]);
	});

	it(`for a stranger with five minutes has at most ${LIMITS.readmeWords} words`, () => {
		const readme = PAGES.find(({ path }) => path === 'README.md');
		expect(readme?.text.split(/\s+/).length).toBeLessThanOrEqual(LIMITS.readmeWords);
	});
});

describe('the source', () => {
	it('leaves out fields that have no value in few places by a spread', () => {
		const spreads = SOURCES.reduce((sum, source) => sum + conditionalSpreadsOf(source), 0);
		expect(spreads).toBeLessThanOrEqual(LIMITS.conditionalSpreads);
	});

	it('has few names that end in "Of"', () => {
		const functions = FUNCTIONS.filter(({ isMethod }) => !isMethod);
		const names = new Set(functions.map(({ name }) => name).filter((name) => name?.endsWith('Of')));
		expect(names.size).toBeLessThanOrEqual(LIMITS.namesEndingInOf);
	});
});
