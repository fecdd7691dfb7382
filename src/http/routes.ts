/** The whole API on one screen: which request goes where, and what it takes to be let in. */
import type { Scope } from './auth.ts';
import { cancelJob, purgeJob, retryJob } from './commands.ts';
import { jobEvents } from './events.ts';
import type { Exchange } from './exchange.ts';
import { completeJob, failJob, reportProgress } from './external-worker.ts';
import { jobResult } from './result.ts';
import { jobSocket } from './socket.ts';
import { jobStatus, operationStatus } from './status.ts';
import { submitBody, submitEnvelope } from './submit.ts';
import { listTasks } from './tasks.ts';
import { submitUpstream } from './upstream.ts';

export interface Route {
	/** `ALL`: whatever the handler takes. */
	readonly method: 'GET' | 'POST' | 'DELETE' | 'ALL';
	readonly path: string;
	readonly scope: Scope;
	readonly handle: (exchange: Exchange) => Promise<Response> | Response;
}

/** `GET /healthz` is not among them: it answers before anything is configured. */
export const ROUTES: readonly Route[] = [
	route('POST', '/v1/jobs', 'submit', submitEnvelope),
	route('POST', '/v1/tasks/:task/jobs', 'submit', submitBody),
	route('GET', '/v1/tasks', 'read', listTasks),
	route('ALL', '/v1/upstreams/:upstream/*', 'submit', submitUpstream),

	route('GET', '/v1/jobs/:id', 'read', jobStatus),
	route('GET', '/v1/operations/:id', 'read', operationStatus),
	route('GET', '/v1/jobs/:id/result', 'read', jobResult),
	route('GET', '/v1/jobs/:id/events', 'read', jobEvents),
	route('GET', '/v1/jobs/:id/socket', 'read', jobSocket),

	route('DELETE', '/v1/jobs/:id', 'cancel', cancelJob),
	route('POST', '/v1/jobs/:id/cancel', 'cancel', cancelJob),
	route('POST', '/v1/jobs/:id/retry', 'submit', retryJob),
	route('POST', '/v1/jobs/:id/purge', 'cancel', purgeJob),

	route('POST', '/v1/jobs/:id/progress', 'complete', reportProgress),
	route('POST', '/v1/jobs/:id/complete', 'complete', completeJob),
	route('POST', '/v1/jobs/:id/fail', 'complete', failJob),
];

function route(method: Route['method'], path: string, scope: Scope, handle: Route['handle']): Route {
	return { method, path, scope, handle };
}
