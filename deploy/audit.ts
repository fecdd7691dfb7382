/**
 * `npm run audit` checks whether a package that is deployed or installed with this one has a known high or critical vulnerability. It fails
 * if one has, and if the check is impossible. It reports, but does not fail, if the registry offers no audits.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { BUNDLING } from '../cli/build/bundle.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMMAND = ['audit', '--audit-level=high', '--json'];
/** The Worker and its page. Both contain packages that only this repository installs. */
const BUNDLED = ['src/index.ts', 'dashboard/src/main.tsx'];
const GRAVE: ReadonlySet<string> = new Set(['high', 'critical']);
/** Statuses of a registry that doesn't support the request: Not Found, Method Not Allowed, Not Implemented. */
const NOT_OFFERED: ReadonlySet<number> = new Set([404, 405, 501]);

/** The output of `npm audit --json`: a report, or the reason why there is none. */
interface Answer {
	readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string; readonly range: string }>>;
	readonly statusCode?: number;
	readonly message?: string;
}

function ask(): Promise<Answer> {
	return new Promise((resolve, reject) => {
		execFile('npm', COMMAND, { maxBuffer: 64 * 1_024 * 1_024 }, (error, stdout, stderr) => {
			try {
				resolve(JSON.parse(stdout) as Answer);
			} catch {
				reject(new Error(`npm audit returned no readable report: ${stderr || error?.message}`));
			}
		});
	});
}

/** The names of the packages that are deployed or installed. All others only build and test this one. */
async function readUsedPackages(): Promise<ReadonlySet<string>> {
	const { metafile } = await build({
		...BUNDLING,
		absWorkingDir: ROOT,
		entryPoints: BUNDLED,
		outdir: 'out',
		jsx: 'automatic',
		jsxImportSource: 'preact',
	});
	const lock = await readFile(join(ROOT, 'package-lock.json'), 'utf8');
	const { packages } = JSON.parse(lock) as { packages: Record<string, { readonly dev?: boolean }> };
	const installed = Object.keys(packages).filter((path) => !packages[path]?.dev);
	const paths = [...Object.keys(metafile.inputs), ...installed];
	return new Set(paths.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
}

/** @returns the exit code. */
function judge({ vulnerabilities, statusCode, message }: Answer, used: ReadonlySet<string>): number {
	if (vulnerabilities) {
		const all = Object.entries(vulnerabilities).filter(([name]) => used.has(name));
		const grave = all.filter(([, { severity }]) => GRAVE.has(severity));
		for (const [name, { severity, range }] of grave) console.error(`${severity}: ${name} ${range}`);
		console.log(`Dependencies audited: ${grave.length} high or critical, ${all.length - grave.length} lesser.`);
		return grave.length > 0 ? 1 : 0;
	}
	if (statusCode !== undefined && NOT_OFFERED.has(statusCode)) {
		console.log(`NOT AUDITED: the registry that npm is set to offers no audits (it answered ${statusCode}).`);
		console.log('The dependencies were not checked for known vulnerabilities.');
		return 0;
	}
	console.error(`The dependencies could not be audited: ${message ?? 'npm gave no reason'}`);
	return 1;
}

try {
	const [answer, used] = await Promise.all([ask(), readUsedPackages()]);
	process.exitCode = judge(answer, used);
} catch (error) {
	console.error((error as Error).message);
	process.exitCode = 1;
}
