/** What a client accepts of two representations (RFC 9110 §12.5.1). Pure. */
import { type ListItem, parseHeaderList } from './header-list.ts';

interface Preference {
	/** 0 says that the client doesn't want it. */
	readonly weight: number;
	/** 0 for any type, 1 for a type with any subtype, 2 for a media type. */
	readonly precision: number;
}

/**
 * The one of the offered media types that the client prefers; `undefined` when it accepts none. A client that names none
 * accepts all. Between equals the one that is named more precisely is taken, and then `tieBreaker`, unless the client
 * accepts just anything: then it is the first that is offered.
 */
export function preferredType<Type extends string>(
	accept: string | null,
	offered: readonly [Type, ...Type[]],
	tieBreaker: Type,
): Type | undefined {
	const ranges = parseHeaderList(accept);
	if (ranges.length === 0) return offered[0];
	const ranked = offered
		.map((type) => ({ type, ...preferenceFor(type, ranges) }))
		.filter(({ weight }) => weight > 0)
		.sort((a, b) => b.weight - a.weight || b.precision - a.precision);
	const [first, second] = ranked;
	const isTie = second?.weight === first?.weight && second?.precision === first?.precision;
	return isTie && first && first.precision > 0 ? tieBreaker : first?.type;
}

/** The most precise range that covers a type says how much it is wanted. */
function preferenceFor(type: string, ranges: readonly ListItem[]): Preference {
	const [main = ''] = type.split('/');
	// Some old clients spell any type as one asterisk.
	const names = [['*/*', '*'], [`${main}/*`], [type]];
	for (const precision of [2, 1, 0]) {
		const range = ranges.find(({ name }) => names[precision]?.includes(name));
		if (range) return { precision, weight: weightOf(range) };
	}
	return { precision: 0, weight: 0 };
}

/** A weight that is none counts as 1, as one that was left out. */
function weightOf({ parameters }: ListItem): number {
	const text = parameters.get('q') ?? '1';
	return /^(?:0?\.\d{1,3}|0\.?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 1;
}
