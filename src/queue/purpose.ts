/** What a queue is for, by its name. Pure. */

/** A queue's name ends with its lane's, and with its number in the lane from the second one on: `staging-coatcheck-jobs-2`. */
const LANE_QUEUE = /(?:^|-)([a-z]+)(?:-(\d+))?$/;
/** The name of the queue that takes dead letters ends with this. */
const DEAD_LETTERS = /(?:^|-)dead-letters$/;

/** What a queue is for. */
export type Purpose =
	| { readonly type: 'dead letters' }
	/** `index` is its place among the lane's queues, from 0. */
	| { readonly type: 'lane'; readonly lane: string; readonly index: number }
	| { readonly type: 'unknown' };

/** The end of the name says it: deployments beside each other have names that begin differently. */
export function purposeOf(queue: string, lanes: { has(lane: string): boolean }): Purpose {
	if (DEAD_LETTERS.test(queue)) return { type: 'dead letters' };
	const [, lane, number = '1'] = LANE_QUEUE.exec(queue) ?? [];
	if (lane === undefined || !lanes.has(lane)) return { type: 'unknown' };
	return { type: 'lane', lane, index: Number(number) - 1 };
}
