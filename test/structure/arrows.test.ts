import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** The imports that each room may have. A room is a folder of `src`, or a file beside the folders. */
const ARROWS: Record<string, readonly string[]> = {
	index: ['coatcheck', 'tasks', 'object'],
	coatcheck: ['config', 'http', 'log', 'notify', 'queue', 'rpc', 'token', 'work'],
	http: ['batch', 'config', 'job', 'log', 'queue', 'quota', 'rpc', 'target', 'token', 'upstream', 'work'],
	queue: ['job', 'log', 'rpc'],
	notify: ['config', 'job', 'log', 'lro', 'rpc', 'target', 'token'],
	work: ['job', 'log', 'lro', 'rpc', 'target', 'upstream'],
	tasks: ['work'],
	object: ['batch', 'job', 'queue', 'quota', 'rpc', 'upstream'],
	rpc: ['batch', 'job', 'log', 'quota', 'upstream'],
	config: ['numbered-variables', 'job', 'quota', 'target', 'upstream'],
	quota: ['job'],
	batch: ['job'],
	upstream: ['job', 'target'],
	token: ['config', 'job'],
	client: ['job', 'lro', 'work'],
	'numbered-variables': [],
	target: [],
	job: [],
	lro: [],
	log: [],
};

/** The pure rooms, and the packages that each may use. */
const PURE: Record<string, readonly string[]> = { job: ['zod'], lro: [], batch: [], quota: [], upstream: ['zod'] };

interface Import {
	readonly file: string;
	readonly room: string;
	readonly target: string;
	/** The room of one of our files; `undefined` for a package. */
	readonly targetRoom: string | undefined;
}

function roomOf(path: string): string {
	return (relative(SRC, path).split('/')[0] ?? '').replace(/\.ts$/, '');
}

function importsOf(file: string): Import[] {
	const specifiers = [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
		([, target = '']) => target,
	);
	return specifiers.map((target) => ({
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
			({ room, targetRoom }) => targetRoom !== undefined && targetRoom !== room && !ARROWS[room]?.includes(targetRoom),
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
		const impure = FILES.filter((name) => name.startsWith(`${pure}/`)).filter((name) =>
			/\b(Date\.now|new Date\(\)|Math\.random|crypto\.|fetch\(|setTimeout|console\.|async |await )/.test(code(name)),
		);
		expect(impure).toEqual([]);
	});

	it('meets the objects only by their interface: nobody but index imports them', () => {
		const files = IMPORTS.filter(({ room, targetRoom }) => targetRoom === 'object' && room !== 'object').map(
			({ file }) => file,
		);
		expect([...new Set(files)]).toEqual(['index.ts']);
	});
});

/** A file without its comments. */
function code(name: string): string {
	return readFileSync(join(SRC, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}
