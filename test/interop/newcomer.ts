/** What a newcomer's folder has, without the tasks' own tests and tools. */
export const NEWCOMERS_FILES: readonly string[] = [
	'.dev.vars',
	'cli',
	'dashboard',
	'deploy',
	'package.json',
	'tsconfig.json',
	'src',
	'wrangler.toml',
	'worker-configuration.d.ts',
];
