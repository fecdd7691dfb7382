import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'src');
/** What the command line may import of the repository. `dashboard.test.ts` is about the dashboard. */
const CLI = ['cli', 'src', 'package.json'];

/** Every room may import these. */
const EVERYWHERE: readonly string[] = ['core/chunk', 'core/defined', 'core/issue-message', 'core/once'];

/** The imports that each room may have. A room is a folder of `src` or of `src/core`, or a file beside the folders. */
const ARROWS: Record<string, readonly string[]> = {
	index: ['coatcheck', 'tasks'],
	coatcheck: ['core/job', 'handlers', 'object', 'work'],
	handlers: ['config', 'http', 'log', 'webhook', 'queue', 'rpc', 'subscription', 'token', 'work'],
	http: [
		'core/a2a',
		'core/action',
		'core/batch',
		'config',
		'core/http',
		'core/job',
		'core/list',
		'log',
		'core/mcp',
		'queue',
		'core/quota',
		'rpc',
		'token',
		'core/topic',
		'trace',
		'core/upstream',
		'work',
	],
	queue: ['core/job', 'log', 'rpc'],
	subscription: ['config', 'core/http', 'core/job', 'core/quota', 'core/topic', 'queue', 'rpc', 'webhook', 'work'],
	webhook: ['config', 'core/http', 'core/job', 'log', 'core/operation', 'rpc', 'token', 'core/topic', 'trace'],
	work: [
		'core/action',
		'core/http',
		'core/job',
		'core/list',
		'log',
		'core/operation',
		'queue',
		'core/quota',
		'rpc',
		'trace',
		'core/upstream',
	],
	tasks: ['work'],
	object: ['core/batch', 'core/job', 'core/list', 'log', 'queue', 'core/quota', 'rpc', 'core/topic', 'core/upstream'],
	rpc: ['core/batch', 'core/http', 'core/job', 'core/list', 'log', 'core/quota', 'core/topic', 'core/upstream'],
	config: ['core/http', 'core/job', 'core/mcp', 'core/quota', 'core/topic', 'core/upstream'],
	token: ['config', 'core/job'],
	react: ['client'],
	client: ['core/http', 'core/job', 'core/operation', 'core/topic', 'work'],
	receiver: ['client', 'core/http'],
	'core/quota': ['core/job', 'core/topic'],
	'core/topic': ['core/http', 'core/job'],
	'core/action': ['core/job', 'core/list'],
	'core/batch': ['core/http', 'core/job'],
	'core/cost': [],
	'core/list': ['core/http', 'core/job', 'core/topic'],
	'core/upstream': ['core/http', 'core/job'],
	'core/chunk': [],
	'core/defined': [],
	'core/http': [],
	'core/issue-message': [],
	'core/once': [],
	'core/job': ['core/http'],
	'core/a2a': ['core/job', 'core/mcp'],
	'core/mcp': ['core/http', 'core/job'],
	'core/operation': ['core/http'],
	log: [],
	trace: [],
};

/** The pure rooms, and the packages that each may use. */
const PURE: Record<string, readonly string[]> = {
	'core/a2a': [],
	'core/action': ['zod'],
	'core/batch': [],
	'core/cost': [],
	'core/chunk': [],
	'core/defined': [],
	'core/http': ['ipaddr.js'],
	'core/issue-message': ['zod'],
	'core/job': ['zod'],
	'core/list': ['zod'],
	'core/once': [],
	'core/mcp': [],
	'core/operation': [],
	'core/quota': [],
	'core/topic': ['zod'],
	'core/upstream': ['zod'],
};

interface Import {
	readonly file: string;
	readonly room: string;
	readonly target: string;
	/** The room of a file of ours, `undefined` for a package. */
	readonly targetRoom: string | undefined;
}

function roomOf(path: string): string {
	const [first = '', second = ''] = relative(SRC, path).split('/');
	return (first === 'core' ? `${first}/${second}` : first).replace(/\.ts$/, '');
}

function specifiersIn(file: string): string[] {
	const found = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
	return [...found].map(([, target = '']) => target);
}

function importsOf(file: string): Import[] {
	return specifiersIn(file).map((target) => ({
		file: relative(SRC, file),
		room: roomOf(file),
		target,
		targetRoom: target.startsWith('.') ? roomOf(join(dirname(file), target)) : undefined,
	}));
}

const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const IMPORTS = FILES.flatMap((name) => importsOf(join(SRC, name)));

describe('the source', () => {
	it('has only rooms that are known', () => {
		expect([...new Set(FILES.map((name) => roomOf(join(SRC, name))))].sort()).toEqual(Object.keys(ARROWS).sort());
	});

	it('imports only along the arrows', () => {
		const wrong = IMPORTS.filter(
			({ room, targetRoom }) =>
				targetRoom !== undefined &&
				targetRoom !== room &&
				![...(ARROWS[room] ?? []), ...EVERYWHERE].includes(targetRoom),
		);
		expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
	});

	it('has no arrow that nothing uses', () => {
		const used = new Set(IMPORTS.map(({ room, targetRoom }) => `${room} → ${targetRoom}`));
		const unused = Object.entries(ARROWS).flatMap(([room, targets]) => targets.map((target) => `${room} → ${target}`));
		expect(unused.filter((arrow) => !used.has(arrow))).toEqual([]);
	});

	it.each(
		Object.entries(PURE),
	)('keeps %s pure: no package but %j, no clock, no randomness, no I/O', (pure, allowed) => {
		const packages = IMPORTS.filter(({ room, targetRoom }) => room === pure && targetRoom === undefined);
		expect(packages.map(({ target }) => target).filter((target) => !allowed.includes(target))).toEqual([]);
		const impure = FILES.filter((name) => roomOf(join(SRC, name)) === pure).filter((name) =>
			/\b(Date\.now|new Date\(\)|Math\.random|crypto\.|fetch\(|setTimeout|console\.|async |await )/.test(code(name)),
		);
		expect(impure).toEqual([]);
	});

	it('has all that the command line needs: no room that is not for users', () => {
		const names = readdirSync(join(ROOT, 'cli'), { recursive: true, encoding: 'utf8' });
		const files = names.filter((name) => name.endsWith('.ts')).map((name) => join(ROOT, 'cli', name));
		const imports = files.flatMap((file) =>
			specifiersIn(file)
				.filter((target) => target.startsWith('.'))
				.map((target) => ({ file, target: relative(ROOT, join(dirname(file), target)) })),
		);
		expect(imports.length).toBeGreaterThan(20);
		const wrong = imports.filter(({ target }) => !CLI.includes(target.split('/')[0] ?? ''));
		expect(wrong.map(({ file, target }) => `${relative(ROOT, file)} imports ${target}`)).toEqual([]);
	});

	it('imports zod as a namespace, because its named import carries the texts of all languages', () => {
		const named = FILES.filter((name) => /import \{[^}]*\} from 'zod'/.test(code(name)));
		expect(named).toEqual([]);
	});

	it('meets the objects only by their interface: nobody but the package’s entry imports them', () => {
		const files = IMPORTS.filter(({ room, targetRoom }) => targetRoom === 'object' && room !== 'object').map(
			({ file }) => file,
		);
		expect([...new Set(files)]).toEqual(['coatcheck.ts']);
	});
});

/** A file without its comments. */
function code(name: string): string {
	return readFileSync(join(SRC, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}
