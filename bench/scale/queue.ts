/**
 * Simulates one queue with its consumers, in time steps. It follows the platform's documentation, or else the
 * constants here. Jobs arrive at random, wait, and leave in batches. A consumer is busy until its slowest job is done.
 */

/** https://developers.cloudflare.com/queues/platform/limits/ */
export const QUEUE_LIMITS = { messagesPerSecond: 5_000, consumers: 250, queuesAnAccount: 10_000 } as const;

/** Time that a new consumer takes to start. Each finished batch may request another consumer. Assumed. */
const CONSUMER_START_MS = 500;
const STEP_MS = 5;
/** Maximum time for the queue to run empty. Jobs that are still in it count as waiting until then. */
const DRAIN_LIMIT_MS = 600_000;
const MS_PER_SECOND = 1_000;

export interface Load {
	/** Arrivals in this one queue. */
	readonly jobsPerSecond: number;
	readonly seconds: number;
	/** A burst in the middle, as a multiple of the rate. */
	readonly burst: { readonly times: number; readonly seconds: number };
	/** The median of a job's work. One job in a hundred takes ten times as long. */
	readonly workMs: number;
	readonly batch: number;
	/** Above this, new jobs are rejected with 503. */
	readonly maxBacklog: number;
}

export interface Outcome {
	readonly accepted: number;
	readonly refused: number;
	readonly batches: number;
	readonly waitMs: { readonly p50: number; readonly p99: number; readonly max: number };
	readonly maxBacklog: number;
	readonly maxConsumers: number;
	/** Jobs left when the simulation stopped. */
	readonly left: number;
}

/** Gives the same result every time: all randomness comes from the seed. */
export function simulate(load: Load, random: () => number): Outcome {
	const arrivals: number[] = [];
	const waits: number[] = [];
	let busyUntil: number[] = [];
	let consumers = 1;
	let nextConsumerAt = 0;
	let head = 0;
	let tokens = 0;
	let refused = 0;
	let batches = 0;
	let maxBacklog = 0;
	let maxConsumers = 0;
	const endMs = load.seconds * MS_PER_SECOND;
	let now = 0;
	for (; now < endMs || (head < arrivals.length && now < endMs + DRAIN_LIMIT_MS); now += STEP_MS) {
		const offered = now < endMs ? poisson((rateAt(load, now) * STEP_MS) / MS_PER_SECOND, random) : 0;
		for (let job = 0; job < offered; job++) {
			if (arrivals.length - head < load.maxBacklog) arrivals.push(now);
			else refused++;
		}
		tokens = Math.min(
			QUEUE_LIMITS.messagesPerSecond,
			tokens + (QUEUE_LIMITS.messagesPerSecond * STEP_MS) / MS_PER_SECOND,
		);
		busyUntil = busyUntil.filter((until) => until > now);
		while (busyUntil.length < consumers && head < arrivals.length && tokens >= 1) {
			const size = Math.min(load.batch, arrivals.length - head, Math.floor(tokens));
			let slowest = 0;
			for (let job = 0; job < size; job++) {
				waits.push(now - (arrivals[head++] ?? now));
				slowest = Math.max(slowest, workMs(load.workMs, random));
			}
			tokens -= size;
			batches++;
			busyUntil.push(now + slowest);
		}
		const backlog = arrivals.length - head;
		maxBacklog = Math.max(maxBacklog, backlog);
		maxConsumers = Math.max(maxConsumers, busyUntil.length);
		if (backlog > 0 && busyUntil.length >= consumers && now >= nextConsumerAt) {
			// Each busy consumer may request one more when its batch ends.
			consumers = Math.min(QUEUE_LIMITS.consumers, consumers * 2);
			nextConsumerAt = now + CONSUMER_START_MS;
		}
	}
	for (const arrivedAt of arrivals.slice(head)) waits.push(now - arrivedAt);
	waits.sort((a, b) => a - b);
	const at = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0;
	return {
		accepted: arrivals.length,
		refused,
		batches,
		waitMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
		maxBacklog,
		maxConsumers,
		left: arrivals.length - head,
	};
}

function rateAt({ jobsPerSecond, seconds, burst }: Load, nowMs: number): number {
	const fromMs = (seconds * MS_PER_SECOND) / 3;
	const isBurst = nowMs >= fromMs && nowMs < fromMs + burst.seconds * MS_PER_SECOND;
	return jobsPerSecond * (isBurst ? burst.times : 1);
}

/** Log-normal, with a 99th percentile of ten times the median. */
function workMs(medianMs: number, random: () => number): number {
	const sigma = Math.log(10) / 2.326;
	return medianMs * Math.exp(sigma * normal(random));
}

function normal(random: () => number): number {
	return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function poisson(mean: number, random: () => number): number {
	if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
	const limit = Math.exp(-mean);
	let count = 0;
	for (let product = random(); product > limit; product *= random()) count++;
	return count;
}

/** Mulberry32: small, and random enough for arrivals. */
export function seeded(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}
