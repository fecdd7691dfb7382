/** The description of the API has all that the code reads, and the API's page says what the description says. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/http/problem.ts';
import { ROOT, readSources } from './style.ts';

const PAGE = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
const writePage = (flag: string) =>
	execFileSync(process.execPath, ['deploy/api-page.ts', flag], { cwd: ROOT, encoding: 'utf8', maxBuffer: 10_000_000 });

describe('docs/api.md', () => {
	it('has the tables that `npm run docs` writes', () => {
		expect(() => writePage('--check')).not.toThrow();
	});

	it('has each route and each code', () => {
		const routes = readFileSync(join(ROOT, 'src/http/routes.ts'), 'utf8');
		const paths = [...routes.matchAll(/\broute\('[A-Z]+ ([^']+)'/g)].map(([, path = '']) => path);
		expect(paths.length).toBeGreaterThan(30);
		const shown = paths.map((path) => path.replace(':upstream/*', '{upstream}/{path…}').replaceAll(/:(\w+)/g, '{$1}'));
		expect(shown.filter((path) => !PAGE.includes(` ${path}\``) && !PAGE.includes(`\`${path}\``))).toEqual([]);
		expect(Object.keys(PROBLEMS).filter((code) => !PAGE.includes(`\`${code}\``))).toEqual([]);
	});
});

interface Parameter {
	readonly in: string;
	readonly name: string;
}

/** OpenAPI describes them as media types and as security. */
const ELSEWHERE = ['accept', 'content-type', 'authorization', 'cf-access-jwt-assertion', 'token'];
/** No client of the API sets them itself. */
const OF_OTHERS = [
	'access-control-request-headers',
	'access-control-request-method',
	'cf-connecting-ip',
	'content-length',
	'origin',
	'sec-fetch-dest',
	'sec-fetch-mode',
	'sec-fetch-site',
];
/** Headers of responses. */
const OF_RESPONSES = ['coatcheck-reason', 'content-disposition', 'etag', 'last-modified', 'retry-after'];

describe('the description of the API', () => {
	const { components } = JSON.parse(writePage('--print')) as {
		components: { parameters: Record<string, Parameter>; securitySchemes: object };
	};
	const parameters = Object.values(components.parameters);
	const code = readSources('src/http')
		.filter(({ path }) => !path.includes('/description/'))
		.map(({ text }) => text)
		.join('\n');
	const readBy = (call: RegExp) => [...new Set([...code.matchAll(call)].map(([, name = '']) => name))];
	const described = (place: string) =>
		parameters.filter((one) => one.in === place).map(({ name }) => name.toLowerCase());

	it('has each header that the code reads', () => {
		const read = readBy(/\b(?:headers|sent)\.(?:get|has)\('([^']+)'\)/g);
		expect(read.length).toBeGreaterThan(20);
		const known = [...described('header'), ...ELSEWHERE, ...OF_OTHERS, ...OF_RESPONSES];
		expect(read.filter((name) => !known.includes(name))).toEqual([]);
		// The options of a submission, and the type of an event.
		const options = [
			...new Set([...code.matchAll(/'(Coatcheck-[A-Za-z-]+)'/g)].map(([, name = '']) => name.toLowerCase())),
		];
		expect(options.length).toBeGreaterThan(10);
		expect(options.filter((name) => !described('header').includes(name))).toEqual([]);
	});

	it('has each query parameter that the code reads', () => {
		const read = readBy(/\b(?:searchParams|query)\.(?:get|has|getAll)\('([^']+)'\)/g).map((name) => name.toLowerCase());
		expect(read.length).toBeGreaterThan(5);
		expect(read.filter((name) => ![...described('query'), ...ELSEWHERE].includes(name))).toEqual([]);
	});
});
