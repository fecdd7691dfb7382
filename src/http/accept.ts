/** Content negotiation by `Accept` (RFC 9110 §12.5.1). Pure. */
import { type ContentType, parse } from 'content-type';

interface Preference {
	/** 0 means that the client rejects it. */
	readonly weight: number;
	/** 0 for any type, 1 for a type with any subtype, 2 for a media type. */
	readonly precision: number;
}

/**
 * The offered media type that the client prefers; `undefined` when it accepts none of them. A client without `Accept` gets
 * the first offered type. Among equal weights, the more precise range wins, then `tieBreaker`. Between types that the client
 * accepts only by a wildcard, the first offered one wins.
 */
export function preferredType<Type extends string>(
	accept: string | null,
	offered: readonly [Type, ...Type[]],
	tieBreaker: Type,
): Type | undefined {
	const ranges = parseRanges(accept ?? '');
	if (ranges.length === 0) return offered[0];
	const ranked = offered
		.map((type) => ({ type, ...preferenceFor(type, ranges) }))
		.filter(({ weight }) => weight > 0)
		.sort((a, b) => b.weight - a.weight || b.precision - a.precision);
	const [first, second] = ranked;
	const isTie = second?.weight === first?.weight && second?.precision === first?.precision;
	return isTie && first && first.precision > 0 ? tieBreaker : first?.type;
}

/** The characters of a media range (RFC 9110 §5.6.2). */
const RANGE = /^[!#$%&'*+.^_`|~0-9a-z/-]+$/;

/** Malformed ranges are skipped. */
function parseRanges(accept: string): ContentType[] {
	const ranges: ContentType[] = [];
	for (let start = 0; start < accept.length; ) {
		const range = parse(accept, { comma: true, start });
		if (RANGE.test(range.type)) ranges.push(range);
		start = range.index + 1;
	}
	return ranges;
}

/** The most precise range that matches a type determines its weight. */
function preferenceFor(type: string, ranges: readonly ContentType[]): Preference {
	const [main = ''] = type.split('/');
	// Some old clients send `*` instead of `*/*`.
	const names = [['*/*', '*'], [`${main}/*`], [type]];
	for (const precision of [2, 1, 0]) {
		const range = ranges.find((candidate) => names[precision]?.includes(candidate.type));
		if (range) return { precision, weight: parseWeight(range.parameters.q) };
	}
	return { precision: 0, weight: 0 };
}

/** An invalid weight counts as 1, like a missing one. */
function parseWeight(text = '1'): number {
	return /^(?:0?\.\d{1,3}|0\.?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 1;
}
