/**
 * Compares version 0.1.0 with this version: sends the same requests to both, side by side, on real servers of
 * this machine. The bench's own Worker makes objects unreachable, in the same way for both.
 *
 *     npm run bench:faults [-- --only 3]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { replaceGenerated } from '../generated.ts';
import { checkOutBefore, startVersion, thisTree, type Version } from '../versions.ts';
import { Client } from './client.ts';
import { PROBES, type Probe } from './probes.ts';
import { startUpstream } from './upstream.ts';

const RESULTS = fileURLToPath(new URL('../results/faults.md', import.meta.url));
const WORKER = 'bench/workers/faults.ts';
const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));

async function answersOf(version: Version, probes: readonly Probe[]): Promise<string[]> {
	const upstream = await startUpstream();
	const { baseUrl } = upstream;
	const upstreams = { shared: { baseUrl }, async: { baseUrl, follow: true, retry: { maxAttempts: 1 } } };
	const variables = { UPSTREAMS: JSON.stringify(upstreams) };
	const { origin, stop } = await startVersion(version, { worker: WORKER, variables });
	const answers: string[] = [];
	try {
		for (const { question, answer } of probes) {
			const text = await answer(new Client(origin), upstream).catch((error: Error) => `failed: ${error.message}`);
			console.log(`${version.name}: ${question}: ${text}`);
			answers.push(text);
		}
	} finally {
		await stop();
		upstream.close();
	}
	return answers;
}

async function main(): Promise<void> {
	const { values } = parseArgs({ options: { only: { type: 'string' } } });
	const probes = values.only === undefined ? PROBES : PROBES.slice(Number(values.only) - 1, Number(values.only));
	const before = checkOutBefore([WORKER]);
	try {
		const [old, now] = [await answersOf(before, probes), await answersOf(thisTree(), probes)];
		const rows = probes.map(({ question }, index) => `| ${question} | ${old[index]} | ${now[index]} |`);
		const table = ['| | 0.1.0 | now |', '|---|---|---|', ...rows].join('\n');
		console.log(`\n${table}`);
		if (values.only !== undefined) return;
		await mkdir(fileURLToPath(new URL('../results', import.meta.url)), { recursive: true });
		await writeFile(
			RESULTS,
			`# Faults of 0.1.0, before and after\n\nWritten by \`npm run bench:faults\`.\n\n${table}\n`,
		);
		await replaceGenerated(PAGE, table);
	} finally {
		before.remove();
	}
}

await main();
