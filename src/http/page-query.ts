/** Reads the query of a request for a page of a plain listing: `?limit=` and `?cursor=`, and nothing else. */
import { PAGE_ITEMS } from '../core/list/limits.ts';
import { type Fault, shown } from './problem.ts';
import { invalidRequest } from './submit/options.ts';

export interface PageQuery<Position> {
	/** Maximum number of items. */
	readonly limit: number;
	/** `undefined` for the first page. */
	readonly position: Position | undefined;
}

/**
 * @param parsePosition reads a cursor; `undefined` for a text that was never one.
 * @throws {Problem} `InvalidRequest`, with each parameter that is wrong and what was expected.
 */
export function readPageQuery<Position>(
	{ searchParams }: URL,
	parsePosition: (cursor: string) => Position | undefined,
): PageQuery<Position> {
	const faults: Fault[] = [...new Set(searchParams.keys())].flatMap((parameter) => {
		if (!PARAMETERS.includes(parameter)) return [{ parameter, message: `expected one of ${PARAMETERS.join(', ')}` }];
		const isRepeated = searchParams.getAll(parameter).length > 1;
		return isRepeated ? [{ parameter, message: 'expected one value, got several' }] : [];
	});
	const cursor = searchParams.get('cursor') ?? undefined;
	const position = cursor === undefined ? undefined : parsePosition(cursor);
	if (cursor !== undefined && position === undefined)
		faults.push({ parameter: 'cursor', message: `expected the nextCursor of an earlier page, got: ${shown(cursor)}` });
	const limit = readPageLimit(searchParams, faults);
	if (faults.length > 0) throw invalidRequest('The query is not valid', faults);
	return { limit, position };
}

const PARAMETERS: readonly string[] = ['limit', 'cursor'];

/** The number of items in a page. Adds a fault for a value that can't be right. */
export function readPageLimit(query: URLSearchParams, faults: Fault[]): number {
	const given = query.get('limit');
	const limit = given === null ? PAGE_ITEMS.default : Number(given);
	if (/^\d{1,3}$/.test(given ?? '1') && limit >= PAGE_ITEMS.min && limit <= PAGE_ITEMS.max) return limit;
	const range = `from ${PAGE_ITEMS.min} to ${PAGE_ITEMS.max}`;
	faults.push({ parameter: 'limit', message: `expected a whole number ${range}, got: ${shown(given ?? '')}` });
	return PAGE_ITEMS.default;
}
