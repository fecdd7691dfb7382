/** The API's page lists exactly the existing routes and codes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/http/problem.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const PAGE = read('docs/api.md');
const PATHS = [...read('src/http/routes.ts').matchAll(/\broute\('[A-Z]+ ([^']+)'/g)].map(([, path = '']) => path);

describe('docs/api.md', () => {
	it('has each route', () => {
		expect(PATHS.length).toBeGreaterThan(15);
		const missing = PATHS.map((path) => path.replace(/:upstream\/\*/, '{name}/…').replaceAll(/:(\w+)/g, '{$1}'))
			// Of the external worker's three routes, the page names the last two by their end.
			.map((path) => path.replace('/v1/jobs/{id}/complete', '`/complete`').replace('/v1/jobs/{id}/fail', '`/fail`'))
			.filter((path) => !PAGE.includes(path));
		expect(missing).toEqual([]);
	});

	it('has each code with its status', () => {
		const [, refusals = ''] = PAGE.split('## Refusals');
		const rows = refusals.split('\n').filter((line) => /^\| \d/.test(line));
		const shown = rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map(([, code]) => code));
		expect(shown.toSorted()).toEqual(Object.keys(PROBLEMS).toSorted());
		for (const row of rows) {
			const [, statuses = '', codes = ''] = row.split('|');
			const wanted = statuses.split(',').map(Number);
			const found = [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => PROBLEMS[code as keyof typeof PROBLEMS][0]);
			expect([...new Set(found)].toSorted()).toEqual(wanted.toSorted());
		}
	});
});
