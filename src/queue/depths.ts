/** How much waits in each lane's queues, as the queues themselves say. */
import { defined } from '../core/defined.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';
import { logError } from '../log.ts';
import { withTimeout } from '../rpc/with-timeout.ts';
import type { Lanes, MessageQueue } from './lanes.ts';

/** The messages of one lane, those at work included: a queue counts a message until it is acknowledged. */
export interface LaneDepth {
	readonly lane: string;
	readonly messages: number;
	readonly bytes: number;
	/** When the oldest message was sent, in milliseconds since the epoch. Left out for an empty lane. */
	readonly oldestAt?: number;
}

/** How long this isolate answers from what it has read. */
const FRESH_MS = 10 * MS_PER_SECOND;
/** Timeout of the queues' answers. */
const METRICS_TIMEOUT_MS = 5 * MS_PER_SECOND;

interface Depths {
	readonly all: readonly LaneDepth[];
	readonly readAt: number;
}

/** Values, never promises: a request must not wait for the I/O of another one. */
const lastRead = new WeakMap<Lanes, Depths>();

/** Reads the depth of each lane. A lane with a queue that does not answer is left out, because its depth is unknown. */
export async function readLaneDepths(lanes: Lanes, now: number): Promise<readonly LaneDepth[]> {
	const known = lastRead.get(lanes);
	if (known && now - known.readAt < FRESH_MS) return known.all;
	const read = await Promise.all([...lanes].map(([lane, queues]) => readLane(lane, queues)));
	const all = read.filter((depth) => depth !== undefined);
	lastRead.set(lanes, { all, readAt: now });
	return all;
}

async function readLane(lane: string, queues: readonly MessageQueue[]): Promise<LaneDepth | undefined> {
	try {
		return laneDepth(lane, await withTimeout(METRICS_TIMEOUT_MS, Promise.all(queues.map((queue) => queue.metrics()))));
	} catch (error) {
		logError('depth of a lane unknown', { lane, error });
		return undefined;
	}
}

function laneDepth(lane: string, metrics: readonly QueueMetrics[]): LaneDepth {
	const messages = metrics.reduce((sum, { backlogCount }) => sum + backlogCount, 0);
	const bytes = metrics.reduce((sum, { backlogBytes }) => sum + backlogBytes, 0);
	const sentAt = metrics.flatMap(({ oldestMessageTimestamp: oldest }) => {
		// An empty queue may name the epoch.
		const at = oldest === undefined ? 0 : new Date(oldest).getTime();
		return at > 0 ? [at] : [];
	});
	return defined({ lane, messages, bytes, oldestAt: sentAt.length > 0 ? Math.min(...sentAt) : undefined });
}
