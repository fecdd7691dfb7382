/** A task's updates as server-sent events, up to its end. */
import { artifactUpdate, type StreamResponse, statusUpdate } from '../../core/a2a/task.ts';
import type { BareEvent } from '../../core/job/document.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
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
	const { id, seq } = job.view.facts;
	const request = jobRequest(context, id);
	const feed = hasEnded(job) ? undefined : await openFeed(request, seq);
	const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
	const writer = writable.getWriter();
	const encoder = new TextEncoder();
	const writeText = (text: string) => writer.write(encoder.encode(text));
	const writeMessage = (message: StreamResponse) => writeText(`data: ${JSON.stringify(message)}\n\n`);
	const tellAll = async () => {
		await writeMessage({ task: await wholeTask(context, job) });
		if (feed) {
			// The client may have left.
			const stopHeartbeat = startHeartbeat(feed, (comment) => void writeText(comment).catch(() => feed.close()));
			await tellUpdates(request, feed, writeMessage).finally(stopHeartbeat);
		}
		await writer.close();
	};
	// A client that has left ends its stream, and nothing else.
	context.waitUntil(tellAll().catch(() => feed?.close()));
	return new Response(readable, { headers: STREAM_HEADERS });
}

async function tellUpdates(
	context: RequestContext,
	feed: WebSocket,
	writeMessage: (message: StreamResponse) => Promise<void>,
): Promise<void> {
	const { promise: over, resolve, reject } = Promise.withResolvers<void>();
	let told = Promise.resolve();
	feed.addEventListener('message', ({ data }) => {
		if (data === PONG) return;
		const { job } = JSON.parse(String(data)) as BareEvent;
		told = told.then(() => tellEvent(context, job, writeMessage));
		told.then(job.finishedAt === undefined ? undefined : resolve, reject);
	});
	feed.addEventListener('close', () => told.then(resolve, reject));
	feed.addEventListener('error', () => told.then(resolve, reject));
	feed.accept();
	await over;
	feed.close();
}

/** The artifact comes before the final status, after which clients stop to read. */
async function tellEvent(
	context: RequestContext,
	job: BareEvent['job'],
	writeMessage: (message: StreamResponse) => Promise<void>,
): Promise<void> {
	if (job.finishedAt !== undefined) {
		const artifact = await artifactFor(context, await readJob(context, true));
		if (artifact) await writeMessage(artifactUpdate(job, artifact));
	}
	await writeMessage(statusUpdate(job));
}
