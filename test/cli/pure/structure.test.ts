/** The command line is held to the rules of the source: pure parts stay pure, and functions stay small. */
import { describe, expect, it } from 'vitest';
import { commentsOf, functionsOf, readSources, sentencesOf, sharedNames, vagueWordsOf } from '../../structure/style.ts';

const SOURCES = readSources('cli');
const FUNCTIONS = SOURCES.flatMap(functionsOf);
/** The files that read, write, wait or talk to a server. */
const SHELL = [
	/^cli\/(commands|build)\//,
	/^cli\/terminal\/(output|confirm)\.ts$/,
	/^cli\/configuration\/find\.ts$/,
	/^cli\/job\/(follow|result|save)\.ts$/,
	// Its texts are the source of Workers.
	/^cli\/init\/templates\.ts$/,
	/^cli\/(main|run|commands|connection|interrupt)\.ts$/,
];
const IMPURE =
	/node:(fs|child_process|readline|stream)|\bprocess\.|\bconsole\.|(?<![.\w])fetch\(|Date\.now|new Date\(\)|Math\.random|randomBytes|setTimeout/;
/** Comments name what they are about, also `process.env`. */
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

describe('the command line', () => {
	it('reads, writes and waits only in its shell', () => {
		const pure = SOURCES.filter(({ path }) => !SHELL.some((shell) => shell.test(path)));
		expect(pure.length).toBeGreaterThan(15);
		expect(pure.filter(({ text }) => IMPURE.test(withoutComments(text))).map(({ path }) => path)).toEqual([]);
	});

	it('has small functions with names of their own', () => {
		const large = FUNCTIONS.filter(({ lines, nesting, parameters }) => lines > 40 || nesting > 4 || parameters > 3);
		expect(large).toEqual([]);
		expect([...sharedNames(FUNCTIONS)]).toEqual([]);
	});

	it('names its subjects', () => {
		const vague = SOURCES.map((source) => ({
			path: source.path,
			words: [...commentsOf(source), ...sentencesOf(source)].flatMap(vagueWordsOf),
		}));
		expect(vague.filter(({ words }) => words.length > 0)).toEqual([]);
	});
});
