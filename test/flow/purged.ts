/** Purges jobs at the worst moment. */
import { onTestFinished, vi } from 'vitest';
import { JobObject } from '../../src/object/job-object.ts';

type Subject = JobObject & { readonly ctx: DurableObjectState };

interface PurgeOptions {
	/** Whether nobody is told the end: the readers' connections break just before it. */
	readonly isUntold?: boolean;
}

/** Until the test ends, every job is purged as soon as its work completes it, before anybody can read its result. */
export function purgeAtEnd({ isUntold = false }: PurgeOptions = {}): void {
	const { completeAttempt } = JobObject.prototype;
	const spy = vi.spyOn(JobObject.prototype, 'completeAttempt').mockImplementation(async function (
		this: JobObject,
		completion,
	) {
		if (isUntold) breakReaders(this as Subject);
		const report = await completeAttempt.call(this, completion);
		await this.purgeJob({ tenant: 'default' });
		return report;
	});
	onTestFinished(() => spy.mockRestore());
}

function breakReaders({ ctx }: Subject): void {
	for (const socket of [...ctx.getWebSockets('watcher'), ...ctx.getWebSockets('waiter')])
		socket.close(1012, 'the object restarts');
}
