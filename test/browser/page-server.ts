/** Bundles a page's script as an application would, in parts, and serves it from an origin of its own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HTML = '<!doctype html><title>Page</title><div id="root"></div><script type="module" src="/page.js"></script>';
/** No inline script, no `eval`: what a careful page allows. */
const POLICY = "default-src 'none'; script-src 'self'; connect-src *; img-src blob:; style-src 'self'";

export interface PageServer {
	readonly origin: string;
	/** The scripts that were asked for, in order. */
	readonly scripts: readonly string[];
	stop(): Promise<void>;
}

export interface PageSource {
	/** The page's script, relative to the repository. */
	readonly script: string;
	/** Constants of the script: JavaScript expressions. Default: none. */
	readonly define?: Readonly<Record<string, string>>;
}

/** React in development runs effects twice in strict mode. */
export async function servePage({ script, define = {} }: PageSource): Promise<PageServer> {
	const outdir = await mkdtemp(join(tmpdir(), 'coatcheck-page-'));
	await build({
		absWorkingDir: ROOT,
		entryPoints: { page: script },
		outdir,
		bundle: true,
		splitting: true,
		format: 'esm',
		platform: 'browser',
		jsx: 'automatic',
		define: { 'process.env.NODE_ENV': '"development"', ...define },
		logLevel: 'error',
	});
	const scripts: string[] = [];
	const server = createServer(async ({ url = '/' }, response) => {
		const { pathname } = new URL(url, 'http://page.example');
		if (!pathname.endsWith('.js') && !pathname.endsWith('.css')) {
			response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': POLICY }).end(HTML);
			return;
		}
		scripts.push(basename(pathname));
		const type = pathname.endsWith('.js') ? 'text/javascript' : 'text/css';
		const file = await readFile(join(outdir, basename(pathname))).catch(() => undefined);
		response.writeHead(file ? 200 : 404, { 'content-type': type }).end(file);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		origin: `http://127.0.0.1:${port}`,
		scripts,
		stop: async () => {
			server.close();
			server.closeAllConnections();
			await rm(outdir, { recursive: true, force: true });
		},
	};
}
