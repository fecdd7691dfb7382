import { join, relative, resolve } from 'node:path';
import { defineCommand } from 'citty';
import { EXIT } from '../exit.ts';
import { UsageError } from '../failure.ts';
import { print, printJson } from '../terminal/output.ts';

const DEFAULT_ENTRY = 'src/index.ts';
const DEFAULT_FOLDER = 'dist';
const KIB = 1_024;

export const build = defineCommand({
	meta: {
		name: 'build',
		description: 'Bundle a Worker in parts, so that rare ones are loaded when they are needed',
	},
	args: {
		entry: { type: 'positional', description: `The Worker's entry. Default: ${DEFAULT_ENTRY}`, required: false },
		out: { type: 'string', description: `The folder of the bundle. Default: ${DEFAULT_FOLDER}` },
		json: { type: 'boolean', description: 'Print JSON' },
	},
	async run({ args: { entry = DEFAULT_ENTRY, out = DEFAULT_FOLDER, json } }) {
		const { gzippedBytes, START, startScripts, writeBundle, writeTypes } = await loadBundler();
		const root = process.cwd();
		const folder = resolve(out);
		if (!relative(folder, resolve(entry)).startsWith('..'))
			throw new UsageError(`--out: expected a folder without sources, got: "${out}"`);
		const metafile = await writeBundle({ root, entry, folder }).catch((error: unknown) => {
			throw isBuildFailure(error) ? new UsageError(`${entry}: the bundle has errors`) : error;
		});
		await writeTypes(folder, typesOf(relative(folder, resolve(entry))));
		const start = startScripts(metafile);
		const parts = Object.keys(metafile.outputs).filter((path) => path.endsWith('.mjs'));
		const report = {
			entry: join(out, START),
			startBytes: await gzippedBytes(root, start),
			totalBytes: await gzippedBytes(root, parts),
		};
		if (json) printJson(report);
		else print(`${report.entry}: ${kib(report.startBytes)} gzipped at the start, ${kib(report.totalBytes)} in all`);
		return EXIT.success;
	},
});

/** @throws {UsageError} without esbuild, which wrangler depends on too. */
async function loadBundler(): Promise<typeof import('../build/bundle.ts')> {
	return import('../build/bundle.ts').catch((error: NodeJS.ErrnoException) => {
		if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
		throw new UsageError('Expected the package esbuild: npm install --save-dev esbuild');
	});
}

/** esbuild has shown the errors already. */
function isBuildFailure(error: unknown): boolean {
	return error instanceof Error && 'errors' in error;
}

/** @param entry relative to the folder of the bundle. */
function typesOf(entry: string): string {
	const path = JSON.stringify(entry.replaceAll('\\', '/').replace(/\.(m?)ts$/, '.$1js'));
	return `export * from ${path};\nexport { default } from ${path};\n`;
}

function kib(bytes: number): string {
	return `${(bytes / KIB).toFixed(1)} KiB`;
}
