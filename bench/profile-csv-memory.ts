/**
 * Shows that `profile-csv` needs no more memory for 30 MB than for 10, and how fast it is.
 *
 *     node bench/profile-csv-memory.ts
 *
 * Needs only Node 24 and `npm ci`, and takes half a minute. It runs the task itself, from the deployed
 * source. Each file is profiled in a process of its own with a small heap, which samples its memory after every 64
 * KiB. The isolate of a Worker has 128 MB for heap and buffers together.
 *
 * Exits with 1 when a profile needs more than {@link LIMIT_MB}, or one of 30 MB is slower than {@link
 * LEAST_MB_PER_SECOND}.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { profileCsv } from '../src/tasks/profile-csv.ts';
import type { BinaryInput, JobContext } from '../src/work/task.ts';

/** Sizes of the files, in millions of bytes. */
const SIZES_MB = [1, 10, 30];
/** The old generation of the measured process, in MiB: beyond it the process crashes. */
const OLD_SPACE_MIB = 64;
/** Maximum for heap and buffers together, in millions of bytes: the isolate's 128 with a margin. */
const LIMIT_MB = 100;
/** Minimum speed for a 30 MB file, which then takes half of the 30 s of CPU that a queue consumer has. */
const LEAST_MB_PER_SECOND = 2;

/** A column shape: its header and a function for row number `n`. `random` is seeded, so the files are always the same. */
interface Shape {
	readonly header: string;
	row(n: number, random: () => number): string;
}

const WORDS = 'the quick brown fox jumps over a lazy dog and then sleeps under some old tree until morning'.split(' ');
const CITIES = ['Wien', 'Graz', 'Linz', 'Salzburg', 'Innsbruck', 'Klagenfurt', 'Villach', 'Wels'];

const SHAPES: Record<string, Shape> = {
	'few distinct': {
		header: 'order,city,quantity,price,paid,day',
		row: (n, random) => {
			const quantity = Math.floor(random() * 100);
			const price = (Math.floor(random() * 500) / 10).toFixed(2);
			const day = `2026-10-${String(1 + Math.floor(random() * 28)).padStart(2, '0')}`;
			return `${n % 5000},${pick(CITIES, random)},${quantity},${price},${random() < 0.5},${day}`;
		},
	},
	'all distinct': {
		header: 'id,uuid,email,measured,at',
		row: (n, random) => {
			const at = new Date(1.7e12 + n * 1000 + Math.floor(random() * 1000)).toISOString();
			return `${n},${hex(random)}-${hex(random)},user${n}@example.com,${random() * 1e6},${at}`;
		},
	},
	'200 columns': {
		header: Array.from({ length: 200 }, (_, index) => `m${index}`).join(','),
		row: (_, random) => Array.from({ length: 200 }, () => Math.floor(random() * 100_000)).join(','),
	},
	// The slowest case: many tiny rows.
	'tiny rows': { header: 'n', row: (n) => String(n % 10) },
	text: {
		header: 'id,title,body',
		row: (n, random) => `${n},"${words(4, random)}","${words(60, random)}, ""said"" he.\nÜber ${words(20, random)}"`,
	},
};

function pick(from: readonly string[], random: () => number): string {
	return from[Math.floor(random() * from.length)] ?? '';
}

function words(count: number, random: () => number): string {
	return Array.from({ length: count }, () => pick(WORDS, random)).join(' ');
}

function hex(random: () => number): string {
	return Math.floor(random() * 2 ** 32)
		.toString(16)
		.padStart(8, '0');
}

/** Mulberry32. */
function seededRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

function writeCsv(path: string, shape: Shape, sizeBytes: number): void {
	const random = seededRandom(1);
	const file = openSync(path, 'w');
	let writtenBytes = writeSync(file, `${shape.header}\n`);
	for (let n = 0; writtenBytes < sizeBytes; ) {
		const rows: string[] = [];
		for (const end = n + 100; n < end; n++) rows.push(shape.row(n, random));
		writtenBytes += writeSync(file, `${rows.join('\n')}\n`);
	}
	closeSync(file);
}

/** The measurements of one profile. */
interface Measurement {
	readonly seconds: number;
	readonly rows: number;
	readonly lowerBounds: number;
	readonly peakHeapBytes: number;
	readonly peakBufferBytes: number;
	readonly peakBytes: number;
}

/** Runs the task on a file in this process and samples its memory. */
async function measure(path: string): Promise<Measurement> {
	let peakHeapBytes = 0;
	let peakBufferBytes = 0;
	let peakBytes = 0;
	const sample = () => {
		// `external` includes the array buffers.
		const { heapUsed, external } = process.memoryUsage();
		peakHeapBytes = Math.max(peakHeapBytes, heapUsed);
		peakBufferBytes = Math.max(peakBufferBytes, external);
		peakBytes = Math.max(peakBytes, heapUsed + external);
	};
	const startedAt = performance.now();
	const profile = await profileCsv.run(inputFrom(path), jobThat(sample));
	const seconds = (performance.now() - startedAt) / 1000;
	sample();
	const { rows, columns } = profile as { rows: number; columns: { distinctIsLowerBound: boolean }[] };
	const lowerBounds = columns.filter((column) => column.distinctIsLowerBound).length;
	return { seconds, rows, lowerBounds, peakHeapBytes, peakBufferBytes, peakBytes };
}

function inputFrom(path: string): BinaryInput {
	const sizeBytes = statSync(path).size;
	const stream = () => Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
	return { mediaType: 'text/csv', sizeBytes, stream, bytes: () => Promise.reject(new Error('Not in this bench')) };
}

function jobThat(progress: () => void): JobContext<{ header: 'true' }> {
	return {
		id: '0'.repeat(64),
		attempt: 1,
		parameters: { header: 'true' },
		signal: new AbortController().signal,
		correlationId: 'bench',
		idempotencyKey: 'bench',
		traceparent: undefined,
		progress,
		fetch,
		waitFor: () => Promise.reject(new Error('This bench has no external worker')),
	};
}

function measureInChild(path: string): Measurement {
	const args = [`--max-old-space-size=${OLD_SPACE_MIB}`, fileURLToPath(import.meta.url), '--measure', path];
	return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function main(): void {
	const folder = mkdtempSync(join(tmpdir(), 'profile-csv-'));
	const path = join(folder, 'data.csv');
	let isGood = true;
	print('shape', 'MB', 'rows', 'MB/s', 'heap MB', 'buffers MB', 'together MB', 'lower bounds');
	for (const [name, shape] of Object.entries(SHAPES)) {
		for (const sizeMb of SIZES_MB) {
			writeCsv(path, shape, sizeMb * 1e6);
			const measured = measureInChild(path);
			const speed = statSync(path).size / 1e6 / measured.seconds;
			print(
				name,
				String(sizeMb),
				String(measured.rows),
				speed.toFixed(1),
				inMb(measured.peakHeapBytes),
				inMb(measured.peakBufferBytes),
				inMb(measured.peakBytes),
				String(measured.lowerBounds),
			);
			// For a small file, the start of the process takes most of the time.
			isGood &&= measured.peakBytes <= LIMIT_MB * 1e6 && (sizeMb < 30 || speed >= LEAST_MB_PER_SECOND);
		}
	}
	rmSync(folder, { recursive: true });
	console.log(isGood ? `ok: never more than ${LIMIT_MB} MB` : 'failed: too much memory, or too slow');
	process.exitCode = isGood ? 0 : 1;
}

function print(shape: string, ...numbers: string[]): void {
	console.log(shape.padEnd(14) + numbers.map((number) => number.padStart(13)).join(''));
}

function inMb(bytes: number): string {
	return (bytes / 1e6).toFixed(1);
}

const [flag, measuredPath] = process.argv.slice(2);
if (flag === '--measure' && measuredPath !== undefined) console.log(JSON.stringify(await measure(measuredPath)));
else main();
