import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { estimateMonth, WAYS } from '../../../cli/doctor/cost.ts';
import { dollarsAMillion } from '../../../src/core/cost/prices.ts';
import { billedUsage } from '../../../src/core/cost/usage.ts';

const RESULTS = readFileSync(new URL('../../../bench/results/cost.md', import.meta.url), 'utf8');

/** The cells of the second table's row: rows written, rows read, requests, queue operations, calls, …, CPU. */
function countedRow(name: string): number[] {
	const row = RESULTS.split('\n').filter((line) => line.startsWith(`| ${name} |`))[1] ?? '';
	return row.split('|').slice(2).map(Number);
}

/** The price of a million jobs without what the plan includes, in the third table. */
function pricedRow(name: string): number {
	const row = RESULTS.split('\n').filter((line) => line.startsWith(`| ${name} |`))[2] ?? '';
	return Number(row.split('|')[9]);
}

describe('the cost of a month', () => {
	it.each(WAYS)('counts what the bench has counted: $name', ({ name, counts, cpuMs }) => {
		const [rowsWritten, rowsRead, workerRequests, queueOperations, objectCalls, , , cpu] = countedRow(name);
		expect({ ...counts, cpuMs }).toEqual({
			rowsWritten,
			rowsRead,
			workerRequests,
			queueOperations,
			objectCalls,
			cpuMs: cpu,
		});
		expect(dollarsAMillion(billedUsage(counts, { cpuMs }))).toBeCloseTo(pricedRow(name), 1);
	});

	it('is the plan alone for few jobs, and the price of the jobs alone for very many', () => {
		const [way] = WAYS;
		if (!way) throw new Error('no way');
		expect(estimateMonth(way, 1_000, true).dollars).toEqual({ least: 5, most: 5 });
		const aThousandMillions = estimateMonth(way, 1_000_000_000, false).dollars.most / 1_000;
		expect(aThousandMillions).toBeGreaterThan(0.98 * pricedRow(way.name));
		expect(aThousandMillions).toBeLessThan(pricedRow(way.name) + 0.02);
	});

	it('adds the list of jobs, unless it is off', () => {
		const [way] = WAYS;
		if (!way) throw new Error('no way');
		const on = estimateMonth(way, 1_000_000_000, true).dollars;
		const off = estimateMonth(way, 1_000_000_000, false).dollars;
		// docs/cost.md: $0.13 to $2.30 a million.
		expect((on.least - off.least) / 1_000).toBeCloseTo(0.13, 1);
		expect((on.most - off.most) / 1_000).toBeCloseTo(2.3, 1);
	});
});
