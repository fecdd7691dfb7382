/** Polling: the job's `Location`, and its `Operation-Location`. */
import type { StatusDocument } from '../job/document.ts';
import { StatusFlags } from '../job/options.ts';
import { type Exchange, jobIdOf, missing } from './exchange.ts';
import { faultsOf, inQuery } from './faults.ts';
import { documentResponse } from './respond.ts';
import { outcomeResponse } from './result.ts';
import { invalid } from './submission-options.ts';

/** `GET /v1/operations/{id}`: always 200 with the document, for clients that read the status and not the code. */
export async function operationStatus(exchange: Exchange): Promise<Response> {
	const { jobs, principal } = exchange;
	const reading = await jobs.call(jobIdOf(exchange), (job) => job.read(principal.tenant));
	if (reading.found !== 'job') throw missing(reading, principal);
	return documentResponse(exchange, reading.view);
}

/** `GET /v1/jobs/{id}`: leads to the result. The flags in its query change how, for clients that want another dialect. */
export async function jobStatus(exchange: Exchange): Promise<Response> {
	const { jobs, principal } = exchange;
	const { onPending, onComplete, onFailed } = flagsOf(exchange.url);
	const withOutcome = onComplete === 'inline' || onFailed === 'error';
	const reading = await jobs.call(jobIdOf(exchange), (job) => job.read(principal.tenant, withOutcome));
	if (reading.found !== 'job') throw missing(reading, principal);
	const { view } = reading;
	switch (view.facts.status) {
		case 'succeeded':
			if (onComplete === 'inline') return outcomeResponse(exchange, reading);
			if (onComplete === 'status') return documentResponse(exchange, view);
			return documentResponse(exchange, view, 303, ({ links }) => ({ location: links.result }));
		case 'failed':
		case 'canceled':
			return onFailed === 'error' ? outcomeResponse(exchange, reading) : documentResponse(exchange, view);
		default:
			return onPending === 'accepted'
				? documentResponse(exchange, view, 202, locationOf)
				: documentResponse(exchange, view);
	}
}

/** A 202 says where to ask next, also when it is the same place. */
function locationOf({ links }: StatusDocument): Record<string, string> {
	return { location: links.self };
}

function flagsOf(url: URL): StatusFlags {
	const parsed = StatusFlags.safeParse(Object.fromEntries(url.searchParams));
	if (!parsed.success) throw invalid('The flags are not valid', faultsOf(parsed.error, inQuery));
	return parsed.data;
}
