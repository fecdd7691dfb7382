/**
 * A real Prometheus scrapes a real deployment. It reads the alerts and the dashboard of `docs/operating`, and fails if one of them
 * names a metric that does not exist. `npm run test:metrics`; it needs Debian's package `prometheus`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from './curl.ts';
import { type Server, startServer } from './server.ts';

const OPERATING = fileURLToPath(new URL('../../docs/operating', import.meta.url));
const ALERTS = join(OPERATING, 'alerts.yml');
const UPSTREAMS = JSON.stringify({ reports: { baseUrl: 'https://reports.example', concurrency: 2 } });
const METRIC = /\bcoatcheck_\w+/g;

let server: Server;
let prometheus: string;
const endings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
	server = await startServer({ UPSTREAMS });
	endings.push(() => server.stop());
	await submit({ seconds: 0 });
	await submit({ seconds: 0 }, { 'coatcheck-delay-seconds': '3600' });
	await submit({ seconds: 0, error: { code: 'Broken', message: 'As asked', retryable: false } });
	await vi.waitFor(async () => expect(await scrape()).toMatch(/coatcheck_recent_run_seconds.*\n(.*\n)*coatcheck_/), {
		timeout: 60_000,
		interval: 1_000,
	});
	prometheus = await startPrometheus();
});

afterAll(async () => {
	for (const end of endings.reverse()) await end();
});

async function submit(input: object, options: Record<string, string> = { prefer: 'wait=10' }): Promise<void> {
	const response = await fetch(`${server.origin}/v1/tasks/sleep/jobs`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...options },
		body: JSON.stringify(input),
	});
	await response.arrayBuffer();
}

async function scrape(): Promise<string> {
	const response = await fetch(`${server.origin}/metrics`);
	expect(response.status).toBe(200);
	return response.text();
}

async function freePort(): Promise<number> {
	const probe = createServer().listen(0, '127.0.0.1');
	await once(probe, 'listening');
	const address = probe.address();
	probe.close();
	await once(probe, 'close');
	return typeof address === 'object' && address ? address.port : 0;
}

/** @returns its origin. */
async function startPrometheus(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-prometheus-'));
	endings.push(() => rm(folder, { recursive: true, force: true }));
	const config = {
		// A scrape may take as long as the interval. After one that took longer, there are no values until the next.
		global: { scrape_interval: '5s', evaluation_interval: '1s' },
		rule_files: [ALERTS],
		scrape_configs: [{ job_name: 'coatcheck', static_configs: [{ targets: [new URL(server.origin).host] }] }],
	};
	// JSON is YAML, too.
	await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
	const address = `127.0.0.1:${await freePort()}`;
	const settings = { 'config.file': 'prometheus.yml', 'storage.tsdb.path': 'data', 'web.listen-address': address };
	const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
	const child = spawn('prometheus', [...args, '--log.level=error'], { cwd: folder, stdio: 'inherit' });
	const exit = once(child, 'exit').catch(() => {});
	endings.push(() => {
		child.kill();
		return exit;
	});
	await vi.waitFor(async () => expect((await fetch(`http://${address}/-/ready`)).status).toBe(200), {
		timeout: 30_000,
		interval: 200,
	});
	return `http://${address}`;
}

async function api<Data>(path: string): Promise<Data> {
	const response = await fetch(`${prometheus}/api/v1/${path}`);
	const { status, data, error } = (await response.json()) as { status: string; data: Data; error?: string };
	expect(status, `${path}: ${error}`).toBe('success');
	return data;
}

interface Target {
	readonly health: string;
	readonly lastError: string;
}

async function scraped(): Promise<void> {
	await vi.waitFor(
		async () => {
			const { activeTargets } = await api<{ activeTargets: Target[] }>('targets');
			expect(activeTargets).toMatchObject([{ health: 'up', lastError: '' }]);
		},
		{ timeout: 30_000, interval: 500 },
	);
}

function valuesOf(query: string): Promise<{ value: [number, string] }[]> {
	const path = `query?query=${encodeURIComponent(query)}`;
	return api<{ result: { value: [number, string] }[] }>(path).then(({ result }) => result);
}

/** Waits until the text names only metrics that were scraped once. */
async function untilKnown(text: string): Promise<void> {
	await expect.poll(async () => unknownIn(text, await knownMetrics())).toEqual([]);
}

async function knownMetrics(): Promise<ReadonlySet<string>> {
	await scraped();
	return new Set(await api<string[]>('label/__name__/values'));
}

function unknownIn(text: string, known: ReadonlySet<string>): string[] {
	return [...new Set(text.match(METRIC))].filter((name) => !known.has(name));
}

describe('a real Prometheus', () => {
	it('scrapes the deployment', async () => {
		await scraped();
		await expect.poll(async () => (await valuesOf('sum(coatcheck_jobs)'))[0]?.value[1]).toBe('3');
	});

	it('finds nothing to complain about in the text', async () => {
		const { stdout, stderr, exitCode } = await run('promtool', ['check', 'metrics'], await scrape());
		expect([stdout + stderr, exitCode]).toEqual(['', 0]);
	});

	it('evaluates every alert, and each names only metrics that exist', async () => {
		const { exitCode, stdout, stderr } = await run('promtool', ['check', 'rules', ALERTS]);
		expect(exitCode, stdout + stderr).toBe(0);
		await untilKnown(await readFile(ALERTS, 'utf8'));
		await vi.waitFor(
			async () => {
				const { groups } = await api<{ groups: { rules: { name: string; health: string; lastError?: string }[] }[] }>(
					'rules',
				);
				const rules = groups.flatMap((group) => group.rules);
				expect(rules.length).toBeGreaterThanOrEqual(8);
				expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
			},
			{ timeout: 30_000, interval: 500 },
		);
	});

	it('can run every query of the dashboard, and each names only metrics that exist', async () => {
		const text = await readFile(join(OPERATING, 'grafana.json'), 'utf8');
		await untilKnown(text);
		const { panels } = JSON.parse(text) as { panels: { targets: { expr: string }[] }[] };
		const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$tenant', '.*')));
		expect(queries.length).toBeGreaterThan(10);
		// There is no data after a scrape that took too long, until the next one.
		for (const query of queries)
			await expect
				.poll(async () => (await valuesOf(query)).length, { message: `no data for ${query}` })
				.toBeGreaterThan(0);
	});

	it('names only metrics that exist: the check itself notices one that does not', async () => {
		expect(unknownIn('sum(coatcheck_imagined)', await knownMetrics())).toEqual(['coatcheck_imagined']);
	});
});
