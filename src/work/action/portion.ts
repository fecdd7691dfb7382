/** Gives an action's command to the jobs of one portion. */
import pMap from 'p-map';
import {
	GIVE_WAY_MS,
	JOBS_AT_ONCE,
	MAX_FAILED_PORTIONS,
	PORTION_MS,
	REST_MS,
	TELL_MS,
} from '../../core/action/limits.ts';
import type { ActionParameters } from '../../core/action/request.ts';
import { type Verdict, verdictOnChange, walkProgress, withVerdicts } from '../../core/action/walk.ts';
import { MS_PER_SECOND } from '../../core/job/limits.ts';
import { jobMessage } from '../../core/job/message.ts';
import type { Change, Lease } from '../../core/job/object-api.ts';
import type { FollowState, Walk, WalkedJob } from '../../core/job/record.ts';
import { QUOTA_RETRY_SECONDS } from '../../core/quota/limits.ts';
import { logError } from '../../log.ts';
import { WEBHOOKS_LANE } from '../../queue/lanes.ts';
import { Outbox } from '../../queue/outbox.ts';
import { fullForMs, usualWaitMs } from '../../queue/pressure.ts';
import type { Jobs } from '../../rpc/jobs.ts';
import { rerunJob } from '../../rpc/rerun-job.ts';
import { retryTransient } from '../../rpc/retry-transient.ts';
import type { ActionDependencies } from './dependencies.ts';

/** An action, while a consumer works on a portion of it. */
export interface ActionAtWork {
	readonly dependencies: ActionDependencies;
	/** The id of the action's own job. */
	readonly id: string;
	readonly lease: Lease;
	readonly tenant: string;
	/** When the action was made, in milliseconds since the epoch. */
	readonly createdAt: number;
	readonly parameters: ActionParameters;
	readonly following: FollowState;
	readonly walk: Walk;
	/** For the jobs that the action changes. */
	readonly jobs: Jobs;
	/** For the action's own job: calls are repeated for as long as the portion may report. */
	readonly ownJobs: Jobs;
}

export interface PortionResult {
	/** The walk with the jobs of the portion counted. Its page has the jobs that are left. */
	readonly walk: Walk;
	/** Number of jobs that the portion called. */
	readonly calledJobs: number;
	/** Number of jobs that could not be called. */
	readonly failedCalls: number;
	/** How long to wait for room in a quota or a queue. 0: there is room. */
	readonly restMs: number;
	/** The action was stopped, or another consumer has it. */
	readonly isStopped: boolean;
}

export class Portion {
	readonly #action: ActionAtWork;
	readonly #outbox: Outbox;
	readonly #sent: Promise<unknown>[] = [];
	readonly #verdicts: Verdict[] = [];
	readonly #left: WalkedJob[] = [];
	readonly #begunAt = Date.now();
	#toldAt = this.#begunAt;
	/** No job is begun before its answer. */
	#telling: Promise<void> | undefined;
	#turns = 0;
	#calledJobs = 0;
	#failedCalls = 0;
	#restMs: number;
	#isStopped = false;

	constructor(action: ActionAtWork) {
		this.#action = action;
		this.#outbox = new Outbox(action.dependencies.lanes, (sent) => this.#sent.push(sent));
		this.#restMs = action.parameters.action === 'retry' ? lanesFullForMs(action.dependencies) : 0;
	}

	async run(): Promise<PortionResult> {
		await pMap(this.#action.walk.page, (job) => this.#workOn(job), { concurrency: JOBS_AT_ONCE });
		this.#outbox.sendAll();
		await Promise.all(this.#sent);
		return {
			walk: this.#walkNow(),
			calledJobs: this.#calledJobs,
			failedCalls: this.#failedCalls,
			restMs: this.#restMs,
			isStopped: this.#isStopped,
		};
	}

	async #workOn(job: WalkedJob): Promise<void> {
		await this.#turn();
		if (Date.now() - this.#toldAt >= TELL_MS) this.#telling = this.#tell();
		await this.#telling;
		const isLate = Date.now() - this.#begunAt >= PORTION_MS;
		const verdict = this.#isStopped || isLate || this.#restMs > 0 ? 'again' : await this.#commandOrFail(job);
		if (verdict === 'again') this.#left.push(job);
		else this.#verdicts.push(verdict);
	}

	/** Each job has a moment to begin, so that an action leaves room for other work. */
	async #turn(): Promise<void> {
		if (this.#isStopped || this.#restMs > 0) return;
		const beginsAt = this.#begunAt + (this.#turns * MS_PER_SECOND) / this.#action.dependencies.actionJobsPerSecond;
		this.#turns++;
		const waitMs = Math.min(beginsAt, this.#begunAt + PORTION_MS) - Date.now();
		if (waitMs > 0) await scheduler.wait(waitMs);
	}

	async #commandOrFail(job: WalkedJob): Promise<Verdict> {
		this.#calledJobs++;
		try {
			return await this.#command(job);
		} catch (error) {
			this.#failedCalls++;
			logError('job of an action unreachable', { action: this.#action.id, job: job[0], error });
			return this.#action.following.failures >= MAX_FAILED_PORTIONS ? 'unreachable' : 'again';
		}
	}

	/** Each command may be repeated: a job that has obeyed it recognises it, or has a newer epoch. */
	async #command([id, ifEpoch]: WalkedJob): Promise<Verdict> {
		const { dependencies, parameters, jobs, tenant, createdAt } = this.#action;
		const { action } = parameters;
		if (action !== 'retry') {
			const command = { type: action, ifEpoch } as const;
			return verdictOnChange(action, await jobs.call<Change>(id, (job) => job.obeyAction({ tenant }, command)));
		}
		const by = `${this.#action.id}/${createdAt}`;
		const reran = await rerunJob(
			{ ...dependencies, jobs },
			{
				id,
				tenant,
				// Called without telling the list: that happens before the job's message is sent.
				rerun: (terms) =>
					retryTransient(() =>
						jobs.callOnce<Change>(id, (job) => job.obeyAction({ tenant }, { ...terms, type: action, ifEpoch, by })),
					),
			},
		);
		if (reran.type === 'no room') {
			this.#restMs = QUOTA_RETRY_SECONDS.min * MS_PER_SECOND;
			return 'again';
		}
		this.#sendMessage(id, reran.change);
		return verdictOnChange(action, reran.change);
	}

	/** Sends a retried job's message; again if the portion is repeated, because its first consumer may have died before. */
	#sendMessage(id: string, change: Change): void {
		if (change.found !== 'job' || (change.refusal !== undefined && change.refusal !== 'settled')) return;
		const { lane, epoch, upstream, facts } = change.view;
		if (facts.status !== 'pending') return;
		const { teller } = this.#action.dependencies;
		const listing = teller && change.news && { news: change.news, teller };
		this.#outbox.add(lane, { message: jobMessage(id, epoch, upstream), listing });
		// Other clients' jobs stand in the same queues.
		if (usualWaitMs(lane, Date.now()) > GIVE_WAY_MS) this.#restMs = REST_MS;
	}

	/** Reports progress, and learns whether the action was stopped. */
	async #tell(): Promise<void> {
		this.#toldAt = Date.now();
		const { id, ownJobs, lease, parameters } = this.#action;
		const progress = walkProgress(this.#walkNow(), parameters.matched, false);
		try {
			const report = await ownJobs.callOnce(id, (job) => job.reportProgress({ fence: lease.fence, progress }));
			if (report.refusal !== undefined) this.#isStopped = true;
		} catch (error) {
			logError('progress not reported', { job: id, error });
		}
	}

	#walkNow(): Walk {
		return withVerdicts(this.#action.walk, this.#verdicts, this.#left);
	}
}

/** A retried job may go to any lane of jobs. */
function lanesFullForMs({ lanes, maxBacklog }: ActionDependencies): number {
	const ofJobs = [...lanes.keys()].filter((lane) => lane !== WEBHOOKS_LANE);
	return Math.max(0, ...ofJobs.map((lane) => fullForMs({ lanes, lane, maxBacklog }, Date.now())));
}
