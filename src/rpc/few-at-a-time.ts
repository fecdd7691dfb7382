/** Calls `act` for each item, with at most `atOnce` calls in progress, so that a thousand items don't open a thousand calls. */
export async function fewAtATime<Item, Result>(
	atOnce: number,
	items: readonly Item[],
	act: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
	const results: Result[] = [];
	let next = 0;
	const walk = async () => {
		while (next < items.length) {
			const index = next++;
			results[index] = await act(items[index] as Item, index);
		}
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, walk));
	return results;
}
