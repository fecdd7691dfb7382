/** One attempt at a job. It flows whole through the steps of `make-attempt.ts`, and through what they call. */
import type { Lease } from '../core/job/object-api.ts';
import type { Progress } from '../core/job/record.ts';
import type { Upstreams } from '../core/upstream/settings.ts';
import type { Gates } from '../rpc/gates.ts';
import type { Jobs } from '../rpc/jobs.ts';
import type { ActionDependencies } from './action/dependencies.ts';
import type { Outcome } from './outcome.ts';
import type { TaskRegistry } from './registry.ts';
import type { SignAttemptToken } from './waiting.ts';

/** The dependencies of all attempts of a consumer. */
export interface AttemptDependencies {
	readonly tasks: TaskRegistry;
	readonly jobs: Jobs;
	readonly upstreams: Upstreams;
	readonly gates: Gates;
	readonly actions: ActionDependencies;
	readonly maxResultBytes: number;
	readonly allowPrivateTargets: boolean;
	readonly sign: SignAttemptToken;
	/** Called when an attempt starts, with the time that its job waited in the queue. */
	readonly noteWait: (waitedMs: number) => void;
}

export interface Attempt {
	readonly dependencies: AttemptDependencies;
	/** The job's id. */
	readonly id: string;
	readonly lease: Lease;
	/** Whether the list knows of the job; while it is being told, a promise. */
	readonly isListed: boolean | Promise<boolean>;
	/** Repeats failed calls to the job's object for as long as the attempt may report. */
	readonly jobs: Jobs;
	/** Aborts when the attempt is stopped. */
	readonly signal: AbortSignal;
	/** Takes the attempt's progress. */
	readonly link: { readonly report: (progress: Progress) => void };
}

/** What an attempt does, and what its timeout means. Chosen once, when the attempt starts. */
export interface Runner {
	/** Does the work, and stores a result. @throws any error of the work. */
	run(attempt: Attempt): Promise<Outcome>;
	/** Returns the outcome of an attempt that did not finish in time. */
	settleTimeout(attempt: Attempt): Outcome;
}
