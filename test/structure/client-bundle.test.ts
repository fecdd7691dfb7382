import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What a page loads with `createClient`, before it follows its first job. */
const MAX_CLIENT_BYTES = 6 * 1_024;
/** What the hooks add. */
const MAX_REACT_BYTES = 1_600;
/** What a page has loaded that submitted a job and followed it to its result by a WebSocket. */
const MAX_FOLLOWING_BYTES = 8.5 * 1_024;
/** Every part of the client, together. */
const MAX_WHOLE_BYTES = 16 * 1_024;

/** Parts that are loaded when they are first used. */
const LATER = [
	'src/client/events/follow.ts',
	'src/client/events/by-websocket.ts',
	'src/client/events/by-sse.ts',
	'src/client/events/by-polling.ts',
	'src/client/parts/action-requests.ts',
	'src/client/parts/lists.ts',
	'src/client/parts/submit-bytes.ts',
	'src/client/parts/topic-requests.ts',
	'node_modules/eventsource-parser/',
];

/** These scripts, and all that they import at once. */
function withImports({ outputs }: Metafile, scripts: readonly string[]): string[] {
	const found = new Set(scripts);
	for (const script of found)
		for (const { path, kind } of outputs[script]?.imports ?? [])
			if (kind === 'import-statement' && outputs[path]) found.add(path);
	return [...found];
}

interface Bundle {
	readonly metafile: Metafile;
	/** The scripts that are loaded at the start. */
	readonly start: readonly string[];
	readonly all: readonly string[];
	/** Compressed together. */
	gzippedBytes(scripts: readonly string[]): number;
}

async function bundlePage(contents: string): Promise<Bundle> {
	const { metafile, outputFiles } = await build({
		absWorkingDir: ROOT,
		stdin: { contents, resolveDir: ROOT, loader: 'ts' },
		outdir: 'out',
		bundle: true,
		splitting: true,
		minify: true,
		format: 'esm',
		platform: 'browser',
		external: ['react'],
		metafile: true,
		write: false,
	});
	const text = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
	const bytes = (script: string) => text.get(`${ROOT}${script}`) ?? new Uint8Array();
	return {
		metafile,
		start: withImports(metafile, ['out/stdin.js']),
		all: Object.keys(metafile.outputs),
		gzippedBytes: (scripts) => gzipSync(Buffer.concat(scripts.map(bytes))).byteLength,
	};
}

const CLIENT = "export { createClient, JobFailedError, ProblemError } from './src/client/index.ts';";
const page = await bundlePage(CLIENT);

function inputsOf({ metafile }: Bundle, scripts: readonly string[]): string[] {
	return scripts.flatMap((script) => Object.keys(metafile.outputs[script]?.inputs ?? {}));
}

describe("the client's bundle for browsers", () => {
	it('loads at most 6 KiB gzipped at the start', () => {
		const bytes = page.gzippedBytes(page.start);
		expect(bytes).toBeGreaterThan(MAX_CLIENT_BYTES / 2);
		expect(bytes).toBeLessThanOrEqual(MAX_CLIENT_BYTES);
	});

	it('has loaded at most 8.5 KiB when a job has been submitted and followed by a WebSocket', () => {
		const follows = page.all.filter((script) => inputsOf(page, [script]).includes('src/client/events/follow-job.ts'));
		const loaded = withImports(page.metafile, [...page.start, ...follows]);
		expect(inputsOf(page, loaded)).toContain('src/client/events/by-websocket.ts');
		expect(page.gzippedBytes(loaded)).toBeLessThanOrEqual(MAX_FOLLOWING_BYTES);
	});

	it('has at most 16 KiB in all its parts', async () => {
		const whole = await bundlePage("export * from './src/client/index.ts';");
		expect(whole.gzippedBytes(whole.all)).toBeLessThanOrEqual(MAX_WHOLE_BYTES);
	});

	it.each(LATER)('loads %s only when it is needed', (input) => {
		const isLater = (name: string) => name.startsWith(input);
		expect(inputsOf(page, page.start).filter(isLater)).toEqual([]);
		expect(inputsOf(page, page.all).some(isLater)).toBe(true);
	});

	it('grows by at most 1,600 bytes with the hooks for React', async () => {
		const withHooks = await bundlePage(`${CLIENT}export * from './src/react/index.ts';`);
		const bytes = withHooks.gzippedBytes(withHooks.start) - page.gzippedBytes(page.start);
		expect(bytes).toBeGreaterThan(MAX_REACT_BYTES / 2);
		expect(bytes).toBeLessThanOrEqual(MAX_REACT_BYTES);
	});

	it('imports no Node module, and no package but React', async () => {
		const all = await bundlePage("export * from './src/client/index.ts'; export * from './src/react/index.ts';");
		const external = Object.values(all.metafile.outputs).flatMap(({ imports }) =>
			imports.filter((one) => one.external),
		);
		expect([...new Set(external.map(({ path }) => path))]).toEqual(['react']);
	});
});
