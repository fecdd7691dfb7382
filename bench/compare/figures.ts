/** Statistics of measured times. */

export interface Figure {
	/** The measured quantity, the same for every contender. */
	readonly subject: string;
	readonly unit: string;
	/** Whether more or less is better. */
	readonly better: 'more' | 'less';
	readonly value: number;
}

export const more = (subject: string, unit: string, value: number): Figure => ({
	subject,
	unit,
	better: 'more',
	value,
});
export const less = (subject: string, unit: string, value: number): Figure => ({
	subject,
	unit,
	better: 'less',
	value,
});

/** The value that this share of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length / 2;
	return sorted.length % 2 === 1
		? (sorted[Math.floor(middle)] ?? Number.NaN)
		: ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Runs something a number of times, with a number in flight; fewer times if that would take too long. */
export async function inFlight<T>(
	width: number,
	count: number,
	once: (index: number) => Promise<T>,
	maxMs = Number.POSITIVE_INFINITY,
): Promise<{ results: T[]; ms: number[]; seconds: number }> {
	const results: T[] = [];
	const ms: number[] = [];
	let next = 0;
	const begin = performance.now();
	const walk = async () => {
		while (next < count && performance.now() - begin < maxMs) {
			const index = next++;
			const at = performance.now();
			results[index] = await once(index);
			ms.push(performance.now() - at);
		}
	};
	await Promise.all(Array.from({ length: width }, walk));
	return { results, ms, seconds: (performance.now() - begin) / 1_000 };
}
