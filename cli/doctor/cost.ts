/** What a month costs, from the counts of `bench/results/cost.md`, the prices and what the plan includes. Pure. */
import { dollarsFor, INCLUDED, type Item, PLAN_DOLLARS, PRICES } from '../../bench/cost/prices.ts';
import { type Counts, usageOf } from '../../bench/cost/usage.ts';

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
	way('poll, result inline', 'polled twice', [4.1, 1.55, 4, 3, 6], 18.6),
	way('100 a second, poll', 'polled twice, a hundred jobs a second', [4, 1, 3.04, 0.33, 6], 14.8),
	way('one request', 'one request with Prefer: wait', [4.05, 1, 2, 3, 6], 9.8),
	way('WebSocket', 'watched by WebSocket', [4.05, 1, 4, 3, 6], 15.6),
	way('webhook', 'told by webhook', [6, 1, 4, 6, 7], 21.3),
	way('1,000 in one batch', 'a thousand in one batch', [3.39, 2.83, 1.01, 0.23, 7.01], 30),
	way('lane now, poll', 'lane now, polled twice', [4.1, 1.5, 3, 0, 6], 15),
];

/** What the list of jobs adds: where 200 come in a second, and for a job that comes alone (docs/cost.md). */
const LIST_COUNTS = {
	together: { rowsWritten: 0.11, objectCalls: 0.1 },
	alone: { rowsWritten: 2, objectCalls: 2 },
} as const;

function way(name: string, what: string, values: readonly number[], cpuMs: number): Way {
	return {
		name,
		what,
		counts: Object.fromEntries(COUNTERS.map((counter, index) => [counter, values[index] ?? 0])),
		cpuMs,
	};
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
		return itemCosts(sumOf(counts, list), cpuMs, jobs);
	}) as [ItemCost[], ItemCost[]];
	return { way: what, dollars: { least: totalOf(least), most: totalOf(most) }, items: most };
}

function itemCosts(counts: Counts, cpuMs: number, jobs: number): ItemCost[] {
	const usage = usageOf(counts, { cpuMs });
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

function sumOf(one: Counts, other: Counts): Counts {
	const names = new Set([...Object.keys(one), ...Object.keys(other)]);
	return Object.fromEntries([...names].map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}

function totalOf(items: readonly ItemCost[]): number {
	return PLAN_DOLLARS + items.reduce((sum, { dollars }) => sum + dollars, 0);
}
