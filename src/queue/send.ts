/**
 * The sending end of the queues. A message is a hint: whoever sends one may fail, and the job's watchdog sends another.
 * So a send is bounded in time, and its failure is logged, never thrown.
 */
import { MS_PER_SECOND } from '../job/limits.ts';
import type { DeliveryMessage, JobMessage } from '../job/message.ts';
import { logError } from '../log.ts';

/** The queues of each lane, by the lane's name. Several queues of one lane share its work. */
export type Lanes = ReadonlyMap<string, readonly MessageQueue[]>;

type MessageQueue = Queue<JobMessage | DeliveryMessage>;

/** The lane of webhook deliveries. */
const WEBHOOKS_LANE = 'webhooks';

/** A send has been seen to hang for a minute: after this long it is somebody else's turn to try. */
const SEND_TIMEOUT_MS = 10 * MS_PER_SECOND;

/** Bindings named `LANE_<NAME>_<n>` are the queues of lane `<name>`. */
const LANE_BINDING = /^LANE_([A-Z]+)_\d+$/;

export function lanesOf(env: object): Lanes {
	const lanes = new Map<string, MessageQueue[]>();
	for (const [binding, queue] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
		const name = LANE_BINDING.exec(binding)?.[1]?.toLowerCase();
		if (name !== undefined) lanes.set(name, [...(lanes.get(name) ?? []), queue as MessageQueue]);
	}
	return lanes;
}

/** What a queue last said of its backlog. Lives as long as the isolate; it is only ever used for estimates. */
const lastBacklog = new WeakMap<MessageQueue, { readonly ageMs: number; readonly notedAt: number }>();
/** After this time what a queue said of its backlog is no longer news. */
const BACKLOG_NEWS_MS = 30 * MS_PER_SECOND;

/** In each lane turns go round, so that a slow job keeps the next one waiting only when every queue of the lane has one. */
const turns = new Map<string, number>();

/** Sends a job's message. Resolves when it is sent or given up; never rejects. */
export function sendJob(lanes: Lanes, lane: string, message: JobMessage, delaySeconds = 0): Promise<void> {
	return send(lanes, lane, message, delaySeconds);
}

/** Sends for a webhook's receiver to be told. Resolves when it is sent or given up; never rejects. */
export function sendDelivery(lanes: Lanes, message: DeliveryMessage): Promise<void> {
	return send(lanes, WEBHOOKS_LANE, message, 0);
}

async function send(
	lanes: Lanes,
	lane: string,
	message: JobMessage | DeliveryMessage,
	delaySeconds: number,
): Promise<void> {
	const queue = nextQueue(lanes, lane);
	if (!queue) return logError('send failed', { job: message.id, lane, error: 'the lane has no queue' });
	try {
		const { metadata } = await within(SEND_TIMEOUT_MS, queue.send(message, { contentType: 'json', delaySeconds }));
		noteBacklog(queue, metadata?.metrics);
	} catch (error) {
		logError('send failed', { job: message.id, lane, error });
	}
}

function nextQueue(lanes: Lanes, lane: string): MessageQueue | undefined {
	const queues = lanes.get(lane) ?? [];
	const turn = turns.get(lane) ?? Math.floor(Math.random() * queues.length);
	turns.set(lane, turn + 1);
	return queues[turn % queues.length];
}

/** How long the oldest message of a lane has been waiting, in milliseconds, as far as this isolate has heard lately. */
export function backlogMs(lanes: Lanes, lane: string, now: number): number {
	const news = (lanes.get(lane) ?? []).map((queue) => lastBacklog.get(queue)).filter((said) => said !== undefined);
	return Math.max(0, ...news.filter(({ notedAt }) => now - notedAt < BACKLOG_NEWS_MS).map(({ ageMs }) => ageMs));
}

/** When the oldest message in a lane's queues was sent; `undefined` when they are empty or don't say. */
export async function backlogSince(lanes: Lanes, lane: string): Promise<number | undefined> {
	const oldest = await Promise.all((lanes.get(lane) ?? []).map(oldestIn));
	const known = oldest.filter((at) => at !== undefined);
	return known.length > 0 ? Math.min(...known) : undefined;
}

async function oldestIn(queue: MessageQueue): Promise<number | undefined> {
	try {
		const metrics = await within(SEND_TIMEOUT_MS, queue.metrics());
		noteBacklog(queue, metrics);
		return metrics.backlogCount > 0 ? metrics.oldestMessageTimestamp?.getTime() : undefined;
	} catch (error) {
		logError('queue metrics failed', { error });
		return undefined;
	}
}

function noteBacklog(queue: MessageQueue, metrics: QueueMetrics | undefined): void {
	const now = Date.now();
	const oldestAt = metrics && metrics.backlogCount > 0 ? metrics.oldestMessageTimestamp?.getTime() : undefined;
	lastBacklog.set(queue, { ageMs: oldestAt === undefined ? 0 : Math.max(0, now - oldestAt), notedAt: now });
}

async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
	const { promise: timeout, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}
