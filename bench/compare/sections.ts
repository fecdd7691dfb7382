/** The measurements. Each section is independent: `npm run bench -- submit poll` runs two of them. */
import type { Arena } from './arena.ts';
import type { Running, Ticket } from './contender.ts';
import { type Figure, inFlight, less, more, quantile } from './figures.ts';
import { send } from './http.ts';
import { poll, submit, submitted, untilAllDone, untilDone, watch } from './jobs.ts';
import { cpuMsOf, residentBytesOf } from './processes.ts';

const INSTANT = { ms: 0 };
const IO = { ms: 100 };
const KIB = 1_024;
const MIB = 1_024 * KIB;

export const SECTIONS: Record<string, (arena: Arena) => Promise<void>> = {
	submit: submitSection,
	batch: batchSection,
	told: toldSection,
	poll: pollSection,
	flow: flowSection,
	io: ioSection,
	watchers: watchersSection,
	payload: payloadSection,
	growth: growthSection,
};

/** Requests for each concurrency: enough for a p99 of the five rounds together, few enough for some seconds. */
const SUBMITS = [
	{ width: 1, count: 120 },
	{ width: 16, count: 480 },
	{ width: 64, count: 480 },
];

/** Time limit of a round. A slow contender does less work in it. */
const ROUND_MS = 5_000;

async function submitSection(arena: Arena): Promise<void> {
	await arena.hold('submit', (running) =>
		arena.interleave(running, async (contender) => {
			const figures: Figure[] = [];
			for (const { width, count } of SUBMITS) figures.push(...(await submits(arena, contender, width, count)));
			return figures;
		}),
	);
}

async function submits(arena: Arena, contender: Running, width: number, count: number): Promise<Figure[]> {
	const before = await cpuMs(contender);
	const { results, ms, seconds } = await inFlight(
		width,
		loaded(arena, count),
		() => submitted(contender, INSTANT),
		ROUND_MS,
	);
	await untilAllDone(results.slice(-width));
	const after = await cpuMs(contender);
	const of = `${width} in flight`;
	return [
		more(`submits, ${of}`, '1/s', results.length / seconds),
		less(`p50 of a submit, ${of}`, 'ms', quantile(ms, 0.5)),
		less(`p99 of a submit, ${of}`, 'ms', quantile(ms, 0.99)),
		...perCpu(`CPU of a job, submitted with ${of}`, before, after, results.length),
	];
}

const BATCH_JOBS = 1_000;

/** One batch beside single submissions. Both are timed until they are accepted. */
async function batchSection(arena: Arena): Promise<void> {
	await arena.hold('batch', (running) =>
		arena.interleave(
			running.filter(({ batch }) => batch),
			async (contender) => {
				const single = await inFlight(16, loaded(arena, 320), () => submitted(contender, INSTANT), ROUND_MS);
				await untilAllDone(single.results);
				const singleRate = single.results.length / single.seconds;
				const batchRate = await batchOf(contender, BATCH_JOBS);
				return [
					more('jobs submitted one by one, 16 in flight', '1/s', singleRate),
					more('jobs submitted in a batch of 1,000', '1/s', batchRate),
					more('a batch of 1,000 ÷ one by one', '×', batchRate / singleRate),
				];
			},
		),
	);
}

/** Submits a batch, and waits until its jobs have ended. @returns the jobs accepted in a second. */
async function batchOf(contender: Running, count: number): Promise<number> {
	const call = contender.batch?.submission(contender.origin, count);
	if (!call) throw new Error(`${contender.name} takes no batches`);
	const begin = performance.now();
	const { status, bytes } = await send(call);
	const seconds = (performance.now() - begin) / 1_000;
	if (status !== 202) throw new Error(`${contender.name}: expected 202, got ${status}: ${bytes}`);
	await untilAllDone(contender.batch?.ticketsOf(contender.origin, bytes) ?? []);
	return count / seconds;
}

async function toldSection(arena: Arena): Promise<void> {
	await arena.hold('told', (running) =>
		arena.interleave(
			running.filter(({ tells }) => tells),
			async (contender) => {
				const { results: ms } = await inFlight(1, loaded(arena, 40), () => timeToTold(contender));
				return [
					less('p50 from submit to told by WebSocket', 'ms', quantile(ms, 0.5)),
					less('p99 from submit to told by WebSocket', 'ms', quantile(ms, 0.99)),
				];
			},
		),
	);
}

async function timeToTold(contender: Running): Promise<number> {
	const begin = performance.now();
	const { socket } = await submitted(contender, INSTANT);
	return (await watch(contender, socket).told) - begin;
}

/** Long enough that all polls of a round find it unfinished. */
const UNFINISHED = { ms: 12_000 };
const POLLED_JOBS = 16;

async function pollSection(arena: Arena): Promise<void> {
	const finished = new Map<string, Ticket[]>();
	await arena.hold('poll', (running) =>
		arena.interleave(running, async (contender) => {
			const over = finished.get(contender.name) ?? (await jobs(contender, INSTANT));
			await untilAllDone(over);
			finished.set(contender.name, over);
			const waiting = await jobs(contender, UNFINISHED);
			return [
				...(await polls(arena, contender, waiting, 'an unfinished job')),
				...(await polls(arena, contender, over, 'a finished job')),
				...(await pollsAsLong(arena, contender, over)),
			];
		}),
	);
}

async function jobs(contender: Running, work: { ms: number }): Promise<Ticket[]> {
	return (await inFlight(POLLED_JOBS, POLLED_JOBS, () => submitted(contender, work))).results;
}

/** The remaining difference when both answer with the same length. */
async function pollsAsLong(arena: Arena, contender: Running, tickets: readonly Ticket[]): Promise<Figure[]> {
	const asLong = tickets.flatMap(({ pollAsLong, ...ticket }) => (pollAsLong ? [{ ...ticket, poll: pollAsLong }] : []));
	return asLong.length === 0 ? [] : polls(arena, contender, asLong, 'a finished job, answers of one length');
}

async function polls(arena: Arena, contender: Running, tickets: readonly Ticket[], what: string): Promise<Figure[]> {
	const before = await cpuMs(contender);
	const count = loaded(arena, 2_000);
	const { ms, seconds } = await inFlight(
		POLLED_JOBS,
		count,
		(index) => poll(tickets[index % tickets.length] as Ticket),
		ROUND_MS,
	);
	const after = await cpuMs(contender);
	return [
		more(`polls of ${what}`, '1/s', ms.length / seconds),
		less(`p50 of a poll of ${what}`, 'ms', quantile(ms, 0.5)),
		less(`p99 of a poll of ${what}`, 'ms', quantile(ms, 0.99)),
		...perCpu(`CPU of a poll of ${what}`, before, after, ms.length),
	];
}

async function flowSection(arena: Arena): Promise<void> {
	await arena.hold('flow', (running) =>
		arena.interleave(running, async (contender) => [
			more('instant jobs from end to end', '1/s', await throughput(contender, INSTANT, loaded(arena, 300))),
		]),
	);
}

async function ioSection(arena: Arena): Promise<void> {
	await arena.hold('io', (running) =>
		arena.interleave(running, async (contender) => [
			more('jobs of 100 ms of I/O from end to end', '1/s', await throughput(contender, IO, loaded(arena, 240))),
		]),
	);
}

/** Jobs a second, from the first submission until the last is seen to have ended. */
async function throughput(contender: Running, work: { ms: number }, count: number): Promise<number> {
	const begin = performance.now();
	const { results } = await inFlight(32, count, () => submitted(contender, work));
	await untilAllDone(results);
	return count / ((performance.now() - begin) / 1_000);
}

/** Number of watchers, and the job's duration: all must be connected before it ends. */
const CROWDS = [
	{ watchers: 1, ms: 500 },
	{ watchers: 100, ms: 1_500 },
	{ watchers: 1_000, ms: 6_000 },
];

async function watchersSection(arena: Arena): Promise<void> {
	const crowds = CROWDS.filter(({ watchers }) => watchers <= 1_000 * arena.scale.load);
	await arena.hold('watchers', (running) =>
		arena.interleave(
			running.filter(({ tells }) => tells),
			async (contender) => {
				const figures: Figure[] = [];
				for (const { watchers, ms } of crowds) figures.push(...(await crowd(contender, watchers, ms)));
				return figures;
			},
		),
	);
}

async function crowd(contender: Running, watchers: number, ms: number): Promise<Figure[]> {
	const ticket = await submitted(contender, { ms });
	const sockets = Array.from({ length: watchers }, () => watch(contender, ticket.socket));
	await Promise.all(sockets.map(({ opened }) => opened));
	if ((await poll(ticket)) === 'succeeded') throw new Error(`${watchers} watchers came too late: the job was over`);
	const at = await Promise.all(sockets.map(({ told }) => told));
	const { bytes } = await send({ method: 'GET', url: ticket.result });
	const { returnedAt } = JSON.parse(bytes.toString()) as { returnedAt: number };
	const took = at.map((time) => performance.timeOrigin + time - returnedAt);
	return [
		less(`p50 from the task's return to told, ${watchers} watching`, 'ms', quantile(took, 0.5)),
		less(`last told after the task's return, ${watchers} watching`, 'ms', Math.max(...took)),
	];
}

const PAYLOADS = [
	{ name: '1 KB', bytes: KIB },
	{ name: '64 KB', bytes: 64 * KIB },
	{ name: '1 MB', bytes: MIB },
	{ name: '25 MB', bytes: 25 * MIB },
];

async function payloadSection(arena: Arena): Promise<void> {
	await arena.hold('payload', (running) =>
		arena.interleave(running, async (contender) => {
			const figures: Figure[] = [];
			for (const { name, bytes } of PAYLOADS) figures.push(...(await roundTrip(contender, name, bytes)));
			return figures;
		}),
	);
}

/** Sends the bytes in, through the task, and back. */
async function roundTrip(contender: Running, name: string, sizeBytes: number): Promise<Figure[]> {
	const begin = performance.now();
	const ticket = await submit(contender, { bytes: new Uint8Array(sizeBytes).fill(0x61) });
	if (!ticket) return [];
	const accepted = performance.now();
	await untilDone(ticket);
	const { bytes } = await send({ method: 'GET', url: ticket.result });
	if (bytes.byteLength !== sizeBytes)
		throw new Error(`${contender.name}: ${bytes.byteLength} of ${sizeBytes} came back`);
	return [
		less(`accepting ${name}`, 'ms', accepted - begin),
		less(`${name} in, through a task, and back`, 'ms', performance.now() - begin),
	];
}

/** Numbers of stored jobs at which growth is measured. */
const STAGES = [0, 1_000, 5_000, 10_000];
/** Time limit for a contender to reach a stage. */
const FILL_LIMIT_MS = 60_000;

async function growthSection(arena: Arena): Promise<void> {
	await arena.hold('growth', async (running) => {
		const stored = new Map<string, Ticket[]>(running.map(({ name }) => [name, []]));
		let left = running;
		for (const stage of STAGES.filter((count) => count <= 10_000 * arena.scale.load)) {
			const reached: Running[] = [];
			for (const contender of left) {
				const isThere = await arena.tried(contender, () => fill(contender, stored.get(contender.name) ?? [], stage));
				if (isThere) reached.push(contender);
				else console.log(`  ${contender.name} did not reach ${stage} jobs in ${FILL_LIMIT_MS / 1_000} s`);
			}
			left = await lookAt(arena, reached, stored, stage);
		}
	});
}

async function fill(contender: Running, tickets: Ticket[], stage: number): Promise<boolean> {
	const deadline = performance.now() + FILL_LIMIT_MS;
	while (tickets.length < stage && performance.now() < deadline) {
		const { results } = await inFlight(32, Math.min(500, stage - tickets.length), () => submitted(contender, INSTANT));
		await untilAllDone(results.slice(-32));
		tickets.push(...results);
	}
	return tickets.length >= stage;
}

async function lookAt(
	arena: Arena,
	running: readonly Running[],
	stored: ReadonlyMap<string, Ticket[]>,
	stage: number,
): Promise<readonly Running[]> {
	const at = `with ${stage.toLocaleString('en')} jobs stored`;
	for (const contender of running) {
		const bytes = contender.pid === undefined ? undefined : await residentBytesOf(contender.pid);
		if (bytes !== undefined) arena.record(contender, [less(`memory ${at}`, 'MiB', bytes / MIB)]);
	}
	return arena.interleave(running, async (contender) => {
		const { results, seconds } = await inFlight(16, 100, () => submitted(contender, INSTANT));
		await untilAllDone(results.slice(-16));
		const tickets = stored.get(contender.name) ?? [];
		const any = tickets.length === 0 ? results : tickets;
		const polled = await inFlight(16, 200, () => poll(any[Math.floor(Math.random() * any.length)] as Ticket));
		return [more(`submits ${at}`, '1/s', 100 / seconds), more(`polls ${at}`, '1/s', 200 / polled.seconds)];
	});
}

function loaded(arena: Arena, count: number): number {
	return Math.max(1, Math.round(count * arena.scale.load));
}

async function cpuMs({ pid }: Running): Promise<number | undefined> {
	return pid === undefined ? undefined : cpuMsOf(pid);
}

function perCpu(subject: string, before: number | undefined, after: number | undefined, count: number): Figure[] {
	return before === undefined || after === undefined ? [] : [less(subject, 'ms', (after - before) / count)];
}
