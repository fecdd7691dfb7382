/**
 * Asks lists of 10,000, 100,000 and 1,000,000 jobs of a tenant for first pages and counts over HTTP, beside a plain table with
 * indexes in PostgreSQL (if a server answers) and in SQLite. Requests are interleaved: each question to each contender and size in
 * turn.
 *
 *     npm run bench:list
 *     npm run bench:list -- --sizes 10000,100000 --rounds 5 --name=list-quick
 *     npm run bench:list -- --only=on-off      # what the list costs: the same build with LIST=off. Keeps the other tables
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../../demo/terminal.ts';
import { plain } from '../compare/contender.ts';
import { median, quantile } from '../compare/figures.ts';
import { hangUp, send, sendForJson } from '../compare/http.ts';
import { portsOf } from '../compare/processes.ts';
import { running } from '../compare/workers.ts';
import { configWith, localVariables } from '../configuration.ts';
import { type MadeList, QUESTIONS } from './made-jobs.ts';
import { measureOnOff, ON_OFF_TITLE } from './on-off.ts';

process.env.WRANGLER_LOG ??= 'error';
process.env.WRANGLER_SEND_METRICS ??= 'false';
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';

const { values } = parseArgs({
	options: {
		sizes: { type: 'string', default: '10000,100000,1000000' },
		rounds: { type: 'string' },
		only: { type: 'string' },
		name: { type: 'string', default: 'list' },
	},
});
const SIZES = values.sizes.split(',').map(Number);
const ROUNDS = Number(values.rounds ?? 30);
const ON_OFF_ROUNDS = Number(values.rounds ?? 5);
const COLD_ROUNDS = 15;
const FILLED_AT_ONCE = 20_000;
const RESULTS = fileURLToPath(new URL(`../results/${values.name}.md`, import.meta.url));
const PG = fileURLToPath(new URL('../peers/node_modules/pg', import.meta.url));
const POSTGRES = process.env.BENCH_POSTGRES_URL ?? 'postgres://bench@127.0.0.1:5432/postgres';
const OURS = 'Coatcheck';
const DAY_MS = 86_400_000;
/** The newest job. */
const NOW = Math.floor(Date.now() / DAY_MS) * DAY_MS;
/** A case that has taken this long is not asked again. */
const MAX_CASE_MS = 10_000;

interface Contender {
	readonly name: string;
	readonly origin: string;
	fill(list: MadeList): Promise<void>;
	stop(): Promise<void>;
}

async function main(): Promise<void> {
	if (values.only === 'on-off') return reportOnOff();
	if (values.only !== undefined) throw new Error(`Expected --only=on-off, got: ${values.only}`);
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-list-'));
	const contenders: Contender[] = [];
	try {
		contenders.push(await coatcheck(), await tableServer('SQLite', ['sqlite', join(folder, 'jobs.db')]));
		const reason = await postgresMissing();
		if (reason) console.log(`PostgreSQL is left out: ${reason}`);
		else
			for (const kind of ['single', 'composite'])
				contenders.push(await tableServer(`PostgreSQL, ${kind} indexes`, ['postgres', POSTGRES, kind]));
		for (const contender of contenders) await fillAll(contender);
		const times = await askAll(contenders);
		const cold = await askCold(contenders[0] as Contender);
		const live = await askLive(contenders[0] as Contender);
		await report({ contenders, times, cold, live, reason });
	} finally {
		for (const contender of contenders) await contender.stop();
		hangUp();
		await rm(folder, { recursive: true, force: true });
	}
}

async function coatcheck(): Promise<Contender> {
	const binding = `
[exports.TopicObject]
type = "durable-object"
storage = "sqlite"

[[durable_objects.bindings]]
name = "TOPICS"
class_name = "TopicObject"
`;
	const config = await configWith('bench/workers/list.ts', (toml) =>
		toml.includes('"TOPICS"') ? toml : toml + binding,
	);
	const {
		origin: proxy,
		pid,
		stop,
	} = await running(OURS, { configPath: config.path, secrets: await localVariables() }, plain(), config.remove);
	const origin = (await directOrigin(pid)) ?? proxy;
	console.log(origin === proxy ? "Asking behind wrangler's proxy" : "Asking the runtime, without wrangler's proxy");
	return {
		name: OURS,
		origin,
		stop,
		async fill({ total, now }) {
			for (let from = 0; from < total; from += FILLED_AT_ONCE) {
				const to = Math.min(total, from + FILLED_AT_ONCE);
				await bench(origin, `fill?now=${now}&from=${from}&to=${to}`, total);
			}
		},
	};
}

/** The runtime's own port, so that the proxy of local development is not part of the times. Linux only. */
async function directOrigin(pid: number | undefined): Promise<string | undefined> {
	for (const port of pid === undefined ? [] : await portsOf(pid)) {
		const origin = `http://127.0.0.1:${port}`;
		const answer = await send({ method: 'GET', url: `${origin}/healthz` }).catch(() => undefined);
		if (answer?.status === 200 && String(answer.bytes) === '{"status":"ok"}') return origin;
	}
	return undefined;
}

async function bench(origin: string, path: string, size: number): Promise<Buffer> {
	const { status, bytes } = await send({ method: 'POST', url: `${origin}/bench/${path}`, headers: sizeHeader(size) });
	if (status >= 300) throw new Error(`${path}: ${status} ${bytes}`);
	return bytes;
}

async function tableServer(name: string, args: readonly string[]): Promise<Contender> {
	const child = fork(fileURLToPath(new URL('table-server.ts', import.meta.url)), args);
	const { origin } = await new Promise<{ origin: string }>((resolve, reject) => {
		child.once('message', (message) => resolve(message as { origin: string }));
		child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it listened`)));
	});
	return {
		name,
		origin,
		async fill({ total, now }) {
			const url = `${origin}/?now=${now}`;
			const { status, bytes } = await send({ method: 'POST', url, headers: sizeHeader(total) });
			if (status !== 200) throw new Error(`${name}: ${bytes}`);
		},
		stop: () =>
			new Promise((resolve) => {
				child.once('exit', () => resolve());
				child.kill();
			}),
	};
}

async function postgresMissing(): Promise<string | undefined> {
	if (!existsSync(PG)) return 'its client is not installed: npm ci --prefix bench/peers';
	const { hostname, port } = new URL(POSTGRES);
	const isThere = await new Promise((resolve) => {
		const socket = connect({ host: hostname, port: Number(port), timeout: 1_000 });
		socket.once('connect', () => resolve(socket.end() !== undefined));
		for (const event of ['error', 'timeout']) socket.once(event, () => resolve(false));
	});
	return isThere ? undefined : `no server at ${hostname}:${port} (bench/README.md)`;
}

async function fillAll(contender: Contender): Promise<void> {
	for (const total of SIZES) {
		const begin = performance.now();
		await contender.fill({ total, now: NOW });
		const seconds = (performance.now() - begin) / 1_000;
		console.log(`${contender.name}: ${total} jobs in ${seconds.toFixed(1)} s`);
	}
}

/** Times in milliseconds, by contender, size and question. */
type Times = Map<string, number[]>;

const keyFor = (contender: string, size: number, question: string) => `${contender} | ${size} | ${question}`;
const NOTHING = { name: 'nothing (GET /healthz)', path: () => '/healthz' };

async function askAll(contenders: readonly Contender[]): Promise<Times> {
	const times: Times = new Map();
	const cases = [NOTHING, ...QUESTIONS].flatMap((question) =>
		SIZES.flatMap((size) => contenders.map((contender) => ({ question, size, contender }))),
	);
	const totals = new Map<string, number>();
	const spentMs = new Map<string, number>();
	// The first two rounds are not counted.
	for (let round = -2; round < ROUNDS; round++) {
		for (const { question, size, contender } of round % 2 ? cases : cases.toReversed()) {
			const key = keyFor(contender.name, size, question.name);
			if ((spentMs.get(key) ?? 0) > MAX_CASE_MS) continue;
			const { ms, answer } = await ask(contender, question.path({ total: size, now: NOW }), size);
			spentMs.set(key, (spentMs.get(key) ?? 0) + ms);
			if (round >= 0 || ms > MAX_CASE_MS / 4) times.set(key, [...(times.get(key) ?? []), ms]);
			const found = answer.total ?? answer.jobs?.length ?? 0;
			const wanted = totals.get(keyFor('', size, question.name)) ?? found;
			if (found !== wanted) throw new Error(`${key}: expected ${wanted} jobs, got ${found}`);
			totals.set(keyFor('', size, question.name), found);
		}
	}
	return times;
}

async function ask({ origin }: Contender, path: string, size: number) {
	const begin = performance.now();
	const call = { method: 'GET', url: origin + path, headers: sizeHeader(size) } as const;
	const answer = await sendForJson<{ total?: number; jobs?: unknown[] }>(call, 200);
	return { ms: performance.now() - begin, answer };
}

function sizeHeader(size: number) {
	return { 'bench-size': String(size) };
}

async function askCold(ours: Contender): Promise<Times> {
	const times: Times = new Map();
	// A start also applies the news since the last checkpoint: here three quarters of the most that there can be.
	for (const size of SIZES) await bench(ours.origin, `fill?now=${NOW}&from=${size}&to=${size + 1_500}`, size);
	for (let round = 0; round < COLD_ROUNDS; round++) {
		for (const size of SIZES) {
			await bench(ours.origin, 'evict', size);
			const { ms } = await ask(ours, '/v1/jobs', size);
			const key = keyFor(OURS, size, 'cold');
			times.set(key, [...(times.get(key) ?? []), ms]);
		}
	}
	return times;
}

interface Live {
	readonly jobs: number;
	readonly log: number;
	readonly all: number;
}

async function askLive({ origin }: Contender): Promise<Live> {
	return JSON.parse(String(await bench(origin, `live?now=${NOW}`, 1))) as Live;
}

interface Found {
	readonly contenders: readonly Contender[];
	readonly times: Times;
	readonly cold: Times;
	readonly live: Live;
	readonly reason: string | undefined;
}

async function report({ contenders, times, cold, live, reason }: Found): Promise<void> {
	const sections = [NOTHING, ...QUESTIONS].map(({ name }) => {
		const rows = contenders.map((contender) =>
			rowFor(
				contender.name,
				SIZES.map((size) => times.get(keyFor(contender.name, size, name)) ?? []),
			),
		);
		return [name, [['', ...SIZES.map(sizeName), 'largest ÷ smallest'], ...rows]] as const;
	});
	const coldRow = rowFor(
		OURS,
		SIZES.map((size) => cold.get(keyFor(OURS, size, 'cold')) ?? []),
	);
	const everything = [
		...sections,
		['newest 20, after the object was evicted', [['', ...SIZES.map(sizeName), 'largest ÷ smallest'], coldRow]] as const,
	];
	for (const [name, rows] of everything) {
		console.log(`\n${name}`);
		table(rows.map((row) => [...row]));
	}
	const text = [
		'# First pages and counts of a list',
		`\`npm run bench:list\` on ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}.`,
		`Median / 95th percentile in milliseconds of ${ROUNDS} interleaved requests (${COLD_ROUNDS} after an eviction), over HTTP, one at a time. Coatcheck runs in workerd, asked at its own port, with validation and signed links; the tables are behind \`node:http\`, with none of these. The first table shows what an empty answer costs each. After an eviction, the object reads its directory and applies 1,500 news.`,
		...(reason ? [`PostgreSQL was left out: ${reason}.`] : []),
		...everything.map(([name, rows]) => `## ${name}\n\n${markdown(rows.map((row) => [...row]))}`),
		ratios(contenders, times),
		`## Rows\n\nAt 200 jobs a second for a minute, each ending within 30 s, told ten times a second: ${live.jobs} jobs wrote ${live.log} rows of the log and ${live.all} rows of the list, ${((live.log + live.all) / live.jobs).toFixed(3)} a job in all.`,
	].join('\n\n');
	await writeFile(RESULTS, [text, await onOffSection()].filter(Boolean).join('\n\n').trimEnd().concat('\n'));
	console.log(text.split('\n').slice(-1)[0], `\nWritten to bench/results/${values.name}.md`);
}

/** Replaces the last section of the page, and keeps the others. */
async function reportOnOff(): Promise<void> {
	const { rows, note } = await measureOnOff(ON_OFF_ROUNDS);
	console.log();
	table(rows);
	const before = (await readPage()).replace(await onOffSection(), '').trimEnd();
	const written = `On ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}.`;
	await writeFile(RESULTS, `${before}\n\n${ON_OFF_TITLE}\n\n${note} ${written}\n\n${markdown(rows)}\n`.trimStart());
	console.log(`\nWritten to bench/results/${values.name}.md`);
}

/** The last section of the page; empty without one. */
async function onOffSection(): Promise<string> {
	const page = await readPage();
	const at = page.indexOf(ON_OFF_TITLE);
	return at < 0 ? '' : page.slice(at);
}

async function readPage(): Promise<string> {
	return existsSync(RESULTS) ? readFile(RESULTS, 'utf8') : '';
}

function rowFor(name: string, bySize: readonly (readonly number[])[]): string[] {
	const medians = bySize.map(median);
	const figures = bySize.map((ms, nth) => `${(medians[nth] ?? 0).toFixed(1)} / ${quantile(ms, 0.95).toFixed(1)}`);
	return [name, ...figures, `${((medians.at(-1) ?? 0) / (medians[0] ?? 1)).toFixed(2)} ×`];
}

function ratios(contenders: readonly Contender[], times: Times): string {
	const size = SIZES.at(-1) ?? 0;
	const others = contenders.filter(({ name }) => name !== OURS);
	const medianFor = (contender: string, question: string) => median(times.get(keyFor(contender, size, question)) ?? []);
	const netFor = (contender: string, question: string) =>
		Math.max(0.01, medianFor(contender, question) - medianFor(contender, NOTHING.name));
	const rows = QUESTIONS.map(({ name }) => [
		name,
		...others.flatMap((other) => [
			`${(medianFor(other.name, name) / medianFor(OURS, name)).toFixed(2)} ×`,
			`${(netFor(other.name, name) / netFor(OURS, name)).toFixed(2)} ×`,
		]),
	]);
	const head = ['', ...others.flatMap(({ name }) => [name, 'without the empty answer'])];
	return `## Times of the tables ÷ times of Coatcheck, ${sizeName(size)}\n\n${markdown([head, ...rows])}`;
}

function sizeName(size: number): string {
	return `${size.toLocaleString('en-US')} jobs`;
}

function markdown([head = [], ...rows]: readonly (readonly string[])[]): string {
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

await main();
process.exit();
