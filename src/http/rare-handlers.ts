/**
 * Handlers that few clients need. An isolate loads all of them at once, for the first request of any: in parts of their own, the
 * imports that they share would make the start larger than they make it smaller.
 */
export { describeAgent, describeToCaller } from './a2a/card.ts';
export { takeMessage } from './a2a/send.ts';
export { changeA2aTask, getA2aTask, listA2aTasks } from './a2a/tasks.ts';
export { actionStatus, createAction, stopAction } from './actions/actions.ts';
export { listActions } from './actions/log.ts';
export { batchStatus, submitBatch } from './batch/batches.ts';
export { cancelJob, purgeJob, retryJob } from './commands.ts';
export { sendEventAgain } from './deliveries.ts';
export { describeEvents, describeHttp } from './description/handlers.ts';
export { completeJob, failJob, reportProgress } from './external-worker.ts';
export { countListedJobs, listJobs } from './list/list.ts';
export { describeProtection } from './mcp/protection.ts';
export { describeCaller } from './operator/caller.ts';
export { listLanes } from './operator/lanes.ts';
export { showMetrics } from './operator/metrics.ts';
export { listUpstreams, resetUpstream } from './operator/upstreams.ts';
export { jobInput } from './read/input.ts';
export { submitUpstream } from './submit/upstream.ts';
export { listTasks } from './tasks.ts';
export { topicEvents } from './topics/events.ts';
export { listTopics } from './topics/list.ts';
export { publishEvent } from './topics/publish.ts';
export { deleteSubscription, getSubscription, listSubscriptions, putSubscription } from './topics/subscriptions.ts';
