/** Counts of jobs by status, phase, task and error code. Combinations are numbered once for all leaves of a list. */
import { type Combination, matchesCombination } from './filter.ts';
import { MAX_COMBINATIONS } from './limits.ts';
import type { JobCounts, JobFilter } from './list-api.ts';

/** A persisted contract: values are only added at the end. */
type CountedCombination = readonly [
	status: string,
	phase: string,
	task: string,
	errorCode: string | null,
	count: number,
];

/** The combinations of a list, by number. */
export class Combinations {
	readonly #numbers = new Map<string, number>();
	readonly #all: Combination[] = [];

	numberFor({ status, phase, task, errorCode = '' }: Combination): number {
		const key = `${status} ${phase} ${task} ${errorCode}`;
		const known = this.#numbers.get(key);
		if (known !== undefined) return known;
		const number = this.#all.push(errorCode === '' ? { status, phase, task } : { status, phase, task, errorCode }) - 1;
		this.#numbers.set(key, number);
		return number;
	}

	at(number: number): Combination {
		return this.#all[number] as Combination;
	}

	/** Tells of each number whether the filter matches it, and decides about each combination once. */
	matcher(filter: JobFilter): (number: number) => boolean {
		const known: (boolean | undefined)[] = [];
		return (number) => {
			known[number] ??= matchesCombination(this.at(number), filter);
			return known[number] as boolean;
		};
	}
}

/** The counts of one leaf. */
export class Tally {
	readonly #combinations: Combinations;
	readonly #counts = new Map<number, number>();

	constructor(combinations: Combinations, encoded = '[]') {
		this.#combinations = combinations;
		for (const [status, phase, task, errorCode, count] of JSON.parse(encoded) as CountedCombination[]) {
			const combination = errorCode === null ? { status, phase, task } : { status, phase, task, errorCode };
			this.#counts.set(combinations.numberFor(combination), count);
		}
	}

	/** @param by 1, or -1 for a job that leaves. @returns whether the combinations are still few enough to count. */
	add(combination: Combination, by: 1 | -1): boolean {
		const number = this.#combinations.numberFor(combination);
		const count = (this.#counts.get(number) ?? 0) + by;
		if (count === 0) this.#counts.delete(number);
		else this.#counts.set(number, count);
		return this.#counts.size <= MAX_COMBINATIONS;
	}

	hasMatch(matches: (number: number) => boolean): boolean {
		for (const number of this.#counts.keys()) if (matches(number)) return true;
		return false;
	}

	addTo(totals: Map<number, number>, matches: (number: number) => boolean): void {
		for (const [number, count] of this.#counts)
			if (matches(number)) totals.set(number, (totals.get(number) ?? 0) + count);
	}

	encode(): string {
		const counted = Array.from(this.#counts, ([number, count]): CountedCombination => {
			const { status, phase, task, errorCode = null } = this.#combinations.at(number);
			return [status, phase, task, errorCode, count];
		});
		return JSON.stringify(counted);
	}
}

/** Counts a job of a combination. */
export function countJob(totals: Map<number, number>, number: number): void {
	totals.set(number, (totals.get(number) ?? 0) + 1);
}

export function jobCounts(totals: ReadonlyMap<number, number>, combinations: Combinations): JobCounts {
	const byStatus: Record<string, number> = {};
	const byTask: Record<string, number> = {};
	const byErrorCode: Record<string, number> = {};
	let total = 0;
	for (const [number, count] of totals) {
		const { status, task, errorCode } = combinations.at(number);
		total += count;
		byStatus[status] = (byStatus[status] ?? 0) + count;
		byTask[task] = (byTask[task] ?? 0) + count;
		if (errorCode !== undefined) byErrorCode[errorCode] = (byErrorCode[errorCode] ?? 0) + count;
	}
	return { total, byStatus, byTask, byErrorCode };
}
