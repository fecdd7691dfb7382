/** `POST /a2a/message:send` and `message:stream`: a message becomes a job. */
import { HELD_MESSAGE_SECONDS } from '../../core/a2a/limits.ts';
import type { StatusDocument } from '../../core/job/document.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import { logError } from '../../log.ts';
import { isTransientFailure } from '../../rpc/retry-transient.ts';
import { requireScope } from '../access/auth.ts';
import { withFaultsAt } from '../mcp/arguments.ts';
import { awaitJob, type Patience } from '../mcp/wait.ts';
import { Problem, shown } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { a2aJson, answerA2a } from './answer.ts';
import { type Order, readOrder } from './message.ts';
import { streamTask } from './stream.ts';
import { wholeTask } from './whole-task.ts';

export function takeMessage(context: RequestContext): Promise<Response> {
	return answerA2a(context, () => {
		const { operation = '' } = context.params;
		// The answer is the task, so both rights are needed before there is one.
		requireScope(context.principal, 'read');
		if (operation === 'message:send') return sendAndWait(context);
		if (operation === 'message:stream') return sendAndStream(context);
		throw new Problem('NotFound', `Expected message:send or message:stream, got: ${shown(operation)}`);
	});
}

async function sendAndWait(asked: RequestContext): Promise<Response> {
	const order = await readOrder(asked);
	const { context, submission } = order;
	const { id } = await startTask(order);
	const seconds = order.returnsAtOnce ? 0 : HELD_MESSAGE_SECONDS;
	const job = await awaitTask(context, id, { seconds, signal: submission.signal });
	return a2aJson({ task: await wholeTask(context, job) });
}

async function sendAndStream(asked: RequestContext): Promise<Response> {
	const order = await readOrder(asked);
	const { context, submission } = order;
	const { id } = await startTask(order);
	return streamTask(context, await awaitTask(context, id, { seconds: 0, signal: submission.signal }));
}

/** @throws {Problem} that names the task if it can't be read now. */
async function awaitTask(context: RequestContext, id: string, patience: Patience): Promise<FoundJob> {
	try {
		return await awaitJob(context, id, patience);
	} catch (error) {
		if (!isTransientFailure(error)) throw error;
		logError('task of a message not read', { job: id, error });
		throw new Problem('Overloaded', `Task ${id} was accepted, but can't be read now: get it later`);
	}
}

/** @throws {Problem} whose faults point at the parts of the message. */
function startTask({ context, starter, submission, locate }: Order): Promise<StatusDocument> {
	return withFaultsAt(locate, () => starter.submit(context, submission));
}
