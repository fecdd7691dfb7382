/** What a month costs, from the counts of `bench/results/cost.md`, the prices and what the plan includes. Pure. */
import { dollarsFor, INCLUDED, type Item, PLAN_DOLLARS, PRICES } from '../../src/core/cost/prices.ts';
import { billedUsage, type Counts } from '../../src/core/cost/usage.ts';

/** How a client uses the service, and the operations of one job. */
export interface Way {
	readonly name: string;
	readonly what: string;
	readonly counts: Counts;
	/** Measured as the whole runtime's: too high. */
	readonly cpuMs: number;
}

const COUNTERS = ['rowsWritten', 'rowsRead', 'workerRequests', 'queueOperations', 'objectCalls'] as const;

/** The rows of `bench/results/cost.md` with these names. A test compares them. */
export const WAYS: readonly Way[] = [
	{ name: 'poll, result inline', what: 'polled twice', counts: countsIn(4.1, 1.55, 4, 3, 6), cpuMs: 18.6 },
	{
		name: '100 a second, poll',
		what: 'polled twice, a hundred jobs a second',
		counts: countsIn(4, 1, 3.04, 0.33, 6),
		cpuMs: 14.8,
	},
	{ name: 'one request', what: 'one request with Prefer: wait', counts: countsIn(4.05, 1, 2, 3, 6), cpuMs: 9.8 },
	{ name: 'WebSocket', what: 'watched by WebSocket', counts: countsIn(4.05, 1, 4, 3, 6), cpuMs: 15.6 },
	{ name: 'webhook', what: 'told by webhook', counts: countsIn(6, 1, 4, 6, 7), cpuMs: 21.3 },
	{
		name: '1,000 in one batch',
		what: 'a thousand in one batch',
		counts: countsIn(3.39, 2.83, 1.01, 0.23, 7.01),
		cpuMs: 30,
	},
	{ name: 'lane now, poll', what: 'lane now, polled twice', counts: countsIn(4.1, 1.5, 3, 0, 6), cpuMs: 15 },
];

/** What the list of jobs adds: where 200 come in a second, and for a job that comes alone (docs/cost.md). */
const LIST_COUNTS = {
	together: { rowsWritten: 0.11, objectCalls: 0.1 },
	alone: { rowsWritten: 2, objectCalls: 2 },
} as const;

/** The counts in the order of the table. */
function countsIn(...values: readonly number[]): Counts {
	return Object.fromEntries(COUNTERS.map((counter, index) => [counter, values[index] ?? 0]));
}

export interface ItemCost {
	readonly item: Item;
	readonly unit: string;
	readonly amount: number;
	readonly included: number;
	readonly dollars: number;
}

export interface Estimate {
	readonly way: string;
	/** A month, with the plan: by the list's cheapest and dearest case. Equal when the list is off. */
	readonly dollars: { readonly least: number; readonly most: number };
	/** The items of the dearest case. */
	readonly items: readonly ItemCost[];
}

/** @param isListOn whether the deployment lists its jobs. */
export function estimateMonth({ what, counts, cpuMs }: Way, jobs: number, isListOn: boolean): Estimate {
	const [least, most] = (['together', 'alone'] as const).map((how) => {
		const list: Counts = isListOn ? LIST_COUNTS[how] : {};
		return itemCosts(addCounts(counts, list), cpuMs, jobs);
	}) as [ItemCost[], ItemCost[]];
	return { way: what, dollars: { least: sumDollars(least), most: sumDollars(most) }, items: most };
}

function itemCosts(counts: Counts, cpuMs: number, jobs: number): ItemCost[] {
	const usage = billedUsage(counts, { cpuMs });
	return Object.entries(usage).map(([name, amountAJob]) => {
		const item = name as Item;
		const amount = (amountAJob ?? 0) * jobs;
		const included = INCLUDED[item];
		return {
			item,
			unit: PRICES[item].unit,
			amount,
			included,
			dollars: dollarsFor(item, Math.max(0, amount - included)),
		};
	});
}

function addCounts(one: Counts, other: Counts): Counts {
	const names = new Set([...Object.keys(one), ...Object.keys(other)]);
	return Object.fromEntries([...names].map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}

function sumDollars(items: readonly ItemCost[]): number {
	return PLAN_DOLLARS + items.reduce((sum, { dollars }) => sum + dollars, 0);
}
