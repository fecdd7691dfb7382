/** The events of a job, from a cursor. */
import { statusDocument } from '../job/document.ts';
import { jobLinks } from '../job/links.ts';
import { type Exchange, jobIdOf, missing } from './exchange.ts';
import { linkBaseOf, PRIVATE } from './respond.ts';
import { invalid } from './submission-options.ts';

/** `GET /v1/jobs/{id}/events`: one page, as JSON. A job's history is bounded: one page holds it. */
export async function jobEvents(exchange: Exchange): Promise<Response> {
	const { jobs, principal, url } = exchange;
	const after = cursorOf(url) ?? 0;
	const id = jobIdOf(exchange);
	const page = await jobs.call(id, (job) => job.events(principal.tenant, after));
	if ('found' in page) throw missing(page, principal);
	const links = jobLinks(id, await linkBaseOf(exchange, page.view));
	const events = page.events.map((event) => ({ ...event, job: statusDocument(event.job, links) }));
	const headers = { ...PRIVATE, 'x-correlation-id': page.view.facts.correlationId };
	return Response.json({ events, lastSeq: page.view.facts.seq }, { headers });
}

/** Where a reader wants to go on: `?after=7`. @throws {Problem} `InvalidRequest` for what is no number. */
export function cursorOf(url: URL): number | undefined {
	const after = url.searchParams.get('after');
	if (after === null) return undefined;
	if (/^\d{1,15}$/.test(after)) return Number(after);
	const message = `expected the seq of an event, a whole number, got: ${after.slice(0, 40)}`;
	throw invalid('The cursor is not valid', [{ parameter: 'after', message }]);
}
