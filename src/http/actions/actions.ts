/** Bulk actions: cancel, retry or purge all jobs that match a filter. An action is a job of the service's own. */
import { ACTION_START_SECONDS, MAX_ACTION_BYTES } from '../../core/action/limits.ts';
import { type ActionParameters, ActionRequest } from '../../core/action/request.ts';
import { defined } from '../../core/defined.ts';
import { isJson } from '../../core/http/media-type.ts';
import type { Submission } from '../../core/job/lifecycle.ts';
import { OPTION_LIMITS } from '../../core/job/limits.ts';
import type { Acceptance, Change, JobView, Reading } from '../../core/job/object-api.ts';
import { ACTION_TASK } from '../../core/job/system-task.ts';
import { sendJob } from '../../queue/send.ts';
import { callerName, readerOf, tenantOf } from '../access/auth.ts';
import { refuseEncoded, requestMediaType } from '../body.ts';
import { inBody, zodFaults } from '../faults.ts';
import { readJson } from '../json-body.ts';
import { Problem } from '../problem.ts';
import { linkOrigin, missing, type RequestContext } from '../request-context.ts';
import { refuseWhenFull } from '../submit/capacity.ts';
import { unsupported } from '../submit/draft.ts';
import { jsonDigest } from '../submit/fingerprint.ts';
import { invalidRequest } from '../submit/options.ts';
import { messageFor } from '../submit/submit.ts';
import { releaseActionPlace, reserveActionPlace } from './places.ts';
import { acceptedActionResponse, actionResponse } from './response.ts';

/** An action works for seconds at a time, so it shares its lane with long jobs. */
const ACTION_LANE = 'long';

/** `POST /v1/actions`. A request that equals one whose action is unfinished gets that action. */
export async function createAction(context: RequestContext): Promise<Response> {
	const { jobs, lanes, lists, waitUntil } = context;
	const request = await readActionRequest(context);
	const tenant = tenantOf(context.principal);
	if (!lists.areOn) throw new Problem('NotFound', 'The list of jobs is off in this deployment: bulk actions need it');
	refuseWhenFull(context, ACTION_LANE);
	const { total } = await lists.call(tenant, (list) => list.countJobs(request.filter));
	const digest = jsonDigest(request);
	const id = jobs.idForKey(tenant, ACTION_TASK, digest);
	const place = await reserveActionPlace(context, id);
	const parameters: ActionParameters = { ...request, matched: total };
	const submission = actionSubmission(context, { digest, parameters, reservation: place.reservation });
	const acceptance = await jobs.call<Acceptance>(id, (job) => job.accept(submission, place.terms));
	if (!acceptance.accepted || acceptance.isReplay) await releaseActionPlace(context, place);
	if (!acceptance.accepted) throw place.noRoom ?? new Problem('Overloaded', 'The request took too long: try again');
	const { view, isReplay } = acceptance;
	if (!isReplay) waitUntil(sendJob(lanes, view.lane, { message: messageFor(view) }));
	return acceptedActionResponse(context, view, isReplay);
}

/** `GET /v1/actions/{id}`. */
export async function actionStatus(context: RequestContext): Promise<Response> {
	return actionResponse(context, await readAction(context));
}

/** `DELETE /v1/actions/{id}`: 202 while a portion of the action still has to stop, 200 when the action is over. */
export async function stopAction(context: RequestContext): Promise<Response> {
	const { jobs, principal } = context;
	const { facts } = await readAction(context);
	const change = await jobs.call<Change>(facts.id, (job) => job.cancelJob(readerOf(principal)));
	if (change.found !== 'job') throw missingAction(change, context);
	return actionResponse(context, change.view, change.view.facts.status === 'running' ? 202 : 200);
}

async function readActionRequest({ request }: RequestContext): Promise<ActionRequest> {
	refuseEncoded(request);
	if (!isJson(requestMediaType(request))) throw unsupported(request, ['application/json']);
	return readJson(request, { maxBytes: MAX_ACTION_BYTES }, async (body) => {
		const parsed = ActionRequest.safeParse(body);
		if (!parsed.success) throw invalidRequest('The action is not valid', zodFaults(parsed.error, inBody()));
		return parsed.data;
	});
}

interface ActionDraft {
	readonly digest: string;
	readonly parameters: ActionParameters;
	readonly reservation: string | undefined;
}

function actionSubmission(context: RequestContext, { digest, parameters, reservation }: ActionDraft): Submission {
	return defined({
		submission: crypto.randomUUID(),
		tenant: tenantOf(context.principal),
		task: ACTION_TASK,
		lane: ACTION_LANE,
		fingerprint: digest,
		requestFingerprint: digest,
		options: {
			correlationId: context.correlation.correlationId,
			delaySeconds: 0,
			timeoutSeconds: ACTION_START_SECONDS,
			maxAttempts: OPTION_LIMITS.maxAttempts.default,
			retainSeconds: OPTION_LIMITS.retainSeconds.default,
			tags: [],
		},
		parameters,
		requestedBy: callerName(context.principal),
		origin: linkOrigin(context),
		reservation,
		sent: true,
	});
}

/** @throws {Problem} for an id that belongs to no action of the reader. */
async function readAction(context: RequestContext): Promise<JobView> {
	const { jobs, params, principal } = context;
	const { id = '' } = params;
	if (!jobs.isId(id)) throw actionNotFound();
	const reading = await jobs.call<Reading>(id, (job) => job.readJob(readerOf(principal)));
	if (reading.found !== 'job') throw missingAction(reading, context);
	if (reading.view.facts.task !== ACTION_TASK) throw actionNotFound();
	return reading.view;
}

function missingAction(reading: Exclude<Change, { found: 'job' }>, { principal }: RequestContext): Problem {
	const problem = missing(reading, principal);
	return problem.code === 'JobNotFound' ? actionNotFound() : problem;
}

function actionNotFound(): Problem {
	return new Problem('ActionNotFound', 'No action has this id: it never existed, or has expired');
}
