/**
 * Tests an overload. First it measures how many jobs a second the production bundle finishes when they come all at once. Then it sends
 * twice as many for a while, and twice as many again until some are refused, because the queues finish a steady stream faster than a
 * crowd. Each response must be 202, or 503 with a `Retry-After`, and each 202 must end, once.
 *
 *     npm run test:overload
 */
import { fileURLToPath } from 'node:url';
import { createTestHarness } from 'wrangler';
import { localVariables } from '../../bench/configuration.ts';
import { table } from '../../demo/terminal.ts';

// Without this, one line for each batch of a queue would hide the table.
process.env.WRANGLER_LOG ??= 'error';
process.env.WRANGLER_SEND_METRICS ??= 'false';
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WORK_SECONDS = 0.25;
/** Messages that may wait in each queue: some seconds of work. */
const MAX_BACKLOG = 40;
const CAPACITY_JOBS = 120;
/** The first round offers twice the measured capacity, the last one sixteen times. */
const OVERLOADS = [2, 4, 8, 16];
const OVERLOAD_SECONDS = 15;
const DRAIN_LIMIT_MS = 180_000;
const POLL_MS = 250;
const FINALS = ['succeeded', 'failed', 'canceled'];

interface Ticket {
	readonly links: { readonly events: string };
}

interface Answer {
	readonly status: number;
	readonly retryAfterSeconds: number;
	readonly ticket?: Ticket;
}

async function main(): Promise<void> {
	const secrets = await localVariables();
	const vars = { MAX_BACKLOG: String(MAX_BACKLOG) };
	const harness = createTestHarness({ root: ROOT, workers: [{ configPath: 'wrangler.toml', vars, secrets }] });
	try {
		const { origin } = (await harness.listen()).url;
		const capacity = await capacityOf(origin);
		for (const overload of OVERLOADS) {
			const answers = await offer(origin, capacity * overload);
			const begin = performance.now();
			const endings = await endingsOf(answers);
			const outcome = { capacity, overload, answers, endings, drainedMs: performance.now() - begin };
			report(outcome);
			if (!isAsPromised(outcome)) break;
			if (answers.some(({ status }) => status === 503)) return;
		}
		process.exitCode = 1;
	} finally {
		await harness.close();
	}
}

/** Jobs a second, from the first submission to the last end. The first jobs are a warm-up. */
async function capacityOf(origin: string): Promise<number> {
	let jobsPerSecond = 0;
	for (let round = 0; round < 2; round++) {
		const begin = performance.now();
		const answers = await Promise.all(Array.from({ length: CAPACITY_JOBS }, () => submit(origin)));
		await endingsOf(answers);
		jobsPerSecond = CAPACITY_JOBS / ((performance.now() - begin) / 1_000);
	}
	return jobsPerSecond;
}

/** Submits at a steady rate, independent of the responses. */
async function offer(origin: string, jobsPerSecond: number): Promise<Answer[]> {
	const begin = performance.now();
	const answers: Promise<Answer>[] = [];
	while (performance.now() - begin < OVERLOAD_SECONDS * 1_000) {
		const due = ((performance.now() - begin) / 1_000) * jobsPerSecond;
		while (answers.length < due) answers.push(submit(origin));
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	return Promise.all(answers);
}

async function submit(origin: string): Promise<Answer> {
	const response = await fetch(`${origin}/v1/tasks/sleep/jobs`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ seconds: WORK_SECONDS, steps: 1 }),
	});
	const { status } = response;
	const retryAfterSeconds = Number(response.headers.get('retry-after'));
	const body = (await response.json()) as Ticket;
	return { status, retryAfterSeconds, ...(status === 202 && { ticket: body }) };
}

/** The final events of each accepted job, once it has one, or after the time limit. */
async function endingsOf(answers: readonly Answer[]): Promise<string[][]> {
	const deadline = performance.now() + DRAIN_LIMIT_MS;
	const endings: string[][] = [];
	for (const { ticket } of answers) if (ticket) endings.push(await endingOf(ticket, deadline));
	return endings;
}

async function endingOf({ links }: Ticket, deadline: number): Promise<string[]> {
	for (;;) {
		const { events } = (await (await fetch(links.events)).json()) as { events: { type: string }[] };
		const finals = events.map(({ type }) => type).filter((type) => FINALS.includes(type));
		if (finals.length > 0 || performance.now() > deadline) return finals;
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	}
}

interface Outcome {
	/** Jobs a second. */
	readonly capacity: number;
	readonly overload: number;
	readonly answers: readonly Answer[];
	readonly endings: readonly string[][];
	readonly drainedMs: number;
}

function count({ answers, endings }: Outcome) {
	const accepted = answers.filter(({ status }) => status === 202).length;
	const refused = answers.filter(({ status, retryAfterSeconds }) => status === 503 && retryAfterSeconds >= 1).length;
	const succeeded = endings.filter((finals) => finals.join() === 'succeeded').length;
	return { accepted, refused, other: answers.length - accepted - refused, succeeded };
}

function isAsPromised(outcome: Outcome): boolean {
	const { accepted, other, succeeded } = count(outcome);
	return other === 0 && succeeded === accepted;
}

function report(outcome: Outcome): void {
	const { capacity, overload, answers, drainedMs } = outcome;
	const { accepted, refused, other, succeeded } = count(outcome);
	console.log();
	table([
		['capacity', `${capacity.toFixed(0)} jobs/s of ${WORK_SECONDS} s each`],
		['offered', `${answers.length} in ${OVERLOAD_SECONDS} s: ${overload} × the capacity`],
		['202', String(accepted)],
		['503 with Retry-After', String(refused)],
		['any other answer', String(other)],
		['accepted, and succeeded once', String(succeeded)],
		['until the last had ended, after the last request', `${(drainedMs / 1_000).toFixed(1)} s`],
	]);
}

await main();
