/** The parts of an attempt for direct tests of its steps: a job's object that records its calls, and a lease. */
import type { JobMessage } from '../../src/core/job/message.ts';
import type { Lease } from '../../src/core/job/object-api.ts';
import type { Jobs } from '../../src/rpc/jobs.ts';
import type { AttemptDependencies } from '../../src/work/attempt.ts';
import { createRegistry } from '../../src/work/registry.ts';
import type { AnyTask } from '../../src/work/task.ts';

export const MESSAGE: JobMessage = { v: 1, id: 'a'.repeat(64), epoch: 1 };

/** A call to the job's object. */
export interface Call {
	readonly method: string;
	readonly arg: unknown;
}

/** An object that answers each method with the given value, and every other method with an empty report. */
export function recordingJobs(answers: Readonly<Record<string, unknown>>) {
	const calls: Call[] = [];
	const object = new Proxy(
		{},
		{
			get: (_, method: string) => async (arg: unknown) => {
				calls.push({ method, arg });
				const answer = answers[method] ?? {};
				if (answer instanceof Error) throw answer;
				return answer;
			},
		},
	);
	const call = async (_: string, act: (job: unknown) => unknown) => act(object);
	// No socket opens.
	const connect = () => new Promise(() => {});
	const jobs = { call, callOnce: call, connect, repeatingUntil: () => jobs } as unknown as Jobs;
	return { jobs, calls, methods: () => calls.map(({ method }) => method) };
}

export function leaseFor(task: string, overrides: Partial<Lease> & { readonly timeoutSeconds?: number } = {}): Lease {
	const { timeoutSeconds = 60, ...rest } = overrides;
	const inline = new TextEncoder().encode('{}');
	return {
		fence: { epoch: 1, attempt: 1, createdAt: 1 },
		task,
		options: { correlationId: 'c', delaySeconds: 0, timeoutSeconds, maxAttempts: 4, retainSeconds: 60, tags: [] },
		parameters: {},
		input: { form: 'json', mediaType: 'application/json', sizeBytes: inline.byteLength, inline },
		leaseEndsAt: Date.now() + 60_000,
		...rest,
	};
}

export function dependenciesWith(
	jobs: Jobs,
	tasks: readonly AnyTask[] = [],
	overrides: Partial<AttemptDependencies> = {},
): AttemptDependencies {
	return {
		tasks: createRegistry(tasks),
		jobs,
		upstreams: new Map(),
		gates: undefined as never,
		actions: undefined as never,
		maxResultBytes: 1_000_000,
		allowPrivateTargets: false,
		sign: () => undefined,
		noteWait: () => {},
		...overrides,
	};
}
