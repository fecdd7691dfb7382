/** A batch as it was sent: every job of it read and found valid, or none. */

import { z } from 'zod';
import { JOBS_A_REQUEST, MAX_BATCH_JOBS } from '../batch/limits.ts';
import { tenantOf } from './auth.ts';
import { isJson, mediaTypeOf, refuseEncoded } from './body.ts';
import { type Draft, draftOf, unsupported } from './draft.ts';
import { type Exchange, originOf } from './exchange.ts';
import { faultsOf, inBody } from './faults.ts';
import { jsonDigest } from './fingerprint.ts';
import { readJson } from './json-body.ts';
import { type Fault, MAX_FAULTS, Problem } from './problem.ts';
import { windowOf } from './rate-limit.ts';
import { invalid, readOptions, webhookOf } from './submission-options.ts';

const KEY_HEADER = 'idempotency-key';

const jobsError = `expected a list of 1 to ${MAX_BATCH_JOBS} jobs`;

const Body = z.strictObject({ jobs: z.array(z.unknown(), jobsError).min(1, jobsError).max(MAX_BATCH_JOBS, jobsError) });

export interface BatchDraft {
	readonly drafts: readonly Draft[];
	/** What the batch is known by, if it is, and what that stands for. */
	readonly key?: { readonly text: string; readonly fingerprint: string };
}

/**
 * Options in headers are those of every job, but for the key, which is the batch's.
 *
 * @throws {Problem} that of the first job that is not valid, with the faults of all.
 */
export async function batchDraftOf(exchange: Exchange): Promise<BatchDraft> {
	const { request, config } = exchange;
	refuseEncoded(request);
	if (!isJson(mediaTypeOf(request))) throw unsupported(request, ['application/json']);
	const { idempotencyKey: key } = readOptions(request.headers);
	const headers = new Headers(request.headers);
	headers.delete(KEY_HEADER);
	return readJson(request, { maxBytes: config.maxInputBytes }, async (body) => {
		const parsed = Body.safeParse(body);
		if (!parsed.success) throw invalid('The batch is not valid', faultsOf(parsed.error, inBody()));
		const { jobs } = parsed.data;
		refuseMoreThanAWindow(exchange, jobs.length);
		const drafts = await draftsOf(jobs, exchange, headers, key !== undefined);
		return { drafts, ...(key !== undefined && { key: { text: key, fingerprint: fingerprintOf(drafts) } }) };
	});
}

/** What the rate limit would never let through is not to be tried again and again. */
function refuseMoreThanAWindow(exchange: Exchange, jobs: number): void {
	const most = Math.max(1, Math.floor((windowOf(exchange) * JOBS_A_REQUEST) / 2));
	if (jobs <= most) return;
	const message = `expected at most ${most} jobs: more would be over the rate limit by themselves`;
	throw invalid('The batch is not valid', [{ pointer: '/jobs', message }]);
}

async function draftsOf(
	bodies: readonly unknown[],
	exchange: Exchange,
	headers: Headers,
	isKeyed: boolean,
): Promise<Draft[]> {
	const drafts: Draft[] = [];
	const problems: (readonly [index: number, problem: Problem])[] = [];
	const keys = new Set<string>();
	for (const [index, body] of bodies.entries()) {
		try {
			const draft = await draftOf(body, exchange, { headers, isKeyed });
			refuseBadWebhook(exchange, draft);
			refuseTwice(draft, keys);
			drafts.push(draft);
		} catch (error) {
			if (!(error instanceof Problem)) throw error;
			problems.push([index, error]);
			if (problems.length >= MAX_FAULTS) break;
		}
	}
	const [first] = problems;
	if (!first) return drafts;
	const [index, problem] = first;
	throw new Problem(problem.code, `Nothing was accepted. Job ${index} of the batch: ${problem.message}`, {
		errors: problems.flatMap(([place, one]) => faultsIn(one, `/jobs/${place}`)),
		headers: problem.headers,
	});
}

function refuseBadWebhook(exchange: Exchange, { options }: Draft): void {
	webhookOf(options, tenantOf(exchange.principal), exchange.config, originOf(exchange));
}

/** One key is one job: two places would be one, or one of them would be refused when the other was accepted. */
function refuseTwice({ task, options: { idempotencyKey } }: Draft, keys: Set<string>): void {
	if (idempotencyKey === undefined) return;
	const name = JSON.stringify([task.name, idempotencyKey]);
	if (keys.has(name))
		throw invalid('The options are not valid', [
			{ pointer: '/options/idempotencyKey', message: 'is that of another job of this batch' },
		]);
	keys.add(name);
}

function faultsIn({ errors, message }: Problem, place: string): Fault[] {
	if (!errors) return [{ pointer: place, message }];
	return errors.map((fault) => ('pointer' in fault ? { ...fault, pointer: `${place}${fault.pointer}` } : fault));
}

/** What serves only tracing doesn't count, as for a job. */
function fingerprintOf(drafts: readonly Draft[]): string {
	return jsonDigest(
		drafts.map(({ task, parameters, options: { correlationId: _, ...options }, input }) => ({
			task: task.name,
			parameters,
			options,
			input: input.digest(),
		})),
	);
}
