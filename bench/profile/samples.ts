/** Sums up a CPU profile of the Chrome DevTools Protocol. */

interface Node {
	readonly id: number;
	readonly callFrame: { readonly functionName: string };
	readonly children?: readonly number[];
}

export interface Profile {
	readonly nodes: readonly Node[];
	readonly samples: readonly number[];
	/** Time between each sample and the one before it, in microseconds. */
	readonly timeDeltas: readonly number[];
}

const US_PER_MS = 1_000;

/** The time that each function takes by itself. A function without a name has the name of its caller. */
export function selfMs(profile: Profile): Map<string, number> {
	const callers = new Map(
		profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
	);
	const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node, callers)]));
	const self = new Map<string, number>();
	for (const [node, ms] of samplesOf(profile)) {
		const name = names.get(node) ?? '';
		self.set(name, (self.get(name) ?? 0) + ms);
	}
	return self;
}

/** The time during which any of these functions runs, including its calls. */
export function inclusiveMs(profile: Profile, functions: readonly string[]): number {
	const byId = new Map(profile.nodes.map((node) => [node.id, node]));
	const inside = new Set<number>();
	const enter = (id: number, isInside: boolean) => {
		const node = byId.get(id);
		if (!node) return;
		const isIn = isInside || functions.includes(node.callFrame.functionName);
		if (isIn) inside.add(id);
		for (const child of node.children ?? []) enter(child, isIn);
	};
	const [root] = profile.nodes;
	if (root) enter(root.id, false);
	let sum = 0;
	for (const [node, ms] of samplesOf(profile)) if (inside.has(node)) sum += ms;
	return sum;
}

function* samplesOf({ samples, timeDeltas }: Profile): Iterable<[node: number, ms: number]> {
	for (const [index, node] of samples.entries()) yield [node, (timeDeltas[index] ?? 0) / US_PER_MS];
}

function nameOf(node: Node, callers: ReadonlyMap<number, Node>): string {
	const { functionName } = node.callFrame;
	if (functionName !== '') return functionName;
	const caller = callers.get(node.id);
	return `(anonymous in ${caller ? nameOf(caller, callers) : 'nothing'})`;
}
