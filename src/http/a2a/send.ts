/** `POST /a2a/message:send` and `message:stream`: a message becomes a job. */
import { HELD_MESSAGE_SECONDS } from '../../core/a2a/limits.ts';
import { requireScope } from '../access/auth.ts';
import { awaitJob } from '../mcp/wait.ts';
import { Problem, shown } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { a2aJson, answerA2a } from './answer.ts';
import { readOrder } from './message.ts';
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
	const { context, starter, submission, returnsAtOnce } = await readOrder(asked);
	const { id } = await starter.submit(context, submission);
	const seconds = returnsAtOnce ? 0 : HELD_MESSAGE_SECONDS;
	const job = await awaitJob(context, id, { seconds, signal: submission.signal });
	return a2aJson({ task: await wholeTask(context, job) });
}

async function sendAndStream(asked: RequestContext): Promise<Response> {
	const { context, starter, submission } = await readOrder(asked);
	const { id } = await starter.submit(context, submission);
	return streamTask(context, await awaitJob(context, id, { seconds: 0, signal: submission.signal }));
}
