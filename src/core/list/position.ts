/** The order of the list: by the time of creation, then by id. */

/** The position of a job, and of a cursor. */
export interface Position {
	/** In milliseconds since the epoch. */
	readonly createdAt: number;
	readonly id: string;
}

/** Negative when `a` is older than `b`. */
export function comparePositions(a: Position, b: Position): number {
	if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
	if (a.id === b.id) return 0;
	return a.id < b.id ? -1 : 1;
}

/** The number of items at the beginning of a sorted list whose position is not after `position`. */
export function countUpTo(sorted: readonly { readonly first: Position }[], position: Position): number {
	let low = 0;
	let high = sorted.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		const item = sorted[middle];
		if (item && comparePositions(item.first, position) <= 0) low = middle + 1;
		else high = middle;
	}
	return low;
}
