/** A batch as it was sent: every job of it read and found valid, or none. */
import { z } from 'zod';
import { MAX_BATCH_JOBS } from '../batch/limits.ts';
import type { WireOptions } from '../job/options.ts';
import { isJson, mediaTypeOf, refuseEncoded } from './body.ts';
import { type Draft, draftOf, unsupported } from './draft.ts';
import type { Exchange } from './exchange.ts';
import { faultsOf, inBody } from './faults.ts';
import { readJson } from './json-body.ts';
import { type Fault, MAX_FAULTS, Problem } from './problem.ts';
import { invalid, readOptions } from './submission-options.ts';

const jobsError = `expected a list of 1 to ${MAX_BATCH_JOBS} jobs`;

const Body = z.strictObject({ jobs: z.array(z.unknown(), jobsError).min(1, jobsError).max(MAX_BATCH_JOBS, jobsError) });

export interface BatchDraft {
	readonly drafts: readonly Draft[];
	/** Names the batch. Each job has its place in it as a key, unless it has one of its own. */
	readonly idempotencyKey?: string;
}

/**
 * Options in headers are those of every job.
 *
 * @throws {Problem} that of the first job that is not valid, with the faults of all.
 */
export async function batchDraftOf(exchange: Exchange): Promise<BatchDraft> {
	const { request, config } = exchange;
	refuseEncoded(request);
	if (!isJson(mediaTypeOf(request))) throw unsupported(request, ['application/json']);
	const { idempotencyKey } = readOptions(request);
	return readJson(request, { maxBytes: config.maxInputBytes }, async (body) => {
		const parsed = Body.safeParse(body);
		if (!parsed.success) throw invalid('The batch is not valid', faultsOf(parsed.error, inBody()));
		const drafts = await draftsOf(parsed.data.jobs, exchange, idempotencyKey);
		return { drafts, ...(idempotencyKey !== undefined && { idempotencyKey }) };
	});
}

async function draftsOf(bodies: readonly unknown[], exchange: Exchange, batchKey?: string): Promise<Draft[]> {
	const drafts: Draft[] = [];
	const problems: { readonly index: number; readonly problem: Problem }[] = [];
	for (const [index, body] of bodies.entries()) {
		const problem = await draftOf(body, exchange, (options) => withKey(options, batchKey, index)).then(
			(draft) => void drafts.push(draft),
			(error: unknown) => (error instanceof Problem ? error : Promise.reject(error)),
		);
		if (problem) problems.push({ index, problem });
		if (problems.length >= MAX_FAULTS) break;
	}
	const [first] = problems;
	if (!first) return drafts;
	const { index, problem } = first;
	throw new Problem(problem.code, `Nothing was accepted. Job ${index} of the batch: ${problem.message}`, {
		errors: problems.flatMap((one) => faultsIn(one.problem, `/jobs/${one.index}`)),
		headers: problem.headers,
	});
}

/** A job that has no key but the batch's is known by its place. */
function withKey(options: WireOptions, batchKey: string | undefined, index: number): WireOptions {
	if (batchKey === undefined || options.idempotencyKey !== batchKey) return options;
	return { ...options, idempotencyKey: `${batchKey}/${index}` };
}

function faultsIn({ errors, message }: Problem, place: string): Fault[] {
	if (!errors) return [{ pointer: place, message }];
	return errors.map((fault) => ('pointer' in fault ? { ...fault, pointer: `${place}${fault.pointer}` } : fault));
}
