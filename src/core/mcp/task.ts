/** A job as a task of MCP's extension `io.modelcontextprotocol/tasks` (SEP-2663). Pure. */
import { defined } from '../defined.ts';
import type { JobFacts } from '../job/document.ts';
import type { JobView } from '../job/object-api.ts';

/** The extension's name in capabilities. Its value is always empty. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

export type McpTaskStatus = 'working' | 'completed' | 'failed' | 'cancelled';

export interface McpTask {
	/** The job's id. */
	readonly taskId: string;
	readonly status: McpTaskStatus;
	readonly statusMessage?: string;
	readonly createdAt: string;
	readonly lastUpdatedAt: string;
	/** From the creation on. It only grows while the job is unfinished. */
	readonly ttlMs: number;
	/** Left out for a job that has ended. */
	readonly pollIntervalMs?: number;
}

/** The service failed the job, not its task: the tool never gave an answer. */
const OUR_FAILURES: ReadonlySet<string> = new Set(['DeliveryFailed', 'Internal', 'StartDeadlinePassed']);

/** A tool's failure is a completed task, whose result says `isError`. */
export function mcpTaskStatus({ status, error }: Pick<JobFacts, 'status' | 'error'>): McpTaskStatus {
	switch (status) {
		case 'succeeded':
			return 'completed';
		case 'failed':
			return OUR_FAILURES.has(error?.code ?? '') ? 'failed' : 'completed';
		case 'canceled':
			return 'cancelled';
		default:
			return 'working';
	}
}

export interface TaskMoment {
	/** In milliseconds since the epoch. */
	readonly now: number;
	/** The wait of `Retry-After`; `undefined` for a job that has ended. */
	readonly retryAfterSeconds: number | undefined;
}

export function mcpTask({ facts, retainMs }: JobView, { now, retryAfterSeconds }: TaskMoment): McpTask {
	const { id, createdAt, lastUpdatedAt, expiresAt, progress, phase } = facts;
	const status = mcpTaskStatus(facts);
	const bornAt = Date.parse(createdAt);
	const keptUntil = expiresAt === undefined ? now + (retainMs ?? 0) : Date.parse(expiresAt);
	return defined({
		taskId: id,
		status,
		statusMessage: facts.error?.message ?? progress?.message ?? phase,
		createdAt,
		lastUpdatedAt,
		ttlMs: keptUntil - bornAt,
		pollIntervalMs: status === 'working' && retryAfterSeconds ? Math.ceil(retryAfterSeconds * 1_000) : undefined,
	});
}
