import { type A2aTask, type Artifact, a2aTask, resultArtifact } from '../../core/a2a/task.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import { toolResult } from '../mcp/result.ts';
import type { RequestContext } from '../request-context.ts';

/** @param job read with its outcome. */
export async function wholeTask(context: RequestContext, job: FoundJob): Promise<A2aTask> {
	context.correlation.adopt(job.view.facts.correlationId);
	return a2aTask(job.view.facts, await artifactFor(context, job));
}

/** `undefined` for a job without a result. What failed without one says why in its status. */
export async function artifactFor(context: RequestContext, job: FoundJob): Promise<Artifact | undefined> {
	return job.outcome?.kind === 'reply' ? resultArtifact(await toolResult(context, job)) : undefined;
}
