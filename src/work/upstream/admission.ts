/**
 * Asks an upstream's gate for a slot before a job starts, so that a deferred job uses no attempt.
 *
 * Usually no gate is asked. It is asked for an upstream with a limit of concurrent requests. It is also informed of
 * failures; after one, it is asked before and informed after each request, until it reports that the upstream has
 * recovered.
 */
import { LEASE_GRACE_MS, MS_PER_SECOND } from '../../core/job/limits.ts';
import type { JobMessage } from '../../core/job/message.ts';
import type { Entry, Health } from '../../core/upstream/gate.ts';
import type { Upstream, Upstreams } from '../../core/upstream/settings.ts';
import { logError } from '../../log.ts';
import type { Gates } from '../../rpc/gates.ts';
import type { Jobs } from '../../rpc/jobs.ts';
import type { AttemptReport } from '../outcome.ts';

/** What this isolate knows about each upstream. Losing it costs one extra request to a failing upstream. */
interface Impression {
	/** The upstream failed, and has not been reported as healthy since. */
	isTroubled: boolean;
	/** A request succeeded since the last report to the gate. */
	hasWorked: boolean;
}
const impressions = new Map<string, Impression>();

function impressionOf(name: string): Impression {
	const impression = impressions.get(name) ?? { isTroubled: false, hasWorked: false };
	impressions.set(name, impression);
	return impression;
}

export interface AdmissionOptions {
	readonly upstreams: Upstreams;
	readonly gates: Gates;
	readonly jobs: Jobs;
}

/**
 * Makes the attempt, or defers the job.
 *
 * @param isRepeat whether the message was delivered before, which hints at a problem, perhaps at the upstream.
 */
export async function admit(
	{ upstreams, gates, jobs }: AdmissionOptions,
	{ id, epoch, upstream: hint }: JobMessage,
	isRepeat: boolean,
	attempt: () => Promise<AttemptReport>,
): Promise<AttemptReport> {
	const upstream = hint && upstreams.get(hint.name);
	if (!upstream) return attempt();
	const pass = crypto.randomUUID();
	const isAsked = isRepeat || hint.hasWaited || mustAsk(upstream);
	if (isAsked) {
		const leaseMs = hint.timeoutSeconds * MS_PER_SECOND + LEASE_GRACE_MS;
		const { name, concurrency } = upstream;
		const entry = await gates
			.of(name)
			.enter({ job: id, name, pass, leaseMs, ...(concurrency !== undefined && { concurrency }) });
		note(upstream, entry);
		if (!entry.admitted) {
			const { waitMs, message } = entry;
			const report = await jobs.callOnce(id, (job) => job.deferAttempt({ epoch, waitMs, message }));
			// The job may not start yet anyway: the attempt's report says when.
			return report.refusal === 'early' ? attempt() : report;
		}
	}
	let health: Health | undefined;
	try {
		const report = await attempt();
		health = report.health;
		return report;
	} finally {
		await leave(gates, upstream, { pass, job: id, health, isAsked });
	}
}

function mustAsk({ name, concurrency }: Upstream): boolean {
	return concurrency !== undefined || impressionOf(name).isTroubled;
}

function note({ name }: Upstream, entry: Entry): void {
	impressionOf(name).isTroubled = !entry.admitted || !entry.isCalm;
}

/** A finished request. */
interface Visit {
	readonly pass: string;
	readonly job: string;
	readonly health: Health | undefined;
	/** The gate granted a slot, and expects a report. */
	readonly isAsked: boolean;
}

/** Reports a request to the gate. A failure is harmless: a slot expires by itself. */
async function leave(gates: Gates, { name }: Upstream, { pass, job, health, isAsked }: Visit): Promise<void> {
	const impression = impressionOf(name);
	if (health?.isWell) impression.hasWorked = true;
	if (!isAsked && health?.isWell !== false) return;
	try {
		const { hasWorked: wellBefore } = impression;
		impression.hasWorked = false;
		const { isCalm } = await gates.reportExit(name, { pass, job, health, wellBefore });
		impression.isTroubled = !isCalm;
	} catch (error) {
		logError('upstream gate not informed', { upstream: name, error });
	}
}
