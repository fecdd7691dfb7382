/** `npm run build:package` builds what `npm pack` ships into `lib/`: each entry of `exports` in `package.json`, and the command line. */
import { existsSync } from 'node:fs';
import { defineConfig } from 'tsdown';

const ENTRIES: Readonly<Record<string, string>> = {
	index: 'src/coatcheck.ts',
	client: 'src/client/index.ts',
	react: 'src/react/index.ts',
	webhook: 'src/receiver/index.ts',
};

/** For Node 20 and browsers of 2023. */
const COMMON = {
	format: 'esm',
	platform: 'neutral',
	target: 'es2023',
	deps: { neverBundle: [/^cloudflare:/, /^node:/] },
	report: false,
} as const;

export default defineConfig([
	{
		...COMMON,
		entry: Object.fromEntries(Object.entries(ENTRIES).filter(([, path]) => existsSync(path))),
		outDir: 'lib',
		dts: true,
	},
	{ ...COMMON, entry: { main: 'cli/main.ts' }, outDir: 'lib/cli', dts: false },
]);
