/** `npm run build:package` builds what `npm pack` ships: each entry of `exports` in `package.json`, and the command line. */
import { existsSync } from 'node:fs';
import { defineConfig } from 'tsdown';

const ENTRIES: Readonly<Record<string, string>> = {
	index: 'src/coatcheck.ts',
	client: 'src/client/index.ts',
	react: 'src/react/index.ts',
	webhook: 'src/receiver/index.ts',
	cli: 'cli/main.ts',
};

export default defineConfig({
	entry: Object.fromEntries(Object.entries(ENTRIES).filter(([, path]) => existsSync(path))),
	outDir: 'lib',
	format: 'esm',
	platform: 'neutral',
	target: 'es2023',
	dts: true,
	deps: { neverBundle: [/^cloudflare:/, /^node:/] },
	report: false,
});
