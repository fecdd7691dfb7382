/** Runs a task: finds it, reads its input, calls it, and stores its result. */
import type { Attempt, Runner } from './attempt.ts';
import { createContext } from './context.ts';
import { timeoutFailure } from './failure.ts';
import { parseParameters, readInput } from './input.ts';
import type { Outcome } from './outcome.ts';
import { storeReply } from './output.ts';
import type { RegisteredTask, TaskRegistry } from './registry.ts';
import { TaskError, WaitingForWorker } from './task.ts';

export const taskRunner: Runner = {
	run: runTask,
	settleTimeout: ({ lease }) => ({ type: 'failure', failure: timeoutFailure(lease.options.timeoutSeconds) }),
};

async function runTask(attempt: Attempt): Promise<Outcome> {
	const { dependencies, lease, signal } = attempt;
	const task = requireTask(dependencies.tasks, lease.task);
	const parameters = parseParameters(task, lease.parameters);
	const input = await readInput(task, attempt);
	// Reading may have waited for memory: don't start if the attempt was stopped meanwhile.
	signal.throwIfAborted();
	const result = await task.run(input, createContext(attempt, parameters));
	if (result instanceof WaitingForWorker) return { type: 'wait', terms: result.terms };
	return { type: 'reply', reply: await storeReply(attempt, result) };
}

function requireTask(tasks: TaskRegistry, name: string): RegisteredTask {
	const task = tasks.get(name);
	if (task) return task;
	throw new TaskError('UnknownTask', `Task "${name}" is not registered in this deployment`, { retryable: false });
}
