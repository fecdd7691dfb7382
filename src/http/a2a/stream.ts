/** A task's updates as server-sent events, up to its end. */

import { REOPENED_MS } from '../../core/a2a/limits.ts';
import { type A2aTask, artifactUpdate, type StreamResponse, statusUpdate } from '../../core/a2a/task.ts';
import { doubledMs } from '../../core/http/doubling-wait.ts';
import type { BareEvent } from '../../core/job/document.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import { logError } from '../../log.ts';
import { jobRequest } from '../mcp/own-request.ts';
import { hasEnded } from '../mcp/wait.ts';
import { STREAM_HEADERS } from '../read/events.ts';
import { openFeed } from '../read/feed.ts';
import { readJob } from '../read/reading.ts';
import { PONG, startHeartbeat } from '../read/sse.ts';
import type { RequestContext } from '../request-context.ts';
import { artifactFor, wholeTask } from './whole-task.ts';

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

/** An error in its middle ends the stream with an error: the reader subscribes again. */
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
			told
				.then(() => {
					if (!gone.signal.aborted) controller.close();
				})
				.catch((error: unknown) => {
					logError('the stream of a task broke off', { job: task.id, error });
					controller.error(error);
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
			if (broken === REOPENED_MS.times) throw new Error('The connection to the job breaks again and again');
			await scheduler.wait(doubledMs(REOPENED_MS, broken));
			feed = await openFeed(this.#context, this.#seq);
		}
	}

	/** Until the feed closes, the task has ended, or the reader has left. */
	async #follow(feed: WebSocket): Promise<void> {
		const { signal, writeText } = this.#reader;
		const { promise: closed, resolve: close } = Promise.withResolvers<void>();
		let told = Promise.resolve();
		feed.addEventListener('message', ({ data }) => {
			if (data === PONG) return;
			told = told.then(() => this.#tellEvent(JSON.parse(String(data)) as BareEvent));
			told.then(() => this.#isOver && close());
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

	/** The artifact comes before the final status, after which clients stop to read. */
	async #tellEvent({ seq, job }: BareEvent): Promise<void> {
		const { writeMessage } = this.#reader;
		if (job.finishedAt !== undefined) {
			const artifact = await this.#readArtifact(job.id);
			if (artifact) writeMessage(artifactUpdate(job, artifact));
			this.#isOver = true;
		}
		writeMessage(statusUpdate(job));
		this.#seq = seq;
	}

	/** A job may be purged as soon as it has ended. */
	async #readArtifact(id: string) {
		try {
			return await artifactFor(this.#context, await readJob(this.#context, true));
		} catch (error) {
			logError('a task has ended without its artifact', { job: id, error });
			return undefined;
		}
	}
}
