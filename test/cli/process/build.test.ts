import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';

let folder: string;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'coatcheck-build-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(path: string, text: string): Promise<void> {
	await mkdir(dirname(join(folder, path)), { recursive: true });
	await writeFile(join(folder, path), text);
}

const build = () => runCommand(['build', 'src/index.ts'], { cwd: folder });

describe('build', () => {
	it('deletes the parts of the build before, and no file that is not from a build', async () => {
		const foreign = ['page.html', 'notes.txt', 'schema.sql', 'engine.wasm', 'server.mjs', 'server.mjs.map'];
		for (const name of foreign) await write(`dist/${name}`, 'mine');
		await write('src/rare.ts', 'export const rare = 1;');
		await write('src/index.ts', "export default { fetch: async () => (await import('./rare.ts')).rare };");
		expect(await build()).toMatchObject({ code: 0 });
		const hasPart = async () => (await readdir(join(folder, 'dist'))).some((name) => name.startsWith('rare-'));
		expect(await hasPart()).toBe(true);
		await write('src/index.ts', 'export default { fetch: async () => 2 };');
		expect(await build()).toMatchObject({ code: 0 });
		expect(await hasPart()).toBe(false);
		for (const name of foreign) expect(await readFile(join(folder, 'dist', name), 'utf8')).toBe('mine');
	});

	it('deletes nothing outside its folder, whatever the listing says', async () => {
		await write('src/index.ts', 'export default {};');
		await write('kept.txt', 'mine');
		await write('dist/.coatcheck-build.json', '{"files":["../kept.txt","..",1]}');
		expect(await build()).toMatchObject({ code: 0 });
		expect(await readFile(join(folder, 'kept.txt'), 'utf8')).toBe('mine');
	});
});
