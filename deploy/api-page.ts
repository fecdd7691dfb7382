/**
 * `npm run docs` writes the tables of `docs/api.md` from the description of the API: between a comment that names the table and
 * `<!-- end -->`. The text around them is written by hand. With `--check`, it only says whether the page
 * is as it should be. With `--print` or `--print-events`, it prints the OpenAPI or the AsyncAPI document of this deployment instead.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join } from 'node:path';

const PAGE = join(import.meta.dirname, '../docs/api.md');

// The handlers of the routes import the platform, which is not here. Nothing calls it.
registerHooks({
	resolve: (specifier, context, next) =>
		specifier.startsWith('cloudflare:')
			? { url: 'data:text/javascript,export%20{}', shortCircuit: true }
			: next(specifier, context),
});

const [
	{ ROUTES },
	{ OPERATIONS },
	{ PROBLEMS },
	{ PROBLEM_NOTES },
	{ StatusDocument },
	{ openApiDocument },
	{ asyncApiDocument, asyncApiServers },
] = await Promise.all([
	import('../src/http/routes.ts'),
	import('../src/http/description/operations.ts'),
	import('../src/http/problem.ts'),
	import('../src/http/description/problems.ts'),
	import('../src/http/description/documents.ts'),
	import('../src/http/description/openapi.ts'),
	import('../src/http/description/asyncapi.ts'),
]);
const [{ keyScopeFor }, { createRegistry }, { tasks }, { DEFAULTS }] = await Promise.all([
	import('../src/http/access/scopes.ts'),
	import('../src/work/registry.ts'),
	import('../src/tasks/index.ts'),
	import('../src/config/defaults.ts'),
]);

/** As `wrangler dev` serves it. */
const ORIGIN = 'http://localhost:8787';
const DEPLOYMENT = { tasks: createRegistry(tasks), maxInputBytes: DEFAULTS.MAX_INPUT_BYTES, isOpen: true };

/** The OpenAPI document of this deployment. */
function describeThisDeployment(): object {
	return { ...openApiDocument(DEPLOYMENT), servers: [{ url: ORIGIN }] };
}

function describeItsEvents(): object {
	return { ...asyncApiDocument(openApiDocument(DEPLOYMENT).components?.schemas), servers: asyncApiServers(ORIGIN) };
}

const row = (...cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]) =>
	[row(...head), row(...head.map(() => '---')), ...rows].join('\n').replaceAll('| --- ', '|---');

/** Routes that are not in the table of `routes.ts`. */
const OUTSIDE = [
	{ name: 'GET /healthz', scope: 'public', description: OPERATIONS['GET /healthz']?.description ?? '' },
	{ name: 'GET /', scope: 'public', description: '[The dashboard](dashboard.md), with `DASHBOARD=on`' },
];

function shownScope(scope: string): string {
	if (scope === 'public') return 'none';
	if (scope === 'key') return 'any';
	return scope === 'complete' ? "an attempt's token" : `\`${keyScopeFor(scope)}\``;
}

function shownRoute(name: string): string {
	const path = name.replace(/:upstream\/\*/, '{upstream}/{path…}').replaceAll(/:(\w+)/g, '{$1}');
	return path.startsWith('ALL ') ? `any method on \`${path.slice(4)}\`` : `\`${path}\``;
}

function routeTable(): string {
	const inTable = ROUTES.map(({ method, path, scope }) => {
		const name = `${method} ${path}`;
		return { name, scope, description: OPERATIONS[name]?.description ?? '' };
	});
	const rows = [...inTable, ...OUTSIDE].map(({ name, scope, description }) =>
		row(shownRoute(name), shownScope(scope), description),
	);
	return table(['route', 'scope', 'response'], rows);
}

function codeTable(): string {
	const byStatus = Map.groupBy(Object.entries(PROBLEMS), ([, [status]]) => status);
	const rows = [...byStatus].map(([status, problems]) => {
		const codes = problems.map(([code]) =>
			PROBLEM_NOTES[code] === undefined ? `\`${code}\`` : `\`${code}\`: ${PROBLEM_NOTES[code]}`,
		);
		return row(String(status), codes.join(' · '));
	});
	return table(['status', '`code`'], rows);
}

function documentTable(): string {
	const rows = Object.entries(StatusDocument.shape).map(([name, field]) => {
		const { description = '' } = (field.meta() ?? {}) as { description?: string };
		const inner =
			'unwrap' in field ? (field.unwrap() as { meta(): { description?: string } | undefined }).meta() : undefined;
		return row(
			`\`${name}\``,
			field.safeParse(undefined).success ? 'sometimes' : 'always',
			description || (inner?.description ?? ''),
		);
	});
	return table(['field', 'there', 'meaning'], rows);
}

const TABLES: Readonly<Record<string, () => string>> = {
	routes: routeTable,
	codes: codeTable,
	document: documentTable,
};

/** The page with its tables as they should be. */
function withTables(page: string): string {
	return page.replaceAll(
		/(<!-- table: (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g,
		(_, begin: string, name: string, end: string) => {
			const write = TABLES[name];
			if (!write)
				throw new TypeError(
					`docs/api.md names the table "${name}", expected one of: ${Object.keys(TABLES).join(', ')}`,
				);
			return `${begin}${write()}${end}`;
		},
	);
}

const [flag] = process.argv.slice(2);
const PRINTED = { '--print': describeThisDeployment, '--print-events': describeItsEvents };
if (flag === '--print' || flag === '--print-events')
	process.stdout.write(`${JSON.stringify(PRINTED[flag](), null, '\t')}\n`);
else {
	const page = await readFile(PAGE, 'utf8');
	const wanted = withTables(page);
	if (flag === '--check') {
		if (wanted !== page) console.error('docs/api.md is not what the description says: run `npm run docs`');
		process.exitCode = wanted === page ? 0 : 1;
	} else if (wanted !== page) await writeFile(PAGE, wanted);
}
