/** What Coatcheck needs from a Worker's configuration: the only place with these names and numbers. Pure. */

export interface Lane {
	readonly lane: string;
	/** Number of queues that `init` writes. Locally a queue runs one batch at a time, so that one slow job holds a whole queue. */
	readonly queues: number;
	/** The largest batch that the lane's work allows. */
	readonly maxBatchSize: number;
}

export const LANES: readonly Lane[] = [
	{ lane: 'jobs', queues: 4, maxBatchSize: 20 },
	{ lane: 'long', queues: 4, maxBatchSize: 4 },
	{ lane: 'alone', queues: 2, maxBatchSize: 1 },
	{ lane: 'webhooks', queues: 1, maxBatchSize: 5 },
];

/** Settings of each lane's consumers. The platform's defaults differ between local development and a deployment. */
export const LANE_CONSUMER = { max_batch_timeout: 0, max_retries: 100, retry_delay: 10 } as const;
export const DEAD_LETTER_CONSUMER = {
	max_batch_size: 50,
	max_batch_timeout: 1,
	max_retries: 100,
	retry_delay: 10,
} as const;
export const DEAD_LETTERS_BINDING = 'DEAD_LETTERS';

/** The classes of the objects, by the binding that each may have. */
export const OBJECT_CLASSES: Readonly<Record<string, string>> = {
	JOBS: 'JobObject',
	BATCHES: 'BatchObject',
	GATES: 'UpstreamGate',
	TENANTS: 'TenantObject',
	TOPICS: 'TopicObject',
};

/** Rate limits: the binding, its variable, and the numbers that `init` writes. */
export const RATE_LIMITS = [
	{ binding: 'LIMITER_PER_KEY', variable: 'RATE_LIMIT_PER_KEY', limit: 1_000, period: 10 },
	{ binding: 'LIMITER_PER_ADDRESS', variable: 'RATE_LIMIT_PER_ADDRESS', limit: 300, period: 10 },
] as const;

/** The date that `init` writes. */
export const COMPATIBILITY_DATE = '2026-10-20';
/** From this date on, deleting an object's data also deletes its alarm. */
export const OLDEST_COMPATIBILITY_DATE = '2026-02-24';
/** From this date on, Node's modules need no flag. */
export const NODEJS_COMPAT_DATE = '2026-08-04';
export const NODEJS_FLAGS = ['nodejs_compat', 'nodejs_compat_v2'] as const;
/** Without it, calls to the deployment's own zone bypass Cloudflare. */
export const PUBLIC_FETCH_FLAG = 'global_fetch_strictly_public';
/** Without it, the Worker is not told that a client has left, and a closed call of an agent goes on. */
export const REQUEST_SIGNAL_FLAG = 'enable_request_signal';
/** CPU time of one batch. */
export const CPU_MS = 120_000;
/** Node versions that wrangler runs on. */
export const MIN_NODE_MAJOR = 22;
