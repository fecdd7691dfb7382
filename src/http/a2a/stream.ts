/** A task's updates as server-sent events, up to its end. */

import { REOPENED_MS } from '../../core/a2a/limits.ts';
import { type A2aTask, type Artifact, artifactUpdate, type StreamResponse, statusUpdate } from '../../core/a2a/task.ts';
import { doubledMs } from '../../core/http/doubling-wait.ts';
import type { BareEvent, JobFacts } from '../../core/job/document.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import { jobRequest } from '../mcp/own-request.ts';
import { hasEnded } from '../mcp/wait.ts';
import { Problem } from '../problem.ts';
import { STREAM_HEADERS } from '../read/events.ts';
import { openFeed } from '../read/feed.ts';
import { readJob } from '../read/reading.ts';
import { PONG, startHeartbeat } from '../read/sse.ts';
import type { RequestContext } from '../request-context.ts';
import { toProblem } from '../to-problem.ts';
import { problemEvent } from './answer.ts';
import { artifactFor, wholeTask } from './whole-task.ts';

/** Status of a job whose data was deleted. */
const GONE = 410;

/** @param job as the first message shows it. */
export async function streamTask(context: RequestContext, job: FoundJob): Promise<Response> {
	const request = jobRequest(context, job.view.facts.id);
	const task = await wholeTask(request, job);
	const { seq } = job.view.facts;
	const feed = hasEnded(job) ? undefined : await openFeed(request, seq);
	return new Response(taskStream(request, { task, feed, seq }), { headers: STREAM_HEADERS });
}

interface Beginning {
	readonly task: A2aTask;
	/** Left out for a task that has ended. */
	readonly feed: WebSocket | undefined;
	/** The number of the last event that `task` has. */
	readonly seq: number;
}

/** An error in its middle is its last event: the reader subscribes again, or knows that there is no such task. */
function taskStream(context: RequestContext, { task, feed, seq }: Beginning): ReadableStream<Uint8Array> {
	const encoder = new TextEncoder();
	const gone = new AbortController();
	return new ReadableStream({
		start(controller) {
			const writeText = (text: string) => {
				if (!gone.signal.aborted) controller.enqueue(encoder.encode(text));
			};
			const writeMessage = (message: StreamResponse) => writeText(`data: ${JSON.stringify(message)}\n\n`);
			writeMessage({ task });
			const told = feed
				? new Updates(context, { writeText, writeMessage, signal: gone.signal }).tell(feed, seq)
				: Promise.resolve();
			void told
				.catch((error: unknown) => writeText(problemEvent(toProblem(error, context.request, context.principal))))
				.then(() => {
					if (!gone.signal.aborted) controller.close();
				});
		},
		cancel() {
			gone.abort();
		},
	});
}

interface Reader {
	readonly writeText: (text: string) => void;
	readonly writeMessage: (message: StreamResponse) => void;
	/** Fires when the reader has left. */
	readonly signal: AbortSignal;
}

class Updates {
	readonly #context: RequestContext;
	readonly #reader: Reader;
	/** The number of the last event that the reader has. */
	#seq = 0;
	#isOver = false;

	constructor(context: RequestContext, reader: Reader) {
		this.#context = context;
		this.#reader = reader;
	}

	/** Tells each event after `seq`, up to the last one. A connection to the job that breaks is opened again. */
	async tell(first: WebSocket, seq: number): Promise<void> {
		this.#seq = seq;
		let feed: WebSocket | undefined = first;
		for (let broken = 0; feed; broken++) {
			await this.#follow(feed);
			if (this.#isOver || this.#reader.signal.aborted) return;
			if (broken === REOPENED_MS.times)
				throw new Problem('Overloaded', 'The connection to the task breaks again and again: subscribe to it again');
			await scheduler.wait(doubledMs(REOPENED_MS, broken));
			feed = await openFeed(this.#context, this.#seq);
		}
		// The last event went by unheard.
		await this.#tellEnd((await readJob(this.#context, false)).view.facts);
	}

	/** Until the feed closes, the task has ended, or the reader has left. */
	async #follow(feed: WebSocket): Promise<void> {
		const { signal, writeText } = this.#reader;
		const { promise: closed, resolve: close } = Promise.withResolvers<void>();
		let told = Promise.resolve();
		feed.addEventListener('message', ({ data }) => {
			if (data === PONG) return;
			told = told.then(() => this.#tellEvent(JSON.parse(String(data)) as BareEvent));
			told.then(() => this.#isOver && close(), close);
		});
		feed.addEventListener('close', () => close());
		feed.addEventListener('error', () => close());
		signal.addEventListener('abort', () => close(), { once: true });
		feed.accept();
		const stopHeartbeat = startHeartbeat(feed, writeText);
		await closed;
		stopHeartbeat();
		feed.close();
		await told;
	}

	async #tellEvent({ seq, job }: BareEvent): Promise<void> {
		if (job.finishedAt !== undefined) await this.#tellEnd(job);
		else this.#reader.writeMessage(statusUpdate(job));
		this.#seq = seq;
	}

	/** The artifact comes before the final status, after which clients stop to read. */
	async #tellEnd(job: JobFacts): Promise<void> {
		const { writeMessage } = this.#reader;
		const artifact = await this.#readArtifact();
		if (artifact !== 'deleted' && artifact) writeMessage(artifactUpdate(job, artifact));
		const isLost = artifact === 'deleted' && job.status === 'succeeded';
		writeMessage(statusUpdate(job, isLost ? 'The result was deleted before it could be read' : undefined));
		this.#isOver = true;
	}

	/** A job may be purged as soon as it has ended. */
	async #readArtifact(): Promise<Artifact | 'deleted' | undefined> {
		try {
			return await artifactFor(this.#context, await readJob(this.#context, true));
		} catch (error) {
			if (error instanceof Problem && error.status === GONE) return 'deleted';
			throw error;
		}
	}
}
