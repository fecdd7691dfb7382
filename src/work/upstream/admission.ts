/**
 * Whose turn it is: asked before a job of an upstream is started, so that one that has to wait uses no attempt.
 *
 * The ordinary way asks nobody. The gate is asked where an upstream takes only so many requests at once; and it is told of
 * failures, after which it is asked and told until it says that all is well.
 */
import { LEASE_GRACE_MS, MS_PER_SECOND } from '../../job/limits.ts';
import type { JobMessage } from '../../job/message.ts';
import { logError } from '../../log.ts';
import type { Gates } from '../../rpc/gates.ts';
import type { Jobs } from '../../rpc/jobs.ts';
import type { Entry, Health } from '../../upstream/gate.ts';
import type { Upstream, Upstreams } from '../../upstream/settings.ts';
import type { AttemptReport } from '../outcome.ts';

/** What this isolate knows of each upstream. Forgetting it costs a request too many, to an upstream that fails. */
interface Impression {
	/** It failed, and nobody has said since that it is well. */
	isTroubled: boolean;
	/** A request went well since the gate was last told of one. */
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
 * Makes the attempt, or lets the job wait for its turn.
 *
 * @param isRepeat whether the message was delivered before: then something was wrong, perhaps with the upstream.
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
			const report = await jobs.callOnce(id, (job) => job.defer(epoch, entry.waitMs, entry.message));
			// Its time has not come anyway: the attempt says when it will.
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

/** A request that is over. */
interface Visit {
	readonly pass: string;
	readonly job: string;
	readonly health: Health | undefined;
	/** The gate let it in, and waits to hear of it. */
	readonly isAsked: boolean;
}

/** Tells the gate what it has to know. Its failure harms nobody: a pass runs out by itself. */
async function leave(gates: Gates, { name }: Upstream, { pass, job, health, isAsked }: Visit): Promise<void> {
	const impression = impressionOf(name);
	if (health?.isWell) impression.hasWorked = true;
	if (!isAsked && health?.isWell !== false) return;
	try {
		const { hasWorked } = impression;
		impression.hasWorked = false;
		const { isCalm } = await gates.of(name).leave(pass, health, hasWorked, job);
		impression.isTroubled = !isCalm;
	} catch (error) {
		logError('upstream gate not told', { upstream: name, error });
	}
}
