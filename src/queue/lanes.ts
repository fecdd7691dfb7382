/** Lanes and their queues. A lane keeps slow work apart from fast work, and its queues share the load. */
import type { BundleMessage, DeliveryMessage, JobMessage, SubscriptionMessage } from '../core/job/message.ts';

export type MessageQueue = Queue<JobMessage | BundleMessage | DeliveryMessage | SubscriptionMessage>;

/** The queues of each lane, by the lane's name. */
export type Lanes = ReadonlyMap<string, readonly MessageQueue[]>;

/** The lane of webhook deliveries, and of the subscriptions of topics. */
export const WEBHOOKS_LANE = 'webhooks';
/** The lane of jobs whose own lane has no queues: lane `now`, or one that doesn't exist in this deployment. */
export const DEFAULT_LANE = 'jobs';

/** Bindings named `LANE_<NAME>_<n>` are the queues of lane `<name>`. */
const LANE_BINDING = /^LANE_([A-Z]+)_(\d+)$/;

const found = new WeakMap<object, Lanes>();

export function lanesOf(env: object): Lanes {
	let lanes = found.get(env);
	if (lanes === undefined) {
		lanes = lanesIn(env);
		found.set(env, lanes);
	}
	return lanes;
}

function lanesIn(env: object): Lanes {
	const lanes = new Map<string, MessageQueue[]>();
	const bindings = Object.entries(env).flatMap(([binding, queue]) => {
		const [, name, number] = LANE_BINDING.exec(binding) ?? [];
		return name === undefined || !queue
			? []
			: [{ name: name.toLowerCase(), number: Number(number), queue: queue as MessageQueue }];
	});
	bindings.sort((a, b) => a.number - b.number);
	for (const { name, queue } of bindings) lanes.set(name, [...(lanes.get(name) ?? []), queue]);
	return lanes;
}

export function queuesOf(lanes: Lanes, lane: string): readonly MessageQueue[] {
	return lanes.get(lane) ?? lanes.get(DEFAULT_LANE) ?? [];
}
