/** Counts the operations that were exercised: a run without faults would prove nothing. */

export class Tally {
	readonly counts: Record<string, number> = {};

	add(what: string, times = 1): void {
		this.counts[what] = (this.counts[what] ?? 0) + times;
	}

	addAll(counts: Readonly<Record<string, number>>): void {
		for (const [what, times] of Object.entries(counts)) this.add(what, times);
	}
}
