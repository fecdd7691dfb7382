/**
 * Compares the dashboard's list of 100 finished jobs with Bull Board's, in turns: in Chromium, each time in a new profile without a cache.
 * A page of one line from the same server shows how soon this browser paints anything.
 * It needs Chromium, Redis and the packages of `bench/peers`. Prints the medians, and writes `bench/results/dashboard.md`.
 *
 *     npm run bench:dashboard
 */
import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startLocalWorker } from '../demo/local-worker.ts';
import { table } from '../demo/terminal.ts';
import { median } from './compare/figures.ts';
import { machine, markdown } from './compare/report.ts';

const ROUNDS = 9;
const JOBS = 100;
const REDIS = process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379';
const PEERS = fileURLToPath(new URL('peers', import.meta.url));
const RESULTS = fileURLToPath(new URL('results/dashboard.md', import.meta.url));
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'];

interface Contender {
	readonly name: string;
	/** The page with the list. */
	readonly url: string;
	/** The links to the jobs of the list. Left out: the page has no list. */
	readonly links?: string;
	readonly stop?: () => Promise<void>;
}

interface Visit {
	/** First contentful paint, in milliseconds after the navigation began. */
	readonly paintMs: number;
	/** All jobs are there. */
	readonly listMs: number;
	readonly kibibytes: number;
}

async function main(): Promise<void> {
	const coatcheck = await startCoatcheck();
	const oneLine = { name: 'one line', url: new URL('/healthz', coatcheck.url).href };
	const contenders: Contender[] = [coatcheck, await startBullBoard(), oneLine];
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
	const visits = new Map(contenders.map(({ name }) => [name, [] as Visit[]]));
	try {
		// The first round is not counted.
		for (let round = 0; round <= ROUNDS; round++) {
			for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
				const seen = await visit(browser, contender);
				if (round > 0) visits.get(contender.name)?.push(seen);
			}
		}
	} finally {
		await browser.close();
		for (const { stop } of contenders) await stop?.();
	}
	const rows = rowsOf(contenders, visits);
	table(rows);
	const head = `\`npm run bench:dashboard\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}. Medians of ${ROUNDS} interleaved visits with an empty cache, a list of ${JOBS} finished jobs. Coatcheck runs under \`wrangler dev\`, Bull Board on Express and Redis.`;
	await writeFile(RESULTS, `# The dashboard beside Bull Board\n\n${head}\n\n${markdown(rows)}\n`);
}

async function startCoatcheck(): Promise<Contender> {
	const { origin, stop } = await startLocalWorker();
	const jobs = Array.from({ length: JOBS }, () => ({ task: 'sleep', input: { seconds: 0 } }));
	const headers = { 'content-type': 'application/json' };
	const response = await fetch(`${origin}/v1/batches`, { method: 'POST', headers, body: JSON.stringify({ jobs }) });
	if (response.status !== 202) throw new Error(`Expected 202, got ${response.status}`);
	for (;;) {
		const counted = await fetch(`${origin}/v1/jobs/counts?status=succeeded`);
		const { total } = (await counted.json()) as { total: number };
		if (total === JOBS) break;
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
	return { name: 'Coatcheck', url: `${origin}/jobs?status=succeeded`, links: 'tbody a[href^="/jobs/"]', stop };
}

async function startBullBoard(): Promise<Contender> {
	const child = fork(`${PEERS}/board.ts`, [REDIS, String(JOBS)], { cwd: PEERS });
	const { origin } = await new Promise<{ origin: string }>((resolve, reject) => {
		child.once('message', (message) => resolve(message as { origin: string }));
		child.once('exit', (code) =>
			reject(new Error(`Bull Board ended with ${code}: bench/README.md says what it needs`)),
		);
	});
	const stop = async () => void child.kill();
	return { name: 'Bull Board', url: `${origin}/queue/bench?status=completed`, links: 'a[href*="/queue/bench/"]', stop };
}

async function visit(browser: Browser, { url, links }: Contender): Promise<Visit> {
	const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
	// Bull Board shows ten jobs a page unless its settings say more.
	await context.addInitScript((perPage) => {
		localStorage.setItem('board-settings', JSON.stringify({ state: { jobsPerPage: perPage }, version: 0 }));
	}, JOBS);
	const page = await context.newPage();
	let bytes = 0;
	page.on('response', async (response) => {
		bytes +=
			(
				await response
					.request()
					.sizes()
					.catch(() => undefined)
			)?.responseBodySize ?? 0;
	});
	try {
		await page.goto(url, { waitUntil: 'commit' });
		const listMs = links === undefined ? Number.NaN : await waitForList(page, links);
		const painted = await page.waitForFunction(
			() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
			undefined,
			{ polling: 'raf', timeout: 30_000 },
		);
		return { paintMs: Number(await painted.jsonValue()), listMs, kibibytes: bytes / 1_024 };
	} finally {
		await context.close();
	}
}

/** @returns when all jobs are there, in milliseconds after the navigation began. */
async function waitForList(page: Page, links: string): Promise<number> {
	const listMs = await page.waitForFunction(
		({ selector, count }) => {
			const targets = new Set([...document.querySelectorAll<HTMLAnchorElement>(selector)].map(({ href }) => href));
			return targets.size >= count && performance.now();
		},
		{ selector: links, count: JOBS },
		{ polling: 'raf', timeout: 30_000 },
	);
	return Number(await listMs.jsonValue());
}

function rowsOf(contenders: readonly Contender[], visits: ReadonlyMap<string, readonly Visit[]>): string[][] {
	const medianOf = (name: string, figure: keyof Visit) => median((visits.get(name) ?? []).map((seen) => seen[figure]));
	const row = (label: string, figure: keyof Visit): string[] => {
		const [ours = Number.NaN, theirs = Number.NaN, least = Number.NaN] = contenders.map(({ name }) =>
			medianOf(name, figure),
		);
		const leastShown = Number.isNaN(least) ? '' : least.toFixed(0);
		return [label, ours.toFixed(0), theirs.toFixed(0), leastShown, `${(theirs / ours).toFixed(2)} ×`];
	};
	return [
		['', ...contenders.map(({ name }) => name), 'Bull Board ÷ Coatcheck'],
		row('first contentful paint, ms', 'paintMs'),
		row('a list of 100 jobs, ms', 'listMs'),
		row('transferred, KiB', 'kibibytes'),
	];
}

await main();
