import { describe, expect, it } from 'vitest';
import { type Files, type InitOptions, planInit } from '../../../cli/init/plan.ts';
import { addedLines, renderPlan } from '../../../cli/init/show.ts';
import { PLAIN } from '../../../cli/terminal/style.ts';

const OPTIONS: InitOptions = {
	name: 'shop',
	version: '0.1.0',
	nodeMajor: 24,
	configFile: undefined,
	secrets: { signingKeys: '{"k1":"c2VjcmV0"}', webhookSecret: 'whsec_secret' },
};
const WORKER = `export default { fetch: () => new Response('shop') };\n`;

/** The files after the plan. */
function applied(files: Files, options: InitOptions): Files {
	const { changes } = planInit(files, options);
	return { ...files, ...Object.fromEntries(changes.map(({ path, after }) => [path, after])) };
}

describe('init', () => {
	it('makes a Worker of an empty folder', () => {
		const { changes, steps } = planInit({}, OPTIONS);
		expect(changes.map(({ path }) => path).sort()).toEqual([
			...['.dev.vars', '.gitignore', 'package.json', 'src/index.ts', 'src/tasks/greet.ts'],
			...['tsconfig.json', 'wrangler.jsonc'],
		]);
		expect(changes.every(({ before }) => before === undefined)).toBe(true);
		expect(steps).toEqual([{ text: 'npm install' }]);
	});

	it.each([
		['an empty folder', {}, OPTIONS],
		[
			'a Worker',
			{ 'wrangler.toml': 'name = "shop"\nmain = "src/worker.ts"\n', 'src/worker.ts': WORKER, 'package.json': '{}' },
			{ ...OPTIONS, configFile: 'wrangler.toml' },
		],
	])('adds nothing to %s a second time', (_, files: Files, options) => {
		const after = applied(files, options);
		const configFile = after['wrangler.toml'] === undefined ? 'wrangler.jsonc' : 'wrangler.toml';
		expect(planInit(after, { ...options, configFile }).changes).toEqual([]);
	});

	it('keeps every file of an existing Worker, and shows what its entry has to do', () => {
		const files: Files = {
			'wrangler.jsonc': '{ "name": "shop", "main": "worker.js", "compatibility_date": "2026-10-20" }',
			'worker.js': WORKER,
			'package.json': '{ "name": "shop", "devDependencies": { "wrangler": "4.155.0" } }',
			'.dev.vars': 'GREETING="hello"',
			'.gitignore': 'node_modules\n.dev.vars\n',
		};
		const { changes, steps } = planInit(files, { ...OPTIONS, configFile: 'wrangler.jsonc' });
		const created = changes.filter(({ before }) => before === undefined).map(({ path }) => path);
		expect(created.sort()).toEqual(['coatcheck.js', 'tasks/greet.js']);
		expect(changes.find(({ path }) => path === '.dev.vars')?.after).toMatch(/^GREETING="hello"\n# .*\nAUTH="none"\n/);
		expect(steps.map(({ text }) => text)).toEqual(['Let worker.js pass requests and queues on:', 'npm install']);
		expect(JSON.parse(changes.find(({ path }) => path === 'package.json')?.after ?? '')).toEqual({
			name: 'shop',
			devDependencies: { wrangler: '4.155.0', '@cloudflare/workers-types': '^5.20261026.1' },
			dependencies: { coatcheck: '^0.1.0', zod: '^4.6.6' },
		});
		expect(steps[0]?.lines).toContain("import { jobs } from './coatcheck.js'");
	});

	it.each([
		['node_modules', 'node_modules\n.dev.vars*\n'],
		['dist\n', 'dist\n.dev.vars*\n'],
		['# .dev.vars\n', '# .dev.vars\n.dev.vars*\n'],
		['/.dev.vars\n', '/.dev.vars\n.dev.vars*\n'],
		['/.dev.vars*\n', '/.dev.vars*\n'],
		['.dev.vars*\r\n', '.dev.vars*\r\n'],
	])('keeps the secrets, also of environments, out of git where .gitignore is %j', (before, after) => {
		expect(applied({ '.gitignore': before }, OPTIONS)['.gitignore']).toBe(after);
	});

	it.each([
		['./src/index.ts', 'src', 'Let src/index.ts pass'],
		['dist/index.mjs', 'src', 'Let the build make dist/index.mjs of src/index.ts'],
		['././worker/../src/index.ts', 'src', 'Let src/index.ts pass'],
	])('finds the source of the entry %s', (main, source, step) => {
		const config = JSON.stringify({ name: 'shop', main });
		const files: Files = { 'wrangler.jsonc': config, 'src/index.ts': WORKER, 'package.json': '{}' };
		const options = { ...OPTIONS, configFile: 'wrangler.jsonc' };
		const { changes, steps } = planInit(files, options);
		const created = changes.filter(({ before }) => before === undefined).map(({ path }) => path);
		expect(created).toEqual(expect.arrayContaining([`${source}/coatcheck.ts`, `${source}/tasks/greet.ts`]));
		expect(created.filter((path) => /^(dist|\.\/)/.test(path))).toEqual([]);
		expect(steps.map(({ text }) => text).join()).toContain(step);
	});

	it('reads the entry in the command of the build, and adds the name that a configuration lacks', () => {
		const build = { command: 'npx coatcheck build app/worker.ts' };
		const files: Files = {
			'wrangler.jsonc': JSON.stringify({ main: 'dist/index.mjs', build }),
			'app/worker.ts': WORKER,
		};
		const after = applied(files, { ...OPTIONS, configFile: 'wrangler.jsonc' });
		expect(after).toHaveProperty(['app/coatcheck.ts']);
		expect(JSON.parse(after['wrangler.jsonc'] ?? '')).toMatchObject({ name: 'shop', main: 'dist/index.mjs' });
	});

	it('gives the project its own Node where the installed one is too old for wrangler', () => {
		const manifest = (nodeMajor: number) => applied({}, { ...OPTIONS, nodeMajor })['package.json'] ?? '';
		expect(JSON.parse(manifest(20)).devDependencies).toHaveProperty('node');
		expect(JSON.parse(manifest(24)).devDependencies).toEqual({
			'@cloudflare/workers-types': '^5.20261026.1',
			wrangler: '^4.155.0',
		});
	});

	it('shows every line that it adds, but no secret', () => {
		const plan = planInit({ '.dev.vars': 'A="1"\n' }, OPTIONS);
		const shown = renderPlan(plan, PLAIN).join('\n');
		expect(shown).toContain('extend .dev.vars\n  + # For local development only');
		expect(shown).toContain('SIGNING_KEYS=…');
		expect(shown).not.toMatch(/c2VjcmV0|whsec_secret|A="1"/);
		expect(addedLines({ path: 'a', before: 'a\nc\n', after: 'a\nb\nc\nd\n' })).toEqual(['b', 'd']);
	});
});
