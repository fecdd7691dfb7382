/** Puts other stubs in the place of those of the jobs' objects. */
import { env } from 'cloudflare:workers';
import { onTestFinished, vi } from 'vitest';

interface Replacement {
	readonly ms: number;
	/** Extends the time: a machine that stands still must not end it before anything was called. Default: the time is enough. */
	readonly isTooEarly?: () => boolean;
}

/** For `ms` milliseconds, callers get the stub that `instead` returns for an object's id. Errors are not logged meanwhile. */
export function replaceStubs(
	{ ms, isTooEarly = () => false }: Replacement,
	instead: (id: DurableObjectId) => DurableObjectStub,
): void {
	const namespace = Object.getPrototypeOf(env.JOBS) as DurableObjectNamespace;
	const backAt = performance.now() + ms;
	const { get } = namespace;
	const spy = vi.spyOn(namespace, 'get').mockImplementation(function (this: DurableObjectNamespace, ...args) {
		return performance.now() < backAt || isTooEarly() ? instead(args[0]) : get.apply(this, args);
	} as typeof get);
	const log = vi.spyOn(console, 'error').mockImplementation(() => {});
	onTestFinished(() => {
		spy.mockRestore();
		log.mockRestore();
	});
}
