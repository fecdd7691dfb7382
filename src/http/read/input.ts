/** A job's input, for operators: the bytes that its task or its upstream gets. */
import type { InputReading } from '../../core/job/object-api.ts';
import { download } from '../../rpc/download.ts';
import { readerOf } from '../access/auth.ts';
import { PRIVATE } from '../job-response.ts';
import { Problem } from '../problem.ts';
import { missing, type RequestContext, readJobId } from '../request-context.ts';
import { UNTRUSTED } from './result.ts';

/** `GET /v1/jobs/{id}/input`. */
export async function jobInput(context: RequestContext): Promise<Response> {
	const { jobs, principal, request, correlation } = context;
	const id = readJobId(context);
	const reading = await jobs.call<InputReading>(id, (job) => job.readInput(readerOf(principal)));
	if (reading.found !== 'job') throw missing(reading, principal);
	const { input, view } = reading;
	if (!input) throw noInput(view.facts.status);
	const headers = {
		...PRIVATE,
		...UNTRUSTED,
		'cross-origin-resource-policy': 'same-origin',
		'content-disposition': 'attachment',
		'content-type': input.mediaType,
		'content-length': String(input.sizeBytes),
		'x-correlation-id': correlation.adopt(view.facts.correlationId),
	};
	if (request.method === 'HEAD') return new Response(null, { headers });
	const { readable, writable } = new FixedLengthStream(input.sizeBytes);
	download(jobs, id, input)
		.pipeTo(writable)
		.catch(() => {
			// The reader disconnected, or the job succeeded meanwhile: the reader sees an incomplete body.
		});
	return new Response(readable, { headers });
}

function noInput(status: string): Problem {
	const detail =
		status === 'succeeded'
			? 'The job succeeded, so its input was deleted: an input is kept only while its job can run again'
			: 'The job was submitted without an input';
	return new Problem('NotFound', detail);
}
