/** Tells what a test's own requests do from what the jobs of other tests do meanwhile: all share an isolate. */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface OwnWork {
	/** Requests to the deployment's handler (`ask`) that are made in here are the test's own. */
	run<T>(work: () => T): T;
	/** Whether the caller works for such a request. */
	isCaller(): boolean;
}

export function createOwnWork(): OwnWork {
	const storage = new AsyncLocalStorage<true>();
	return { run: (work) => storage.run(true, work), isCaller: () => storage.getStore() === true };
}
