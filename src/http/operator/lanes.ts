/** What waits in the deployment's queues. They are shared by all tenants, and their depth names none. */
import { defined } from '../../core/defined.ts';
import { type LaneDepth, readLaneDepths } from '../../queue/depths.ts';
import { PRIVATE } from '../job-response.ts';
import type { RequestContext } from '../request-context.ts';

/** `GET /v1/lanes`. */
export async function listLanes({ lanes }: RequestContext): Promise<Response> {
	const depths = await readLaneDepths(lanes, Date.now());
	return Response.json({ lanes: depths.map(laneItem) }, { headers: PRIVATE });
}

function laneItem({ lane, messages, bytes, oldestAt }: LaneDepth) {
	const oldestMessageAt = oldestAt === undefined ? undefined : new Date(oldestAt).toISOString();
	return defined({ name: lane, backlog: messages, backlogBytes: bytes, oldestMessageAt });
}
