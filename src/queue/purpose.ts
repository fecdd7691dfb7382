/** The purpose of a queue, derived from its name. Pure. */

/**
 * A queue's name ends with the name of its lane. From the second queue of a lane on, a number follows:
 * `staging-coatcheck-jobs-2`.
 */
const LANE_QUEUE = /(?:^|-)([a-z]+)(?:-(\d+))?$/;
/** The name of the dead-letter queue ends with this. */
const DEAD_LETTERS = /(?:^|-)dead-letters$/;

/** The purpose of a queue. */
export type Purpose =
	| { readonly type: 'dead letters' }
	/** `index` is its position among the lane's queues, from 0. */
	| { readonly type: 'lane'; readonly lane: string; readonly index: number }
	| { readonly type: 'unknown' };

/** Only the end of the name matters: different deployments have different prefixes. */
export function queuePurpose(queue: string, lanes: { has(lane: string): boolean }): Purpose {
	if (DEAD_LETTERS.test(queue)) return { type: 'dead letters' };
	const [, lane, number = '1'] = LANE_QUEUE.exec(queue) ?? [];
	if (lane === undefined || !lanes.has(lane)) return { type: 'unknown' };
	return { type: 'lane', lane, index: Number(number) - 1 };
}
