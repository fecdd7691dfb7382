/** Simulates the internet that the Worker calls: webhook receivers, services that tasks fetch, and an upstream. */
import type { Fence } from '../../src/core/job/record.ts';
import { Broken } from './ledger.ts';
import type { Connections } from './platform/connections.ts';
import type { Sent } from './platform/globals.ts';
import type { Isolate, World } from './platform/world.ts';
import type { RECEIVER_ANSWERS, Schedule, UPSTREAM_ANSWERS } from './schedule.ts';
import type { Tally } from './tally.ts';

export const RECEIVER = 'https://receiver.example';
export const ELSEWHERE = 'https://elsewhere.example';
export const UPSTREAM = 'https://upstream.example';

/** @see Run */
interface RequestRun {
	readonly run: number;
	readonly life: number;
	readonly fence: Fence;
}

export interface OutsideOptions {
	readonly schedule: Schedule;
	readonly tally: Tally;
	readonly connections: Connections;
	/** A run begins for this consumer's attempt at a job. */
	readonly begin: (caller: Isolate | undefined, id: string) => RequestRun;
	/** The consumer received a response that ends its run. */
	readonly finish: (run: number) => void;
	readonly onBroken: (error: Error) => void;
	/** Messages of this job may have been duplicated: two consumers may request it at once. */
	readonly isDoubled: (job: number) => boolean;
}

type Answer = Response | 'breaks' | 'hangs';

interface Operation {
	readonly job: number;
	readonly run: number;
	readonly isFailing: boolean;
	asksLeft: number;
	askedMs: number;
	/** By the clock, in milliseconds since the epoch. */
	askedAt: number;
}

/** Latency of the webhook receiver. */
const RECEIVER_MS = { min: 5, max: 200 };
const ELSEWHERE_MS = { min: 5, max: 1_500 };
const UPSTREAM_MS = { min: 5, max: 1_200 };
const ASKS = { min: 1, max: 6 };
/** `Retry-After: 0` is treated as about one second. */
const MIN_ASK_GAP_MS = 900;

export class Outside {
	readonly #world: World;
	readonly #options: OutsideOptions;
	readonly #receiverCalls = new Map<number, number>();
	readonly #upstreamCalls = new Map<number, number>();
	readonly #operations: Operation[] = [];
	/** The last response to a POST of an epoch. */
	readonly #posts = new Map<string, string>();
	/** Number of real calls to a receiver for an event, by the job's id and the event's number. */
	readonly #tries = new Map<string, number>();

	constructor(world: World, options: OutsideOptions) {
		this.#world = world;
		this.#options = options;
	}

	triesOf(id: string, seq: number): number {
		return this.#tries.get(`${id}/${seq}`) ?? 0;
	}

	fetch(sent: Sent): Promise<Response> {
		const caller = this.#world.current;
		// A door may do the work of a task.
		const mayCall = caller?.kind === 'consumer' || (caller?.kind === 'door' && sent.url.startsWith(ELSEWHERE));
		if (!mayCall) this.#broken(`a receiver was called from ${caller?.kind}`);
		return this.#options.connections.use(caller, () => this.#sent(sent, caller), sent.signal);
	}

	#sent(sent: Sent, caller: Isolate | undefined): Promise<Response> {
		const { signal, url } = sent;
		const { promise, resolve, reject } = Promise.withResolvers<Response>();
		signal?.addEventListener('abort', () => reject(signal.reason));
		if (caller?.isDead) return promise;
		const number = Number(url.slice(url.lastIndexOf('/') + 1));
		const back = (label: string, job: number, run: () => void) =>
			this.#world.schedule(1, { label, job, isolate: caller, run });
		const arrive = (label: string, job: number, ms: { min: number; max: number }, answer: () => Answer, end?: number) =>
			this.#world.schedule(this.#world.between(ms.min, ms.max, label, job), {
				label,
				job,
				isQuiet: true,
				run: () => {
					const value = answer();
					if (value === 'breaks') back(`${label}: broken`, job, () => reject(new TypeError('Network connection lost')));
					else if (value !== 'hangs')
						back(`${label}: answered`, job, () => {
							if (end !== undefined && value.status === 200 && !signal?.aborted) this.#options.finish(end);
							resolve(value);
						});
				},
			});
		if (url.startsWith(RECEIVER)) this.#call(sent, number, arrive);
		else if (url.startsWith(ELSEWHERE)) arrive('elsewhere called', number, ELSEWHERE_MS, () => new Response('{}'));
		else if (url.startsWith(`${UPSTREAM}/operations/`)) this.#ask(number, arrive);
		else this.#request(sent, number, caller, arrive);
		return promise;
	}

	#call({ headers }: Sent, job: number, arrive: Arrive): void {
		const [id, ...rest] = (headers.get('webhook-id') ?? '').split(':');
		const key = `${id}/${rest.at(-1)}`;
		this.#tries.set(key, (this.#tries.get(key) ?? 0) + 1);
		arrive('receiver called', job, RECEIVER_MS, () => {
			const answer = this.#receiverAnswer(job);
			this.#options.tally.add(`receiver: ${answer}`);
			return answer === 'breaks' || answer === 'hangs' ? answer : new Response(null, { status: Number(answer) });
		});
	}

	#receiverAnswer(job: number): (typeof RECEIVER_ANSWERS)[number] {
		const answers = this.#options.schedule.jobs[job]?.receiver ?? [];
		return answers[next(this.#receiverCalls, job)] ?? '200';
	}

	#request(sent: Sent, job: number, caller: Isolate | undefined, arrive: Arrive): void {
		const { begin, tally } = this.#options;
		const id = sent.headers.get('coatcheck-job-id') ?? '';
		const { run, life, fence } = begin(caller, id);
		arrive(
			'upstream asked',
			job,
			UPSTREAM_MS,
			() => {
				const answer = this.#upstreamAnswer(job);
				tally.add(`upstream: ${answer}`);
				if (sent.method === 'POST') this.#posted(`${id}/${life}/${fence.epoch}`, answer);
				return this.#answered(answer, job, run);
			},
			run,
		);
	}

	/** A request that may have taken effect and can't be repeated is not sent twice. */
	#posted(key: string, answer: string): void {
		const before = this.#posts.get(key);
		if (before !== undefined && before !== '503') this.#broken(`a POST was sent again after the response "${before}"`);
		this.#posts.set(key, answer);
	}

	#answered(answer: (typeof UPSTREAM_ANSWERS)[number], job: number, run: number): Answer {
		if (answer === 'breaks' || answer === 'hangs') return answer;
		if (!answer.startsWith('operation')) return json(Number(answer), { run });
		const isFailing = answer === 'operation fails';
		const asksLeft = this.#world.between(ASKS.min, ASKS.max, 'asks', job);
		const number =
			this.#operations.push({ job, run, isFailing, asksLeft, askedMs: Number.NEGATIVE_INFINITY, askedAt: 0 }) - 1;
		const url = `${UPSTREAM}/operations/${number}`;
		return json(202, {}, { [isFailing ? 'operation-location' : 'location']: url, 'retry-after': '0' });
	}

	#ask(number: number, arrive: Arrive): void {
		const operation = this.#operations[number];
		if (!operation) return this.#broken(`operation ${number} was polled, and does not exist`);
		const { job, run } = operation;
		// Also by the clock, the only time that the service knows: if it is set during a poll, the next one may be due.
		const { nowMs, clock } = this.#world;
		const gapMs = Math.max(nowMs - operation.askedMs, Math.abs(clock - operation.askedAt));
		Object.assign(operation, { askedMs: nowMs, askedAt: clock });
		this.#options.tally.add('upstream: asked at once');
		if (gapMs < MIN_ASK_GAP_MS && !this.#options.isDoubled(job))
			this.#broken(`job ${job}: an upstream with "Retry-After: 0" was polled again after ${Math.round(gapMs)} ms`);
		arrive('operation asked', job, UPSTREAM_MS, () => this.#state(operation), operation.isFailing ? undefined : run);
	}

	#state(operation: Operation): Response {
		const { isFailing, run } = operation;
		if (operation.asksLeft-- > 0) {
			const body = isFailing ? { status: 'Running' } : {};
			return json(isFailing ? 200 : 202, body, { 'retry-after': '0' });
		}
		const error = { code: 'Failed', message: `run ${run} failed` };
		return json(200, isFailing ? { status: 'Failed', error } : { run });
	}

	#upstreamAnswer(job: number): (typeof UPSTREAM_ANSWERS)[number] {
		const answers = this.#options.schedule.jobs[job]?.upstream?.answers ?? [];
		return answers[next(this.#upstreamCalls, job)] ?? '200';
	}

	#broken(message: string): void {
		this.#options.onBroken(new Broken(message));
	}
}

type Arrive = (
	label: string,
	job: number,
	ms: { min: number; max: number },
	answer: () => Answer,
	end?: number,
) => void;

function next(counts: Map<number, number>, job: number): number {
	const count = counts.get(job) ?? 0;
	counts.set(job, count + 1);
	return count;
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
	return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}
