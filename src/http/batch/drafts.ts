/** Reads and validates a batch: either every job is valid, or the batch is rejected. */

import * as z from 'zod';
import { JOBS_A_REQUEST, MAX_BATCH_JOBS } from '../../core/batch/limits.ts';
import { isJson } from '../../core/http/media-type.ts';
import { once } from '../../core/once.ts';
import { tenantOf } from '../access/auth.ts';
import { requestsPerWindow } from '../access/rate-limit.ts';
import { refuseEncoded, requestMediaType } from '../body.ts';
import { inBody, zodFaults } from '../faults.ts';
import { readJson } from '../json-body.ts';
import { type Fault, MAX_FAULTS, Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { type Draft, type EnvelopeTerms, readDraft, unsupported } from '../submit/draft.ts';
import { jsonDigest } from '../submit/fingerprint.ts';
import { createWebhook, invalidRequest, readOptions } from '../submit/options.ts';

const KEY_HEADER = 'idempotency-key';

const jobsError = `expected a list of 1 to ${MAX_BATCH_JOBS} jobs`;

const Body = once(() =>
	z.strictObject({ jobs: z.array(z.unknown(), jobsError).min(1, jobsError).max(MAX_BATCH_JOBS, jobsError) }),
);

export interface BatchDraft {
	readonly drafts: readonly Draft[];
	/** The batch's idempotency key, if any, with the fingerprint of the request. */
	readonly key?: { readonly text: string; readonly fingerprint: string };
}

/**
 * Options in headers apply to every job, except the idempotency key, which belongs to the batch.
 *
 * @throws {Problem} the first invalid job's problem, with the faults of all jobs.
 */
export async function readBatchDraft(context: RequestContext): Promise<BatchDraft> {
	const { request, config } = context;
	refuseEncoded(request);
	if (!isJson(requestMediaType(request))) throw unsupported(request, ['application/json']);
	const { idempotencyKey: key } = readOptions(request.headers);
	const headers = new Headers(request.headers);
	headers.delete(KEY_HEADER);
	return readJson(request, { maxBytes: config.maxInputBytes }, async (body) => {
		const parsed = Body().safeParse(body);
		if (!parsed.success) throw invalidRequest('The batch is not valid', zodFaults(parsed.error, inBody()));
		const { jobs } = parsed.data;
		refuseMoreThanAWindow(context, jobs.length);
		const drafts = await readDrafts(jobs, context, { headers, isKeyed: key !== undefined });
		return key === undefined ? { drafts } : { drafts, key: { text: key, fingerprint: batchFingerprint(drafts) } };
	});
}

/** Rejects a batch that needs more than half of a rate limit window, because its retries could fail forever. */
function refuseMoreThanAWindow(context: RequestContext, jobs: number): void {
	const most = Math.max(1, Math.floor((requestsPerWindow(context) * JOBS_A_REQUEST) / 2));
	if (jobs <= most) return;
	const message = `expected at most ${most} jobs, because a larger batch exceeds the rate limit by itself, got: ${jobs}`;
	throw invalidRequest('The batch is not valid', [{ pointer: '/jobs', message }]);
}

async function readDrafts(bodies: readonly unknown[], context: RequestContext, terms: EnvelopeTerms): Promise<Draft[]> {
	const drafts: Draft[] = [];
	const problems: (readonly [index: number, problem: Problem])[] = [];
	const keys = new Set<string>();
	for (const [index, body] of bodies.entries()) {
		try {
			const draft = await readDraft(body, context, terms);
			refuseBadWebhook(context, draft);
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
	throw new Problem(problem.code, `No job was accepted. Job ${index} of the batch: ${problem.message}`, {
		errors: problems.flatMap(([at, one]) => faultsIn(one, `/jobs/${at}`)),
		headers: problem.headers,
	});
}

function refuseBadWebhook(context: RequestContext, { options }: Draft): void {
	createWebhook(options, tenantOf(context.principal), context);
}

/** A key identifies one job: of two jobs with the same key, the second would be a replay or a conflict. */
function refuseTwice({ task, options: { idempotencyKey } }: Draft, keys: Set<string>): void {
	if (idempotencyKey === undefined) return;
	const name = JSON.stringify([task.name, idempotencyKey]);
	if (keys.has(name))
		throw invalidRequest('The options are not valid', [
			{ pointer: '/options/idempotencyKey', message: 'expected a different key for each job of the batch' },
		]);
	keys.add(name);
}

function faultsIn({ errors, message }: Problem, pointer: string): Fault[] {
	if (!errors) return [{ pointer, message }];
	return errors.map((fault) => ('pointer' in fault ? { ...fault, pointer: `${pointer}${fault.pointer}` } : fault));
}

/** Excludes the correlation id, which serves only tracing, as for a job. */
function batchFingerprint(drafts: readonly Draft[]): string {
	return jsonDigest(
		drafts.map(({ task, parameters, options: { correlationId: _, ...options }, input }) => ({
			task: task.name,
			parameters,
			options,
			input: input.digest(),
		})),
	);
}
