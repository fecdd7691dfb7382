/** The billed items, their prices in US dollars, the source of each price and the date on which it was read. */

export interface Price {
	readonly dollars: number;
	/** Number of units for this price. */
	readonly per: number;
	readonly unit: string;
	readonly source: string;
	/** The date on the page, or the date on which the price was last seen there. */
	readonly asOf: string;
}

const MILLION = 1_000_000;

const WORKERS = { source: 'https://developers.cloudflare.com/workers/platform/pricing/', asOf: '2026-08-28' };
const OBJECTS = { source: 'https://developers.cloudflare.com/durable-objects/platform/pricing/', asOf: '2026-08-25' };
const QUEUES = { source: 'https://developers.cloudflare.com/queues/platform/pricing/', asOf: '2026-04-21' };
const WORKFLOWS = { source: 'https://developers.cloudflare.com/workflows/reference/pricing/', asOf: '2026-07-21' };

/** Prices beyond the included part of the plan of $5 a month, which a million jobs exceed. */
export const PRICES = {
	workerRequests: { dollars: 0.3, per: MILLION, unit: 'requests to a Worker, batches of a queue', ...WORKERS },
	cpuMs: { dollars: 0.02, per: MILLION, unit: 'ms of CPU in a Worker', ...WORKERS },
	objectCalls: { dollars: 0.15, per: MILLION, unit: 'calls into an object, alarms, sockets opened', ...OBJECTS },
	objectGbSeconds: { dollars: 12.5, per: MILLION, unit: 'GB-s of an object awake (128 MB each)', ...OBJECTS },
	rowsRead: { dollars: 0.001, per: MILLION, unit: 'rows read', ...OBJECTS },
	rowsWritten: { dollars: 1, per: MILLION, unit: 'rows written, alarms set', ...OBJECTS },
	storedGbMonths: { dollars: 0.2, per: 1, unit: 'GB-months stored', ...OBJECTS },
	queueOperations: {
		dollars: 0.4,
		per: MILLION,
		unit: 'operations of a queue (64 KB written, read or deleted)',
		...QUEUES,
	},
	workflowSteps: { dollars: 0.8, per: 100_000, unit: 'steps of a Workflow', ...WORKFLOWS },
} as const satisfies Record<string, Price>;

export type Item = keyof typeof PRICES;

/** The Workers Paid plan, a month. */
export const PLAN_DOLLARS = 5;

/** What the plan includes for all Workers of an account, a month. From the same pages as the prices. */
export const INCLUDED: Readonly<Record<Item, number>> = {
	workerRequests: 10 * MILLION,
	cpuMs: 30 * MILLION,
	objectCalls: 1 * MILLION,
	objectGbSeconds: 400_000,
	rowsRead: 25_000 * MILLION,
	rowsWritten: 50 * MILLION,
	storedGbMonths: 5,
	queueOperations: 1 * MILLION,
	workflowSteps: 0,
};

/** An amount of each item. */
export type Usage = Partial<Record<Item, number>>;

/** The cost of a million times a usage, in dollars. */
export function dollarsAMillion(usage: Usage): number {
	return Object.entries(usage).reduce((sum, [item, count]) => sum + dollarsFor(item as Item, count) * MILLION, 0);
}

export function dollarsFor(item: Item, count: number): number {
	const { dollars, per } = PRICES[item];
	return (count * dollars) / per;
}
