import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INVARIANTS, MUTANTS } from '../mutations/mutants.ts';
import { ROOT } from './style.ts';

const PAGE = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8');

describe('docs/reliability.md', () => {
	it('lists every mutation with its invariant, and how many there are', () => {
		const rows = MUTANTS.map(
			({ invariant, breaks, killer }) =>
				`| ${invariant}. ${INVARIANTS[invariant]} | ${breaks} | ${'file' in killer ? `\`${killer.file}\`` : 'the simulation'} |`,
		);
		expect(rows.filter((row) => !PAGE.includes(row))).toEqual([]);
		expect(PAGE).toContain(`| ${MUTANTS.length} breaks; CI fails if a test misses one of them |`);
	});
});

describe('every mutation', () => {
	it('breaks a text that its file has exactly once', () => {
		const lost = MUTANTS.filter(
			({ file, search }) => readFileSync(join(ROOT, file), 'utf8').split(search).length !== 2,
		);
		expect(lost.map(({ breaks, file }) => `${breaks}: ${file}`)).toEqual([]);
	});
});
