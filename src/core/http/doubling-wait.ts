/** A wait that doubles. Milliseconds. */
export interface DoublingWait {
	readonly first: number;
	readonly max: number;
}

/** The wait after `times` doublings: `first`, twice `first`, … up to `max`. */
export function doubledMs({ first, max }: DoublingWait, times: number): number {
	return Math.min(max, first * 2 ** times);
}
