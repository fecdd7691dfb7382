/**
 * Prints how readable the source is, in counts.
 *
 *     npm run check:style
 *     npm run check:style -- --names             also lists the names behind the counts
 *     npm run check:style -- --beside ../other    beside another checkout
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../demo/terminal.ts';
import {
	commentsOf,
	conditionalSpreadsOf,
	functionsOf,
	ROOT,
	readSources,
	sentencesOf,
	sharedNames,
	vagueWordsOf,
} from './style.ts';

const { values } = parseArgs({ options: { names: { type: 'boolean', default: false }, beside: { type: 'string' } } });

const MOST_PARAMETERS = 3;

interface Counts {
	readonly rows: Readonly<Record<string, number | string>>;
	readonly shared: ReadonlyMap<string, readonly string[]>;
}

function count(root: string): Counts {
	const sources = readSources('src', root);
	const functions = sources.flatMap(functionsOf);
	const named = functions.filter(({ name, isMethod }) => name !== undefined && !isMethod);
	const names = new Set(named.map(({ name }) => name as string));
	const shared = sharedNames(functions);
	const comments = sources.flatMap(commentsOf);
	const words = comments.join(' ').trim().split(/\s+/).length;
	const vague = comments.flatMap(vagueWordsOf).length;
	const readme = readFileSync(join(root, 'README.md'), 'utf8').trim();
	return {
		shared,
		rows: {
			'longest function, lines': Math.max(...functions.map(({ lines }) => lines)),
			'deepest nesting of blocks': Math.max(...functions.map(({ nesting }) => nesting)),
			'function names': names.size,
			'function names in several files': shared.size,
			'names ending in "Of"': [...names].filter((name) => name.endsWith('Of')).length,
			[`functions with more than ${MOST_PARAMETERS} positional parameters`]: functions.filter(
				({ parameters }) => parameters > MOST_PARAMETERS,
			).length,
			'conditional spreads': sources.reduce((sum, source) => sum + conditionalSpreadsOf(source), 0),
			'words in comments': words,
			'vague words in comments, per 1,000': ((1_000 * vague) / words).toFixed(1),
			'vague words in texts': sources.flatMap(sentencesOf).flatMap(vagueWordsOf).length,
			'words in README.md': readme.split(/\s+/).length,
		},
	};
}

const here = count(ROOT);
const other = values.beside === undefined ? undefined : count(resolve(values.beside));
table(Object.entries(here.rows).map(([what, number]) => [what, String(number), String(other?.rows[what] ?? '')]));
if (values.names) for (const [name, paths] of here.shared) console.log(`${name}: ${paths.join(', ')}`);
