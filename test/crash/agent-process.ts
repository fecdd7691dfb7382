/**
 * An agent in a process of its own.
 *
 *     node test/crash/agent-process.ts ORIGIN call NAME ARGUMENTS   prints the reference of the task, and waits until it is killed
 *     node test/crash/agent-process.ts ORIGIN resume REFERENCE      prints the result of the task
 */
import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';
import { openTaskSession } from '../interop/mcp/task-session.ts';

const [origin = '', verb, ...rest] = process.argv.slice(2);
const { session, close } = await openTaskSession(origin);

if (verb === 'call') {
	const [name = '', given = '{}'] = rest;
	const execution = await session.callTool(name, JSON.parse(given));
	if (execution.kind !== 'task') throw new Error(`Expected a task, got: ${JSON.stringify(await execution.result())}`);
	console.log(JSON.stringify(execution.serializeReference()));
	await execution.settle();
	throw new Error('The call ended before its process was killed');
}

const [reference = ''] = rest;
const execution = await session.resumeTask(JSON.parse(reference));
const { outcome } = await execution.settle();
console.log(JSON.stringify(resultFromTaskOutcome(outcome)));
await close();
