import { execFile } from 'node:child_process';
import { chmod, lstat, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../../cli/failure.ts';
import { assertSavable, save } from '../../../cli/job/save.ts';

const BYTES = Uint8Array.from([0, 255, 10, 13, 128]);
const signal = new AbortController().signal;
let folder: string;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'coatcheck-save-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const inFolder = (name: string) => join(folder, name);
const saveAs = (path: string) => save(new Response(BYTES).body, path, signal);
const bytesIn = async (path: string) => Uint8Array.from(await readFile(path));

describe('an output', () => {
	it('is a new file, or replaces one and keeps its mode', async () => {
		expect(await saveAs(inFolder('a'))).toBe(BYTES.byteLength);
		expect(await bytesIn(inFolder('a'))).toEqual(BYTES);
		await writeFile(inFolder('b'), 'old');
		await chmod(inFolder('b'), 0o600);
		await saveAs(inFolder('b'));
		expect([await bytesIn(inFolder('b')), (await stat(inFolder('b'))).mode & 0o777]).toEqual([BYTES, 0o600]);
		expect(await save(null, inFolder('b'), signal)).toBe(0);
	});

	it('leaves another file with the ending .part alone, and none of its own', async () => {
		await writeFile(inFolder('a.part'), 'mine');
		await saveAs(inFolder('a'));
		expect(await readFile(inFolder('a.part'), 'utf8')).toBe('mine');
		expect((await readdir(folder)).sort()).toEqual(['a', 'a.part']);
	});

	it('follows a link to its target, which need not be there', async () => {
		await writeFile(inFolder('target'), 'old');
		await symlink('target', inFolder('link'));
		await symlink('absent', inFolder('dangling'));
		for (const link of ['link', 'dangling']) await saveAs(inFolder(link));
		for (const link of ['link', 'dangling']) expect((await lstat(inFolder(link))).isSymbolicLink()).toBe(true);
		for (const target of ['target', 'absent']) expect(await bytesIn(inFolder(target))).toEqual(BYTES);
	});

	it('is written into a pipe, which stays one', async () => {
		await promisify(execFile)('mkfifo', [inFolder('pipe')]);
		const reader = promisify(execFile)('cat', [inFolder('pipe')], { encoding: 'buffer' });
		await saveAs(inFolder('pipe'));
		expect(Uint8Array.from((await reader).stdout)).toEqual(BYTES);
		expect((await stat(inFolder('pipe'))).isFIFO()).toBe(true);
	});

	it('is written into a device by its own name or by a link', async () => {
		await symlink('/dev/null', inFolder('null'));
		await saveAs(inFolder('null'));
		expect(await readlink(inFolder('null'))).toBe('/dev/null');
		expect(await readdir(folder)).toEqual(['null']);
	});

	it('that breaks off leaves the file as it was', async () => {
		await writeFile(inFolder('a'), 'old');
		const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('broken')) });
		await expect(save(broken, inFolder('a'), signal)).rejects.toThrow('broken');
		expect([await readFile(inFolder('a'), 'utf8'), await readdir(folder)]).toEqual(['old', ['a']]);
	});

	it('is refused before the work where it can’t be saved', async () => {
		await expect(assertSavable(folder)).rejects.toThrow('--output: expected a file, got a folder');
		await expect(assertSavable(inFolder('none/a'))).rejects.toThrow(UsageError);
		await symlink('loop', inFolder('loop'));
		await expect(assertSavable(inFolder('loop'))).rejects.toThrow();
		await assertSavable(inFolder('a'));
		expect(await readdir(folder)).toEqual(['loop']);
	});
});
