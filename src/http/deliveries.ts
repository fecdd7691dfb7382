/** Sends an event of a job to its webhook again, for an operator whose receiver lost it. */
import * as z from 'zod';
import { isJson } from '../core/http/media-type.ts';
import { MAX_REPORT_BYTES } from '../core/job/limits.ts';
import type { Change } from '../core/job/object-api.ts';
import { once } from '../core/once.ts';
import { readerOf } from './access/auth.ts';
import { refuseEncoded, requestMediaType } from './body.ts';
import { inBody, zodFaults } from './faults.ts';
import { documentResponse } from './job-response.ts';
import { readJson } from './json-body.ts';
import { Problem } from './problem.ts';
import { missing, type RequestContext, readJobId } from './request-context.ts';
import { unsupported } from './submit/draft.ts';
import { invalidRequest } from './submit/options.ts';

export const AgainRequest = once(() => z.strictObject({ seq: z.int().positive() }, 'expected { "seq" }'));

/** `POST /v1/jobs/{id}/webhook/deliveries`: 202, with the delivery in the document. */
export async function sendEventAgain(context: RequestContext): Promise<Response> {
	const { jobs, principal } = context;
	const id = readJobId(context);
	const { seq } = await readAgainRequest(context);
	const change = await jobs.call<Change>(id, (job) => job.sendEventAgain(readerOf(principal), { seq }));
	if (change.found !== 'job') throw missing(change, principal);
	const { refusal, view } = change;
	// A try is due already.
	if (refusal !== undefined && refusal !== 'settled') throw notSentAgain(refusal, seq);
	return documentResponse(context, view, { status: 202, headers: ({ links }) => ({ location: links.self }) });
}

async function readAgainRequest({ request }: RequestContext): Promise<{ readonly seq: number }> {
	refuseEncoded(request);
	if (!isJson(requestMediaType(request))) throw unsupported(request, ['application/json']);
	return readJson(request, { maxBytes: MAX_REPORT_BYTES }, async (body) => {
		const parsed = AgainRequest().safeParse(body);
		if (!parsed.success) throw invalidRequest('The request is not valid', zodFaults(parsed.error, inBody()));
		return parsed.data;
	});
}

function notSentAgain(refusal: NonNullable<Extract<Change, { found: 'job' }>['refusal']>, seq: number): Problem {
	switch (refusal) {
		case 'no-webhook':
			return new Problem('NotFound', 'The job has no webhook: nothing was sent');
		case 'busy':
			return new Problem('Overloaded', 'Too many deliveries of the job are pending: wait until some have ended');
		case 'gone':
			return new Problem('JobExpired', 'The retention time of the job has ended: its events are not sent again');
		default:
			return new Problem(
				'NotFound',
				`The webhook gets no event with the number ${seq}: expected the seq of one of the job's events that it subscribed to, other than progress`,
			);
	}
}
