/** The defaults of a deployment's variables, on one screen. No other file defines any. */
import { MIB } from '../core/job/limits.ts';
import { DEFAULT_RETENTION } from '../core/topic/limits.ts';

/** Defaults of variables. */
export const DEFAULTS = {
	/** Maximum size of an input, in bytes. */
	MAX_INPUT_BYTES: 32 * MIB,
	/** Maximum size of a result, in bytes. */
	MAX_RESULT_BYTES: 32 * MIB,
	/** Maximum number of unfinished bulk actions of a tenant. */
	MAX_ACTIONS: 2,
	/** Maximum number of jobs a second that a bulk action works on. */
	ACTION_JOBS_PER_SECOND: 500,
	/** Maximum number of waiting messages in each queue of a lane. Beyond it, new jobs are rejected. */
	MAX_BACKLOG: 1_000_000,
	/**
	 * How long a data center may serve a succeeded job from its own cache, in seconds; 0 disables the cache. Other data centers
	 * may serve a purged job for that long.
	 */
	EDGE_CACHE_SECONDS: 0,
	LIST: 'on',
	DASHBOARD: 'on',
	OPENAPI: 'on',
	/** How long a tool's call waits for its job before it becomes a task, in seconds. */
	MCP_WAIT_SECONDS: 3,
	/** How long a topic keeps its events, in seconds. */
	TOPIC_RETAIN_SECONDS: DEFAULT_RETENTION.retainSeconds,
	/** Maximum size of the events that a topic keeps, in bytes. Beyond it, the oldest are deleted. */
	TOPIC_RETAIN_BYTES: DEFAULT_RETENTION.retainBytes,
	/** Maximum size of the events that all topics of a tenant keep, in bytes. */
	MAX_TOPIC_BYTES: 1_024 * MIB,
	/** Maximum number of events that all topics of a tenant keep. */
	MAX_TOPIC_EVENTS: 10_000_000,
	/** The JWT claim with the tenant. */
	JWT_TENANT_CLAIM: 'tenant',
	/** The JWT claim with the scopes (RFC 8693 §4.2). */
	JWT_SCOPES_CLAIM: 'scope',
} as const;
