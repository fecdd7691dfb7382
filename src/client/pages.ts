/** Follows the pages of a listing by their cursors. */
import type { Http } from './http.ts';
import type { CallOptions } from './job.ts';

export interface PageOptions extends CallOptions {
	/** Maximum number of items in each response: 1–100. Default: 100. */
	readonly pageSize?: number;
	/** The `nextCursor` of a page of the same query, to continue after it. Default: start with the first page. */
	readonly cursor?: string;
}

interface Page {
	readonly nextCursor?: string;
}

/** What to ask, and how to read an answer. */
interface Listing<P extends Page> {
	readonly url: string;
	readonly query?: URLSearchParams;
	readonly parse: (answer: unknown) => P;
}

const DEFAULT_PAGE_SIZE = 100;

export async function* followPages<P extends Page>(
	http: Http,
	{ url, query = new URLSearchParams(), parse }: Listing<P>,
	options: PageOptions,
): AsyncGenerator<P, void> {
	const { pageSize = DEFAULT_PAGE_SIZE, signal = new AbortController().signal } = options;
	query.set('limit', String(pageSize));
	for (let { cursor } = options; ; ) {
		if (cursor !== undefined) query.set('cursor', cursor);
		const page = parse(await http.askJson({ url: `${url}?${query}`, signal }));
		yield page;
		cursor = page.nextCursor;
		if (cursor === undefined) return;
	}
}
