/** `POST /a2a/message:send` and `message:stream`: a message becomes a job. */
import { HELD_MESSAGE_SECONDS } from '../../core/a2a/limits.ts';
import type { StatusDocument } from '../../core/job/document.ts';
import { requireScope } from '../access/auth.ts';
import { withFaultsAt } from '../mcp/arguments.ts';
import { awaitJob, unlessUnreachable } from '../mcp/wait.ts';
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
	return answerForTask(id, async () => {
		const job = await awaitJob(context, id, { seconds, signal: submission.signal });
		return a2aJson({ task: await wholeTask(context, job) });
	});
}

async function sendAndStream(asked: RequestContext): Promise<Response> {
	const order = await readOrder(asked);
	const { context, submission } = order;
	const { id } = await startTask(order);
	return answerForTask(id, async () =>
		streamTask(context, await awaitJob(context, id, { seconds: 0, signal: submission.signal })),
	);
}

/** @throws {Problem} that names the task if it can't be read now. */
async function answerForTask(id: string, answer: () => Promise<Response>): Promise<Response> {
	const response = await unlessUnreachable(id, answer);
	if (!response) throw new Problem('Overloaded', `Task ${id} was accepted, but can't be read now: get it later`);
	return response;
}

/** @throws {Problem} whose faults point at the parts of the message. */
function startTask({ context, starter, submission, locate }: Order): Promise<StatusDocument> {
	return withFaultsAt(locate, () => starter.submit(context, submission));
}
