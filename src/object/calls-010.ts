/**
 * The calls of version 0.1.0 whose arguments have a new form, and therefore a new name. Workers of that version make them
 * for some seconds of a deploy. A later release can delete this file, and let its objects extend `DurableObject`.
 */
import { DurableObject } from 'cloudflare:workers';
import type { StatusUpdates } from '../core/batch/batch.ts';
import type { BatchObjectApi, BatchReading } from '../core/batch/batch-api.ts';
import { defined } from '../core/defined.ts';
import type { ExternalWaitTerms, Failure, FollowTerms } from '../core/job/lifecycle.ts';
import type {
	Asking,
	Change,
	EventsReading,
	JobObjectApi,
	Reading,
	Report,
	RetryTerms,
	Start,
} from '../core/job/object-api.ts';
import type { Fence, Progress, StoredReply } from '../core/job/record.ts';
import type { Health } from '../core/upstream/gate.ts';
import type { GateApi } from '../core/upstream/gate-api.ts';

type Tenant = string | undefined;

export abstract class JobCalls010 extends DurableObject<object> {
	async read(this: JobObjectApi, tenant: Tenant, withOutcome = false, createdAt?: number): Promise<Reading> {
		return this.readJob({ tenant, createdAt }, { withOutcome });
	}

	async events(this: JobObjectApi, tenant: Tenant, after: number, createdAt?: number): Promise<EventsReading> {
		return this.readEvents({ tenant, createdAt }, { after });
	}

	async cancel(this: JobObjectApi, tenant: Tenant, createdAt?: number): Promise<Change> {
		return this.cancelJob({ tenant, createdAt });
	}

	async retry(this: JobObjectApi, tenant: string, terms?: RetryTerms): Promise<Change> {
		return this.retryJob({ tenant }, terms);
	}

	async purge(this: JobObjectApi, tenant: Tenant, createdAt?: number): Promise<Change> {
		return this.purgeJob({ tenant, createdAt });
	}

	async start(this: JobObjectApi, epoch: number, isShared = false, delivery?: string): Promise<Start> {
		return this.startAttempt(defined({ epoch, isShared, delivery }));
	}

	async defer(this: JobObjectApi, epoch: number, waitMs: number, message: string): Promise<Report> {
		return this.deferAttempt({ epoch, waitMs, message });
	}

	async progress(this: JobObjectApi, fence: Fence, progress: Progress, isExternal = false): Promise<Report> {
		return this.reportProgress({ fence, progress, isExternal });
	}

	async wait(this: JobObjectApi, fence: Fence, terms: ExternalWaitTerms, progress?: Progress): Promise<Report> {
		return this.waitForWorker(defined({ fence, terms, progress }));
	}

	async follow(this: JobObjectApi, fence: Fence, terms: FollowTerms, progress?: Progress): Promise<Report> {
		return this.followOperation(defined({ fence, ...terms, progress }));
	}

	async ask(
		this: JobObjectApi,
		...[epoch, attempt, asks, delivery]: [epoch: number, attempt: number, asks: number, delivery?: string]
	): Promise<Asking> {
		return this.startPoll(defined({ epoch, attempt, asks, delivery }));
	}

	async asked(
		this: JobObjectApi,
		...[fence, asks, terms, progress]: [
			fence: Fence,
			asks: number,
			terms: Omit<FollowTerms, 'timeoutSeconds'>,
			progress?: Progress,
		]
	): Promise<Report> {
		return this.continuePolling(defined({ fence, asks, ...terms, progress }));
	}

	async complete(this: JobObjectApi, fence: Fence, reply: StoredReply, progress?: Progress): Promise<Report> {
		return this.completeAttempt(defined({ fence, reply, progress }));
	}

	async fail(
		this: JobObjectApi,
		...[fence, failure, retryAfterSeconds = 0, isExternal = false]: [
			fence: Fence,
			failure: Failure,
			retryAfterSeconds?: number,
			isExternal?: boolean,
		]
	): Promise<Report> {
		return this.failAttempt({ fence, failure, retryAfterSeconds, isExternal });
	}
}

export abstract class BatchCalls010 extends DurableObject<object> {
	async isFor(this: BatchObjectApi, tenant: string, fingerprint: string): Promise<boolean> {
		return this.prepare({ tenant, fingerprint });
	}

	async look(this: BatchObjectApi, tenant: Tenant, createdAt?: number): Promise<BatchReading> {
		return this.readBatch({ tenant, createdAt });
	}

	async note(this: BatchObjectApi, findings: StatusUpdates, countedAt: number, round: number): Promise<BatchReading> {
		return this.recordStatuses({ findings, countedAt, round });
	}
}

export abstract class GateCalls010 extends DurableObject<object> {
	async leave(
		this: GateApi,
		...[pass, health, wellBefore, job]: [pass: string, health: Health | undefined, wellBefore: boolean, job?: string]
	): Promise<{ isCalm: boolean }> {
		return this.reportExit({ pass, health, wellBefore, job });
	}
}
