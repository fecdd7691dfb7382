/**
 * `npm run audit`: whether a dependency that is deployed has a known vulnerability that is high or critical. Fails when one has,
 * and when that can't be found out; but not where the registry has no such service, which it then says.
 */
import { execFile } from 'node:child_process';

const COMMAND = ['audit', '--omit=dev', '--audit-level=high', '--json'];
const GRAVE: ReadonlySet<string> = new Set(['high', 'critical']);
/** What a registry answers that doesn't know the request: Not Found, Method Not Allowed, Not Implemented. */
const NOT_OFFERED: ReadonlySet<number> = new Set([404, 405, 501]);

/** What `npm audit --json` says: its report, or why there is none. */
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
				reject(new Error(`npm audit said nothing that can be read: ${stderr || error?.message}`));
			}
		});
	});
}

/** @returns the exit code. */
function judge({ vulnerabilities, statusCode, message }: Answer): number {
	if (vulnerabilities) {
		const all = Object.entries(vulnerabilities);
		const grave = all.filter(([, { severity }]) => GRAVE.has(severity));
		for (const [name, { severity, range }] of grave) console.error(`${severity}: ${name} ${range}`);
		console.log(`Dependencies audited: ${grave.length} high or critical, ${all.length - grave.length} lesser.`);
		return grave.length > 0 ? 1 : 0;
	}
	if (statusCode !== undefined && NOT_OFFERED.has(statusCode)) {
		console.log(`NOT AUDITED: the registry that npm is set to offers no audits (it answered ${statusCode}).`);
		console.log('Whether the dependencies have known vulnerabilities was not looked at.');
		return 0;
	}
	console.error(`The dependencies could not be audited: ${message ?? 'npm gave no reason'}`);
	return 1;
}

try {
	process.exitCode = judge(await ask());
} catch (error) {
	console.error((error as Error).message);
	process.exitCode = 1;
}
