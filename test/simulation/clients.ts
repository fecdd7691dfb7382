/** The clients of a simulation. They send HTTP requests to the real Worker, each in an isolate of its own. */

import type { JobObjectApi, Report } from '../../src/core/job/object-api.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { ListTeller } from '../../src/rpc/list-teller.ts';
import { Lists } from '../../src/rpc/lists.ts';
import { Broken, type Ledger, type Run } from './ledger.ts';
import { RECEIVER } from './outside.ts';
import type { SimulatedSocket } from './platform/socket.ts';
import { Isolate, type World } from './platform/world.ts';
import { Reader, type Stories, type Told } from './readers.ts';
import type { AttemptPlan, JobPlan, WISHES } from './schedule.ts';
import type { Tally } from './tally.ts';
import { MUCH, TASK_OF, type Worker } from './work.ts';

export interface ClientsOptions {
	readonly worker: Worker;
	readonly env: Readonly<Record<string, unknown>>;
	readonly jobs: readonly JobPlan[];
	/** The name of the deployment's upstream. */
	readonly upstream: string;
	readonly ledgerOf: (id: string) => Ledger;
	readonly storiesOf: (id: string) => Stories;
	readonly tally: Tally;
	readonly onBroken: (error: unknown) => void;
}

export const ORIGIN = 'https://jobs.example';
const ADDRESS = '192.0.2.1';
/** How long a Worker may run after its response. */
const WAIT_UNTIL_MS = 30_000;
const NETWORK_MS = { min: 1, max: 8 };
const MAX_SUBMISSIONS = 3;
const MAX_WISHES = 8;
const MAX_VISITS = 9;
const FIRST_VISIT_MS = 700;
const VISIT_GROWTH = 3;
const CLOSED_FOR_GOOD = 1000;

export class Clients {
	readonly #world: World;
	readonly #options: ClientsOptions;
	readonly #doors: Isolate[] = [];
	readonly #ids = new Map<number, string>();
	readonly readers: Reader[] = [];

	constructor(world: World, options: ClientsOptions) {
		this.#world = world;
		this.#options = options;
	}

	submitLater(job: number, atMs: number): void {
		this.#as(job, 'submit', atMs, () => this.#submit(job));
	}

	wish(job: number, wish: (typeof WISHES)[number]): void {
		this.#as(job, wish, 0, async () => {
			if (wish === 'submit again') return this.#submit(job);
			const id = this.#ids.get(job);
			if (id === undefined) return;
			if (wish === 'watch') return this.#watch(job, id);
			if (wish === 'read') return this.#read(job, id);
			return this.#insist(job, id, wish);
		});
	}

	/** Repeats an action that is not possible yet. */
	async #insist(job: number, id: string, wish: 'cancel' | 'retry' | 'purge'): Promise<void> {
		let waitMs = FIRST_VISIT_MS;
		for (let tried = 0; tried < MAX_WISHES; tried++) {
			const { status } = await this.#request(job, 'POST', `/v1/jobs/${id}/${wish}`);
			if (status < 300) return this.#options.tally.add(`client: ${wish}`);
			if (status !== 409 && status !== 503) return;
			await scheduler.wait(waitMs);
			waitMs *= VISIT_GROWTH;
		}
	}

	/** An external worker finishes the attempt, and reports until it gets a response. */
	workElsewhere({ id, fence }: Run, run: number, plan: AttemptPlan, job: number): void {
		const { JOBS, TOPICS } = this.#options.env as Record<string, DurableObjectNamespace>;
		// As the Worker does that gets the report.
		const teller = new ListTeller(new Lists(TOPICS), {}, () => {});
		const jobs = new Jobs(JOBS as DurableObjectNamespace, teller.tellSoon);
		const say = async (report: (object: JobObjectApi) => Promise<Report>) => {
			for (let tried = 0; tried < MAX_SUBMISSIONS; tried++) {
				const heard = await jobs.call(id, report).catch(() => undefined);
				if (heard) return;
				await scheduler.wait(1_000 * (tried + 1));
			}
		};
		this.#as(job, 'work elsewhere', this.#world.between(1, 40, 'elsewhere', job), async () => {
			for (let report = 1; report <= plan.reports; report++) {
				await scheduler.wait(plan.ms / (plan.reports + 1));
				const percentComplete = (100 * report) / plan.reports;
				await say((object) =>
					object.reportProgress({
						fence,
						progress: { percentComplete, message: `run ${run} reports ${report}` },
						isExternal: true,
					}),
				);
			}
			await scheduler.wait(plan.ms / (plan.reports + 1));
			const inline = new TextEncoder().encode(JSON.stringify({ run }));
			const reply = {
				status: 200,
				headers: [],
				body: { sizeBytes: inline.length, mediaType: 'application/json', inline },
			};
			const error = { code: 'Failed', message: `run ${run} failed`, retryable: true };
			if (plan.ends === 'is finished elsewhere') await say((object) => object.completeAttempt({ fence, reply }));
			if (plan.ends === 'fails elsewhere')
				await say((object) => object.failAttempt({ fence, failure: { error, status: 500 }, isExternal: true }));
		});
	}

	/** Kills the isolates that answer requests about this job, or all of them. */
	killDoors(job?: number): boolean {
		const killed = this.#doors.filter((door) => !door.isDead && (job === undefined || door.job === job));
		for (const door of killed) door.die();
		return killed.length > 0;
	}

	/** Runs an action in a client's isolate. */
	#as(job: number, what: string, delayMs: number, act: () => Promise<void>): void {
		const isolate = new Isolate('client', job);
		this.#world.schedule(delayMs, { label: `client: ${what}`, job, isolate, run: () => this.#hopeFor(act()) });
	}

	async #submit(job: number): Promise<void> {
		const plan = this.#options.jobs[job];
		if (!plan) return;
		for (let tried = 0; tried < MAX_SUBMISSIONS; tried++) {
			const response = await this.#request(job, ...requestOf(job, plan, this.#options.upstream));
			const document = response.status === 202 ? ((await response.json()) as Submitted) : undefined;
			const id = document && (document.jobs ? batchedId(document.jobs) : document.id);
			if (id !== undefined) return this.#accepted(job, plan, id);
			if (response.status < 500 && !document)
				throw new Broken(`a submission was answered ${response.status}: ${await response.text()}`);
			await scheduler.wait(1_000 * (tried + 1));
		}
	}

	#accepted(job: number, plan: JobPlan, id: string): void {
		this.#options.tally.add(plan.isInBatch ? 'client: 202 of a batch' : 'client: 202');
		this.#options.ledgerOf(id).accepted();
		const isFirst = !this.#ids.has(job);
		this.#ids.set(job, id);
		if (!isFirst || plan.reader === 'none') return;
		this.#hopeFor(plan.reader === 'socket' ? this.#watch(job, id) : this.#leaf(job, id));
	}

	#hopeFor(act: Promise<void>): void {
		act.catch(this.#options.onBroken);
	}

	async #read(job: number, id: string): Promise<void> {
		await this.#request(job, 'GET', `/v1/operations/${id}`);
		await this.#request(job, 'GET', `/v1/jobs/${id}/result`);
	}

	/** Reads page after page, from its cursor. */
	async #leaf(job: number, id: string): Promise<void> {
		const reader = this.#reader(id);
		let waitMs = FIRST_VISIT_MS;
		for (let visit = 0; visit < MAX_VISITS; visit++) {
			const response = await this.#request(job, 'GET', `/v1/jobs/${id}/events?after=${reader.cursor ?? 0}`);
			if (response.status === 410 || response.status === 404) return;
			if (response.status === 200) {
				for (const event of ((await response.json()) as { events: Told[] }).events) reader.hear(event);
			}
			await scheduler.wait(waitMs);
			waitMs *= VISIT_GROWTH;
		}
	}

	/** Listens on a socket, and opens another when it breaks. */
	async #watch(job: number, id: string): Promise<void> {
		const reader = this.#reader(id);
		let waitMs = FIRST_VISIT_MS;
		for (let visit = 0; visit < MAX_VISITS; visit++) {
			const query = reader.cursor === undefined ? '' : `?after=${reader.cursor}`;
			const response = await this.#request(job, 'GET', `/v1/jobs/${id}/socket${query}`, { upgrade: 'websocket' });
			if (response.status === 410 || response.status === 404) return;
			const { webSocket } = response as unknown as { webSocket?: SimulatedSocket };
			if (webSocket && (await this.#listen(webSocket, reader)) === CLOSED_FOR_GOOD) return;
			await scheduler.wait(waitMs);
			waitMs *= VISIT_GROWTH;
		}
	}

	#listen(socket: SimulatedSocket, reader: Reader): Promise<number> {
		const { promise, resolve } = Promise.withResolvers<number>();
		socket.addEventListener('message', ({ data = '' }) => {
			try {
				reader.hear(JSON.parse(data) as Told);
			} catch (error) {
				this.#options.onBroken(error);
			}
		});
		socket.addEventListener('close', ({ code = 0 }) => resolve(code));
		socket.accept();
		return promise;
	}

	#reader(id: string): Reader {
		const reader = new Reader(this.#options.ledgerOf(id), this.#options.storiesOf(id));
		this.readers.push(reader);
		return reader;
	}

	/** A request without a response is never abandoned, because its outcome is not checked. */
	#request(
		job: number,
		method: string,
		path: string,
		headers: Record<string, string> = {},
		body?: string,
	): Promise<Response> {
		const world = this.#world;
		const client = world.current;
		const { promise, resolve, reject } = Promise.withResolvers<Response>();
		const door = new Isolate('door', job);
		this.#doors.push(door);
		let unfinished = 0;
		const waitUntil = (promise: Promise<unknown>) => {
			unfinished++;
			const finished = () => unfinished--;
			promise.then(finished, finished);
		};
		const limit = {
			label: 'a Worker has run too long after its response',
			isolate: door,
			isQuiet: true,
			run: () => {
				if (unfinished > 0) door.die();
			},
		};
		const answered = (response: Response) => {
			if (unfinished > 0) world.schedule(WAIT_UNTIL_MS, limit);
			world.schedule(world.between(NETWORK_MS.min, NETWORK_MS.max, 'response', job), {
				label: `response ${response.status}`,
				job,
				isolate: client,
				run: () => {
					// A stored failure is answered with the status of its task.
					if (response.status === 500 && !path.endsWith('/result'))
						reject(new Broken(`${method} ${path} was answered 500`));
					else resolve(response);
				},
			});
		};
		world.schedule(world.between(NETWORK_MS.min, NETWORK_MS.max, 'request', job), {
			label: 'request',
			job,
			isolate: door,
			run: () => {
				const all = { ...headers, 'cf-connecting-ip': ADDRESS };
				const request = new Request(`${ORIGIN}${path}`, { method, headers: all, ...(body !== undefined && { body }) });
				const context = { waitUntil, passThroughOnException: () => {} };
				const handle = this.#options.worker.fetch as unknown as (...args: unknown[]) => Promise<Response>;
				void handle(request, this.#options.env, context).then(answered, reject);
			},
		});
		return promise;
	}
}

/** The document of a 202: a job, or a batch of one job. */
interface Submitted {
	readonly id: string;
	readonly jobs?: readonly BatchedJob[];
}

interface BatchedJob {
	readonly id?: string;
	/** The job was refused, or its response was lost. */
	readonly error?: unknown;
}

/** The id of a batch's job, if its client knows that it was accepted. */
function batchedId([job]: readonly BatchedJob[]): string | undefined {
	return job?.error === undefined ? job?.id : undefined;
}

type ClientRequest = [method: string, path: string, headers: Record<string, string>, body?: string];

function requestOf(job: number, plan: JobPlan, upstream: string): ClientRequest {
	const headers = headersOf(job, plan);
	if (plan.upstream?.method === 'GET') {
		const { 'content-type': _, ...bodiless } = headers;
		return ['GET', `/v1/upstreams/${upstream}/${job}`, bodiless];
	}
	if (plan.upstream) return ['POST', `/v1/upstreams/${upstream}/${job}`, headers, '{}'];
	const task = TASK_OF[plan.lane];
	const input = { job, ...(plan.isLarge && { pad: MUCH }) };
	if (plan.isInBatch) return ['POST', '/v1/batches', headers, JSON.stringify({ jobs: [{ task, input }] })];
	return ['POST', `/v1/tasks/${task}/jobs`, headers, JSON.stringify(input)];
}

function headersOf(job: number, plan: JobPlan): Record<string, string> {
	const { hasKey, timeoutSeconds, maxAttempts, retainSeconds, delaySeconds, startWithinSeconds, receiver } = plan;
	return {
		'content-type': 'application/json',
		...(hasKey && { 'idempotency-key': `key-of-${job}`, 'x-correlation-id': `job-${job}` }),
		'coatcheck-timeout-seconds': String(timeoutSeconds),
		'coatcheck-max-attempts': String(maxAttempts),
		'coatcheck-retain-seconds': String(retainSeconds),
		...(delaySeconds > 0 && { 'coatcheck-delay-seconds': String(delaySeconds) }),
		...(startWithinSeconds !== undefined && {
			'coatcheck-start-within-seconds': String(delaySeconds + startWithinSeconds),
		}),
		...(receiver.length > 0 && {
			'coatcheck-webhook-url': `${RECEIVER}/${job}`,
			...(job % 2 === 1 && {
				'coatcheck-webhook-events': 'accepted,started,progress,retrying,succeeded,failed,canceled',
			}),
		}),
	};
}
