/** The whole API on one screen: each route with its required scope and its handler. */
import type { Config } from '../config/config.ts';
import { MAX_ACTION_BYTES } from '../core/action/limits.ts';
import { MAX_REPORT_BYTES } from '../core/job/limits.ts';
import { MAX_MCP_REQUEST_BYTES } from '../core/mcp/limits.ts';
import { MAX_EVENT_REQUEST_BYTES, MAX_SUBSCRIPTION_BYTES } from '../core/topic/limits.ts';
import type { Scope } from './access/auth.ts';
import { jobEvents } from './read/events.ts';
import { jobResult } from './read/result.ts';
import { jobSocket } from './read/socket.ts';
import { jobStatus, operationStatus } from './read/status.ts';
import type { RequestContext } from './request-context.ts';
import { submitBody, submitEnvelope } from './submit/submit.ts';

export interface Route {
	/** `ALL`: every method that the handler accepts. */
	readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'ALL';
	readonly path: string;
	readonly scope: Scope;
	/** Maximum size of the body, in bytes. */
	readonly takes: (config: Config) => number;
	readonly handle: (context: RequestContext) => Promise<Response> | Response;
}

/** A handler, and `takes` of its route. Default: no body. */
type Handler = readonly [handle: Route['handle'], takes?: Route['takes']];

/** Excludes `GET /healthz`, which works without configuration. */
export const ROUTES: readonly Route[] = [
	route('POST /v1/jobs', 'submit', [submitEnvelope, input]),
	route('POST /v1/tasks/:task/jobs', 'submit', [submitBody, input]),
	route('GET /v1/tasks', 'read', [rare('listTasks')]),
	route('ALL /v1/upstreams/:upstream/*', 'submit', [rare('submitUpstream'), input]),
	route('POST /v1/batches', 'submit', [rare('submitBatch'), input]),
	route('GET /v1/batches/:id', 'read', [rare('batchStatus')]),

	route('POST /v1/actions', 'operate', [rare('createAction'), actionRequest]),
	route('GET /v1/actions', 'read', [rare('listActions')]),
	route('GET /v1/actions/:id', 'read', [rare('actionStatus')]),
	route('DELETE /v1/actions/:id', 'operate', [rare('stopAction')]),

	route('GET /openapi.json', 'public', [rare('describeHttp')]),
	route('GET /asyncapi.json', 'public', [rare('describeEvents')]),
	route('POST /mcp', 'key', [agents, mcpRequest]),
	route('GET /.well-known/oauth-protected-resource', 'public', [rare('describeProtection')]),
	route('GET /.well-known/oauth-protected-resource/mcp', 'public', [rare('describeProtection')]),

	route('GET /.well-known/agent-card.json', 'public', [rare('describeAgent')]),
	route('POST /a2a/:operation', 'submit', [rare('takeMessage'), mcpRequest]),
	route('GET /a2a/extendedAgentCard', 'read', [rare('describeToCaller')]),
	route('GET /a2a/tasks', 'read', [rare('listA2aTasks')]),
	route('GET /a2a/tasks/:taskId', 'read', [rare('getA2aTask')]),
	route('POST /a2a/tasks/:taskId', 'key', [rare('changeA2aTask'), mcpRequest]),

	route('GET /v1/me', 'key', [rare('describeCaller')]),
	route('GET /metrics', 'admin', [rare('showMetrics')]),
	route('GET /v1/lanes', 'read', [rare('listLanes')]),
	route('GET /v1/upstreams', 'read', [rare('listUpstreams')]),
	route('POST /v1/operator/upstreams/:upstream/reset', 'operate', [rare('resetUpstream')]),

	route('GET /v1/jobs', 'read', [rare('listJobs')]),
	route('GET /v1/jobs/counts', 'read', [rare('countListedJobs')]),
	route('GET /v1/jobs/:id', 'read', [jobStatus]),
	route('GET /v1/operations/:id', 'read', [operationStatus]),
	route('GET /v1/jobs/:id/result', 'read', [jobResult]),
	route('GET /v1/jobs/:id/input', 'input', [rare('jobInput')]),
	route('GET /v1/jobs/:id/events', 'read', [jobEvents]),
	route('GET /v1/jobs/:id/socket', 'read', [jobSocket]),

	route('GET /v1/topics', 'read', [rare('listTopics')]),
	route('POST /v1/topics/:topic/events', 'submit', [rare('publishEvent'), event]),
	route('GET /v1/topics/:topic/events', 'read', [rare('topicEvents')]),
	route('GET /v1/topics/:topic/subscriptions', 'operate', [rare('listSubscriptions')]),
	route('PUT /v1/topics/:topic/subscriptions/:name', 'operate', [rare('putSubscription'), subscription]),
	route('GET /v1/topics/:topic/subscriptions/:name', 'operate', [rare('getSubscription')]),
	route('DELETE /v1/topics/:topic/subscriptions/:name', 'operate', [rare('deleteSubscription')]),

	route('DELETE /v1/jobs/:id', 'cancel', [rare('cancelJob')]),
	route('POST /v1/jobs/:id/cancel', 'cancel', [rare('cancelJob')]),
	route('POST /v1/jobs/:id/retry', 'submit', [rare('retryJob')]),
	route('POST /v1/jobs/:id/purge', 'purge', [rare('purgeJob')]),

	route('POST /v1/jobs/:id/webhook/deliveries', 'operate', [rare('sendEventAgain'), report]),

	route('POST /v1/jobs/:id/progress', 'complete', [rare('reportProgress'), report]),
	route('POST /v1/jobs/:id/complete', 'complete', [rare('completeJob'), resultBytes]),
	route('POST /v1/jobs/:id/fail', 'complete', [rare('failJob'), report]),
];

function route(request: `${Route['method']} /${string}`, scope: Scope, [handle, takes = nothing]: Handler): Route {
	const [method, path] = request.split(' ') as [Route['method'], string];
	return { method, path, scope, handle, takes };
}

/** A handler that is loaded with its first request. */
function rare(name: keyof typeof import('./rare-handlers.ts')): Route['handle'] {
	return async (context) => (await import('./rare-handlers.ts'))[name](context);
}

/** Loaded with its first request, apart from the rare handlers, because it is larger than all of them. */
async function agents(context: RequestContext): Promise<Response> {
	return (await import('./mcp/serve.ts')).serveMcp(context);
}

function nothing(): number {
	return 0;
}

function input({ maxInputBytes }: Config): number {
	return maxInputBytes;
}

function mcpRequest(): number {
	return MAX_MCP_REQUEST_BYTES;
}

function actionRequest(): number {
	return MAX_ACTION_BYTES;
}

function resultBytes({ maxResultBytes }: Config): number {
	return maxResultBytes;
}

function event(): number {
	return MAX_EVENT_REQUEST_BYTES;
}

function subscription(): number {
	return MAX_SUBSCRIPTION_BYTES;
}

function report(): number {
	return MAX_REPORT_BYTES;
}
