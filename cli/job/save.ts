/** Saves bytes in a file that may be there already, or may be no plain file. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, lstat, open, readlink, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../failure.ts';

const MAX_LINKS = 40;
/** Node's own stream for it works with sockets too, which can't be opened by their names. */
const STDOUT = '/dev/stdout';

/** Where the bytes go. */
type Target =
	| { readonly type: 'file'; readonly path: string; readonly mode: number | undefined }
	/** A device, a pipe or a socket, which must stay what it is. */
	| { readonly type: 'stream'; readonly path: string };

/**
 * Checks that a file can be saved there, before the work that makes its content begins.
 *
 * @throws {UsageError} for a folder, and for a file in a folder that is not there or can't be written.
 */
export async function assertSavable(output: string): Promise<void> {
	const target = await findTarget(output);
	if (target.type === 'stream') return;
	const { part, handle } = await openPart(target, output);
	await handle.close();
	await rm(part, { force: true });
}

/**
 * Writes a plain file beside its place first, so that a broken transfer leaves no half of it. A link stays, and its target gets the bytes.
 *
 * @returns the number of bytes.
 */
export async function save(body: Response['body'], output: string, signal: AbortSignal): Promise<number> {
	if (output === STDOUT) return transfer(body, process.stdout, signal);
	const target = await findTarget(output);
	if (target.type === 'stream') return transfer(body, createWriteStream(target.path, { flags: 'a' }), signal);
	const { part, handle } = await openPart(target, output);
	try {
		const sizeBytes = await transfer(body, handle.createWriteStream(), signal);
		await rename(part, target.path);
		return sizeBytes;
	} catch (error) {
		await rm(part, { force: true });
		throw error;
	}
}

async function transfer(body: Response['body'], stream: Writable, signal: AbortSignal): Promise<number> {
	const bytes = body === null ? Readable.from([]) : Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
	let sizeBytes = 0;
	bytes.on('data', ({ byteLength }: Uint8Array) => {
		sizeBytes += byteLength;
	});
	await pipeline(bytes, stream, { end: stream !== process.stdout, signal });
	return sizeBytes;
}

async function findTarget(output: string): Promise<Target> {
	const facts = await stat(output).catch(ignoreAbsence);
	if (facts === undefined) return { type: 'file', path: await followLinks(output), mode: undefined };
	if (facts.isDirectory()) throw new UsageError(`--output: expected a file, got a folder: ${output}`);
	if (!facts.isFile()) return { type: 'stream', path: output };
	return { type: 'file', path: await followLinks(output), mode: facts.mode & 0o777 };
}

/** The path that a chain of links leads to. Its last file need not be there. */
async function followLinks(output: string): Promise<string> {
	let path = resolve(output);
	for (let links = 0; links < MAX_LINKS; links++) {
		const facts = await lstat(path).catch(ignoreAbsence);
		if (!facts?.isSymbolicLink()) return path;
		path = resolve(dirname(path), await readlink(path));
	}
	throw new UsageError(`--output: expected a file, got a chain of links without an end: ${output}`);
}

/** A new file with an unguessable name in the same folder, from where it can be renamed. */
async function openPart(
	{ path, mode }: Extract<Target, { type: 'file' }>,
	output: string,
): Promise<{ readonly part: string; readonly handle: FileHandle }> {
	const part = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}.part`);
	try {
		const handle = await open(part, 'wx', mode ?? 0o666);
		if (mode !== undefined) await handle.chmod(mode);
		return { part, handle };
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		throw new UsageError(`--output: can't write a file in the folder of ${output} (${code})`);
	}
}

function ignoreAbsence(error: NodeJS.ErrnoException): undefined {
	if (error.code !== 'ENOENT') throw error;
}
