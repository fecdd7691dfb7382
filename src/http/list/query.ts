/** Reads the query of a request for the list: filter, page and look-up. */
import { defined } from '../../core/defined.ts';
import { parseListCursor } from '../../core/list/cursor.ts';
import type { JobFilter, ListQuery } from '../../core/list/list-api.ts';
import { jobFilter, WireFilter } from '../../core/list/wire-filter.ts';
import { once } from '../../core/once.ts';
import { inQuery, zodFaults } from '../faults.ts';
import { readPageLimit } from '../page-query.ts';
import { type Fault, shown } from '../problem.ts';
import { invalidRequest } from '../submit/options.ts';

/** Finds jobs without the list: they are asked themselves. */
export type Lookup = Pick<WireFilter, 'id' | 'idempotencyKey'>;

export interface CountQuery {
	readonly filter: JobFilter;
	/** `undefined` when the list is asked. */
	readonly lookup: Lookup | undefined;
}

const filterNames = once(() => Object.keys(WireFilter().shape));
/** The only parameter that may repeat. */
const REPEATABLE = 'tag';

/** @throws {Problem} `InvalidRequest`, with each parameter that is wrong and what was expected. */
export function readCountQuery({ searchParams }: URL): CountQuery {
	const { wire, faults } = readFilter(searchParams, filterNames());
	return checked({ filter: jobFilter(wire), lookup: lookupIn(wire) }, faults);
}

/** @throws {Problem} as {@link readCountQuery}. */
export function readListQuery({ searchParams }: URL): CountQuery & ListQuery {
	const { wire, faults } = readFilter(searchParams, [...filterNames(), 'limit', 'cursor']);
	const filter = jobFilter(wire);
	const lookup = lookupIn(wire);
	const cursor = searchParams.get('cursor') ?? undefined;
	const limit = readPageLimit(searchParams, faults);
	const message = cursor !== undefined && faults.length === 0 ? cursorFault(cursor, filter, lookup) : undefined;
	if (message !== undefined) faults.push({ parameter: 'cursor', message });
	return checked(defined({ filter, lookup, limit, cursor }) as CountQuery & ListQuery, faults);
}

function readFilter(query: URLSearchParams, known: readonly string[]): { wire: WireFilter; faults: Fault[] } {
	const names = [...new Set(query.keys())];
	const unknown = names.filter((name) => !known.includes(name));
	const repeated = names.filter((name) => name !== REPEATABLE && known.includes(name) && query.getAll(name).length > 1);
	const faults: Fault[] = [
		...unknown.map((parameter) => ({ parameter, message: `expected one of ${known.join(', ')}` })),
		...repeated.map((parameter) => ({ parameter, message: 'expected one value, got several' })),
	];
	const given = filterNames()
		.filter((name) => query.has(name))
		.map((name) => [name, valueFor(query, name)]);
	const parsed = WireFilter().safeParse(Object.fromEntries(given));
	if (!parsed.success) faults.push(...zodFaults(parsed.error, inQuery));
	return { wire: parsed.data ?? {}, faults };
}

function valueFor(query: URLSearchParams, name: string): string | string[] | null {
	return name === REPEATABLE ? query.getAll(name) : query.get(name);
}

function lookupIn({ id, idempotencyKey }: WireFilter): Lookup | undefined {
	return id === undefined && idempotencyKey === undefined ? undefined : defined({ id, idempotencyKey });
}

function cursorFault(cursor: string, filter: JobFilter, lookup: Lookup | undefined): string | undefined {
	if (lookup) return 'expected no cursor with id or idempotencyKey: their answer is one page';
	const position = parseListCursor(cursor, filter);
	if (position === 'malformed') return `expected the nextCursor of an earlier page, got: ${shown(cursor)}`;
	if (position === 'other filter') return 'expected a cursor of the same filter: begin again without a cursor';
	return undefined;
}

function checked<Query>(query: Query, faults: readonly Fault[]): Query {
	if (faults.length > 0) throw invalidRequest('The query is not valid', faults);
	return query;
}
