/** Builds the dashboard (`dashboard/`) into static files: one page, and scripts and styles whose names change with their content. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InlineConfig, Rolldown } from 'vite';
import { writeChanged } from '../cli/build/write-changed.ts';
import { removeOthers } from './remove-others.ts';

const ROOT = fileURLToPath(new URL('../dashboard', import.meta.url));

const OPTIONS: InlineConfig = {
	root: ROOT,
	configFile: false,
	envDir: false,
	publicDir: false,
	logLevel: 'warn',
	// Also where NODE_ENV is `development` or `test`: else each element of the page carries the path of its source on this machine.
	oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
	define: { 'process.env.NODE_ENV': '"production"' },
	build: {
		write: false,
		target: 'es2022',
		// The policy of the page allows no inline styles and no data in scripts.
		assetsInlineLimit: 0,
		modulePreload: false,
		reportCompressedSize: false,
	},
};

/**
 * The headers of the scripts and styles, which the platform sends without the Worker (`run_worker_first` in `wrangler.toml`). It adds
 * its own `Cache-Control`, because one of ours would also be sent with a 404, and a browser would keep that.
 */
const HEADERS = `/assets/*
  Content-Security-Policy: default-src 'none'; frame-ancestors 'none'
  Cross-Origin-Resource-Policy: same-origin
  Referrer-Policy: no-referrer
  X-Content-Type-Options: nosniff
`;

/** @param folder an absolute path. Any other file in it is deleted. */
export async function buildDashboard(folder: string): Promise<void> {
	// Wrangler, the tests and the benches import this file, and most of them build only the Worker.
	const { build } = await import('vite');
	const { output } = (await build(OPTIONS)) as Rolldown.RolldownOutput;
	const files = new Map<string, Uint8Array>([['_headers', Buffer.from(HEADERS)]]);
	for (const file of output) files.set(file.fileName, Buffer.from(file.type === 'chunk' ? file.code : file.source));
	await mkdir(folder, { recursive: true });
	for (const [name, contents] of files) {
		await mkdir(dirname(join(folder, name)), { recursive: true });
		await writeChanged(join(folder, name), contents);
	}
	await removeOthers(folder, new Set(files.keys()));
}
