/** One client: its snippets run against the service, and the page's row about it is what was measured. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { countLines, type Purpose, rowOf, type Snippet, sectionAbout, snippetFor, snippetsIn } from './page.ts';
import { Program, type Variables } from './program.ts';
import { DAMAGED_PHOTO, fetchStatus, KEY, PHOTO, startWaitingJob } from './service.ts';
import { type Exchange, isStream, Tap, type TapOptions } from './tap.ts';
import type { UntrustedService } from './untrusted.ts';

export interface FarClient {
	/** As in the page's heading and table. */
	readonly name: string;
	/** Where it comes from: Debian's packages, or npm's. The page names them. */
	readonly packages: readonly string[];
	/** A command that prints the version. */
	readonly version: string;
	/** A program that sends a GET to `URL` with the key `KEY`, without any option. Clients that only watch have none. */
	readonly probe?: Snippet;
	/** If it follows redirects only when it is told to: how the snippet says so, and the probe that does. */
	readonly following?: { readonly option: string; readonly probe: Snippet };
	/** What makes its snippets check certificates, if it does not by itself. */
	readonly checksWith?: string;
	/** What the page says a snippet needs, and what to write instead so that the snippet fails. */
	readonly needs?: readonly Need[];
	/** Where it finds its packages. */
	readonly variables?: Variables;
	/** A folder of npm packages. */
	readonly modules?: string;
}

export interface Need {
	readonly purpose: 'result' | 'events';
	readonly flag: string;
	/** Default: nothing. */
	readonly instead?: string;
}

export interface ServiceUnderTest {
	readonly origin: string;
	readonly thumbnail: Buffer;
	readonly untrusted: UntrustedService;
}

/** Longer than a client waits by chance. */
const RETRY_AFTER_SECONDS = 2;
/** Runs of a client until one of them had to wait. Each delays its job by twice as much as the one before: by 1, 2, 4, 8 and 16 s. */
const MAX_TRIES = 5;
/** Timers count whole milliseconds, so one may end a little early by a finer clock. */
const ROUNDING_MS = 10;
/** The shortest wait of a client that does not hurry. */
const PATIENT_MS = 900;
const STREAMS: readonly Purpose[] = ['events', 'websocket'];
const NONE = '–';
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);
const MENTIONS_WAIT = /retry.?after|\bsleep/i;

const isResult = ({ path }: Exchange) => path.endsWith('/result');
const isStatus = ({ method, path }: Exchange) => method === 'GET' && /^\/v1\/(jobs|operations)\/\w+$/.test(path);

/** Registers the tests of one client. `service` is there when they run. */
export function describeClient(client: FarClient, service: () => ServiceUnderTest): void {
	describe.concurrent(client.name, () => {
		const measured = new Measurements(client, service);

		it('comes from packages that the page names', () => {
			for (const name of client.packages) expect(sectionAbout(client.name)).toContain(`\`${name}\``);
		});

		if (snippetFor('result', client.name)) {
			it('submits a picture, is led to its thumbnail, and waits as it was asked to', async () => {
				expect((await measured.result()).length).toBeGreaterThan(1);
			});

			it('reads why a job failed', () => readFailure(client, service()));

			it('cancels a job', () => cancelJob(client, service()));

			it('sends nothing to a service whose certificate it does not trust', () => distrust(client, service()));
		}

		for (const purpose of STREAMS) {
			if (!snippetFor(purpose, client.name)) continue;
			it(`shows each event once as it happens, in ${purpose}, and resumes after a broken connection`, () =>
				watchJob(client, requireSnippet(purpose, client), service()));
		}

		for (const need of client.needs ?? []) {
			it(`fails with ${JSON.stringify(need.instead ?? '')} instead of ${JSON.stringify(need.flag)}`, async () => {
				expect(requireSnippet(need.purpose, client).text).toContain(need.flag);
				await expect(runWithout(need, client, service())).rejects.toThrow();
			});
		}

		it('is described by the page as it was measured', async () => {
			const shown = rowOf(client.name);
			expect(asRow(shown)).toBe(asRow(await measured.row(shown)));
		});
	});
}

/** As it stands in the page, so that a failure shows the row to write. */
function asRow(cells: readonly string[]): string {
	return `| ${cells.join(' | ')} |`;
}

function requireSnippet(purpose: Purpose, { name }: FarClient): Snippet {
	const snippet = snippetFor(purpose, name);
	if (snippet === undefined) throw new Error(`docs/clients.md needs a snippet \`${purpose}.…\`: under "### ${name}"`);
	return snippet;
}

function startProgram(client: FarClient, snippet: Snippet, variables: Variables, photo?: Uint8Array): Promise<Program> {
	const files = photo ? { 'photo.jpg': photo } : {};
	const { modules } = client;
	return Program.start(snippet, { variables: { KEY, ...client.variables, ...variables }, files, modules });
}

/** Runs a snippet `result` in front of a tap of its own. */
async function runResult(
	client: FarClient,
	snippet: Snippet,
	origin: string,
	photo: Uint8Array,
	options: TapOptions = {},
) {
	using tap = await Tap.open(origin, options);
	await using program = await startProgram(client, snippet, { BASE: tap.origin }, photo);
	const status = await program.end();
	const file = join(program.folder, 'thumbnail.jpg');
	return { tap, status, printed: program.printed, thumbnail: existsSync(file) ? readFileSync(file) : undefined };
}

/** Runs the same test with another snippet. */
async function runWithout(need: Need, client: FarClient, service: ServiceUnderTest): Promise<unknown> {
	const { file, text } = requireSnippet(need.purpose, client);
	const without = { file, text: text.replace(need.flag, need.instead ?? '') };
	return need.purpose === 'events' ? watchJob(client, without, service) : fetchThumbnail(client, without, service);
}

/** @returns the requests with which the client got the thumbnail, after at least one response that asked it to wait. */
async function fetchThumbnail(
	client: FarClient,
	snippet: Snippet,
	{ origin, thumbnail }: ServiceUnderTest,
): Promise<readonly Exchange[]> {
	for (let tries = 1; tries <= MAX_TRIES; tries++) {
		const options = { delaySeconds: 2 ** (tries - 1), retryAfterSeconds: RETRY_AFTER_SECONDS };
		const run = await runResult(client, snippet, origin, PHOTO, options);
		expect(run.status, run.printed).toBe(0);
		expect(run.thumbnail?.equals(thumbnail), 'the thumbnail is the right one').toBe(true);
		// On a busy machine, the job may have ended before the client asked for it.
		if (waits(run.tap.exchanges).length > 0) return run.tap.exchanges;
	}
	throw new Error(`In ${MAX_TRIES} runs, no response asked the client to wait`);
}

async function readFailure(client: FarClient, { origin }: ServiceUnderTest): Promise<void> {
	const { status, printed, thumbnail } = await runResult(
		client,
		requireSnippet('result', client),
		origin,
		DAMAGED_PHOTO,
	);
	expect(printed).toContain('InvalidImage');
	expect(status).not.toBe(0);
	expect(thumbnail?.subarray(0, JPEG.length)).not.toEqual(JPEG);
}

async function cancelJob(client: FarClient, { origin }: ServiceUnderTest): Promise<void> {
	const { links } = await startWaitingJob(origin);
	await using program = await startProgram(client, requireSnippet('cancel', client), { CANCEL: links.cancel });
	expect(await program.end(), program.printed).toBe(0);
	expect(program.printed).toContain('canceled');
	expect(await fetchStatus(links.operation)).toBe('canceled');
}

async function distrust(client: FarClient, service: ServiceUnderTest): Promise<void> {
	expect(await reachesUntrusted(client, service)).toBe(false);
	if (client.checksWith !== undefined) expect(await reachesUntrusted(client, service, client.checksWith)).toBe(true);
}

/** Sends the snippet `cancel`, less what is `omitted`, to a service whose certificate is not trusted. */
async function reachesUntrusted(client: FarClient, { untrusted }: ServiceUnderTest, omitted = ''): Promise<boolean> {
	const { file, text } = requireSnippet('cancel', client);
	const first = snippetsIn(sectionAbout(client.name)).find((snippet) => snippet.file.startsWith('https.'))?.text ?? '';
	const path = `/${encodeURIComponent(client.name)}`;
	const snippet = { file, text: (first + text).replace(omitted, '') };
	await using program = await startProgram(client, snippet, { CANCEL: untrusted.origin + path });
	await program.end();
	return untrusted.paths.includes(path);
}

/** The lines that show an event: `3 progress`. */
function eventsIn(printed: string): { seq: number; type: string }[] {
	return [...printed.matchAll(/^(\d+) ([a-z]+)\n/gm)].map(([, seq, type = '']) => ({ seq: Number(seq), type }));
}

async function watchJob(client: FarClient, snippet: Snippet, { origin }: ServiceUnderTest): Promise<void> {
	using tap = await Tap.open(origin);
	const job = await startWaitingJob(tap.origin);
	const { events: EVENTS, socket: SOCKET } = job.links;
	await using program = await startProgram(client, snippet, { EVENTS, SOCKET });
	const untilAfter = (seq: number) => program.until((printed) => eventsIn(printed).some((event) => event.seq > seq));
	await untilAfter(job.seq - 1);
	tap.breakStreams();
	await job.report(75);
	await untilAfter(job.seq);
	await job.complete();
	expect(await program.end(), program.printed).toBe(0);
	const events = eventsIn(program.printed);
	const numbers = events.map(({ seq }) => seq);
	expect(numbers, 'each event once, in order').toEqual([...new Set(numbers)].sort((a, b) => a - b));
	const types = events.map(({ type }) => type).filter((type) => type !== 'progress');
	expect(types).toEqual(['accepted', 'started', 'succeeded']);
	const cursors = tap.exchanges
		.filter(isStream)
		.map(({ headers, query }) => headers['last-event-id'] ?? query.get('after'));
	expect(cursors, 'the cursors of its connections').toContain(String(job.seq));
}

/**
 * Watches a job that is over, by a stream that is refused at first.
 * @returns whether the client goes on. @throws if it asks again at once, or shows other than all events.
 */
async function afterRefusal(client: FarClient, snippet: Snippet, { origin }: ServiceUnderTest): Promise<string> {
	using tap = await Tap.open(origin, { refusesFirstStream: true });
	const job = await startWaitingJob(tap.origin);
	await job.complete();
	const { events: EVENTS, socket: SOCKET } = job.links;
	await using program = await startProgram(client, snippet, { EVENTS, SOCKET });
	const status = await program.end();
	const [refused, next] = tap.exchanges.filter(isStream);
	expect(refused?.status, program.printed).toBe(503);
	if (refused === undefined || next === undefined) return 'ends';
	expect(status, program.printed).toBe(0);
	expect(next.sentAtMs - refused.answeredAtMs, 'wait after a refusal').toBeGreaterThanOrEqual(PATIENT_MS);
	expect(eventsIn(program.printed).at(-1)?.type, program.printed).toBe('succeeded');
	return 'asks again';
}

interface Redirect {
	readonly isFollowed: boolean;
	readonly keepsKey: boolean;
}

/** What the runs showed. Each is made once. */
class Measurements {
	readonly #client: FarClient;
	readonly #service: () => ServiceUnderTest;
	#result: Promise<readonly Exchange[]> | undefined;

	constructor(client: FarClient, service: () => ServiceUnderTest) {
		this.#client = client;
		this.#service = service;
	}

	result(): Promise<readonly Exchange[]> {
		this.#result ??= fetchThumbnail(this.#client, requireSnippet('result', this.#client), this.#service());
		return this.#result;
	}

	/** What the page's row should be. The version may differ in its last part. */
	async row(shown: readonly string[]): Promise<string[]> {
		const { name } = this.#client;
		const anchor = name
			.toLowerCase()
			.replaceAll(' ', '-')
			.replace(/[^\w-]/g, '');
		return [
			`[${name}](#${anchor})`,
			await this.#version(shown[1] ?? ''),
			this.#lines('result'),
			...(await this.#redirects()),
			await this.#waiting(),
			this.#lines('events'),
			this.#lines('websocket'),
			await this.#refusals(),
		];
	}

	async #version(shown: string): Promise<string> {
		const { version, modules = '/', variables } = this.#client;
		const options = { cwd: modules, env: { ...process.env, ...variables } };
		const installed = (await promisify(execFile)('/usr/bin/bash', ['-c', version], options)).stdout.trim();
		const minor = (text: string) => text.split('.').slice(0, 2).join('.');
		return minor(shown) === minor(installed) ? shown : installed;
	}

	#lines(purpose: Purpose): string {
		const snippet = snippetFor(purpose, this.#client.name);
		return snippet ? `${countLines(snippet)} lines` : NONE;
	}

	async #refusals(): Promise<string> {
		const snippets = STREAMS.flatMap((purpose) => snippetFor(purpose, this.#client.name) ?? []);
		const answers = await Promise.all(snippets.map((snippet) => afterRefusal(this.#client, snippet, this.#service())));
		return [...new Set(answers)].join(', ') || NONE;
	}

	async #redirects(): Promise<string[]> {
		const { probe, following } = this.#client;
		if (probe === undefined) return [NONE, NONE, NONE];
		const byItself = await this.#probe(probe, false);
		if (byItself.isFollowed) return ['by itself', ...keyCells(byItself, await this.#probe(probe, true))];
		if (following === undefined) return ['by hand', NONE, NONE];
		const { option, probe: told } = following;
		for (const { text } of [told, requireSnippet('result', this.#client)]) expect(text).toContain(option);
		return [`\`${option}\``, ...keyCells(await this.#probe(told, false), await this.#probe(told, true))];
	}

	/** A GET of a job that succeeded. */
	async #probe(probe: Snippet, redirectsElsewhere: boolean): Promise<Redirect> {
		using tap = await Tap.open(this.#service().origin, { redirectsElsewhere });
		const job = await startWaitingJob(tap.origin);
		await job.complete();
		await using program = await startProgram(this.#client, probe, { URL: job.links.self });
		await program.end();
		return redirectIn(tap.exchanges, redirectsElsewhere ? isAt(tap.elsewhere) : isResult);
	}

	async #waiting(): Promise<string> {
		if (!snippetFor('result', this.#client.name)) return NONE;
		const isWritten = MENTIONS_WAIT.test(requireSnippet('result', this.#client).text);
		const shortest = Math.min(...waits(await this.result()));
		if (shortest < RETRY_AFTER_SECONDS * 1_000 - ROUNDING_MS) return NONE;
		return isWritten ? 'in the snippet' : 'by itself';
	}
}

const isAt = (origin: string) => (exchange: Exchange) =>
	isResult(exchange) && `http://${exchange.headers.host}` === origin;

function redirectIn(exchanges: readonly Exchange[], isTarget: (exchange: Exchange) => boolean): Redirect {
	const target = exchanges.find(isTarget);
	return { isFollowed: target !== undefined, keepsKey: target?.headers.authorization !== undefined };
}

function keyCells(here: Redirect, elsewhere: Redirect): string[] {
	return [here, elsewhere].map(({ isFollowed, keepsKey }) => {
		if (!isFollowed) return NONE;
		return keepsKey ? 'kept' : 'dropped';
	});
}

/** How long the client waited after each response that said how long to wait, in milliseconds. */
function waits(exchanges: readonly Exchange[]): number[] {
	const polls = exchanges.filter((exchange) => isStatus(exchange) || isResult(exchange));
	return polls.flatMap(({ retryAfterSeconds, answeredAtMs }, at) => {
		const next = polls[at + 1];
		return retryAfterSeconds === undefined || next === undefined ? [] : [next.sentAtMs - answeredAtMs];
	});
}
