/** Makes progress rise strictly, as MCP requires: a job's percent begins again with each attempt. Pure. */
export class RisingProgress {
	#last = -1;

	/** The progress to report, 0–100; `undefined` for one that would not rise. */
	next(percent: number): number | undefined {
		if (percent <= this.#last) return undefined;
		this.#last = percent;
		return percent;
	}
}
