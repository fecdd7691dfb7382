/**
 * Asks an upstream's gate for a slot before a job starts, so that a deferred job uses no attempt.
 *
 * Usually no gate is asked. It is asked for an upstream with a limit of concurrent requests. It is also informed of
 * failures; after one, it is asked before and informed after each request, until it reports that the upstream has
 * recovered.
 */
import { defined } from '../../core/defined.ts';
import { LEASE_GRACE_MS, MS_PER_SECOND } from '../../core/job/limits.ts';
import type { ReceivedMessage } from '../../core/job/message.ts';
import type { Report } from '../../core/job/object-api.ts';
import type { Entry, Health } from '../../core/upstream/gate.ts';
import type { Upstream } from '../../core/upstream/settings.ts';
import { logError } from '../../log.ts';
import type { AttemptDependencies } from '../attempt.ts';

/** What this isolate knows about each upstream. Losing it costs one extra request to a failing upstream. */
interface Impression {
	/** The upstream failed, and has not been reported as healthy since. */
	isTroubled: boolean;
	/** A request succeeded since the last report to the gate. */
	hasWorked: boolean;
}
const impressions = new Map<string, Impression>();

/** The impression of an upstream, which starts as a good one. */
function impressionFor(name: string): Impression {
	const impression = impressions.get(name) ?? { isTroubled: false, hasWorked: false };
	impressions.set(name, impression);
	return impression;
}

type AdmissionDependencies = Pick<AttemptDependencies, 'upstreams' | 'gates' | 'jobs'>;

/** A request that may be sent to its upstream. */
export interface Visit {
	readonly upstream: Upstream;
	readonly job: string;
	readonly pass: string;
	/** The gate granted a slot, and expects a report. */
	readonly isAsked: boolean;
}

export type Admission =
	/** The visit is left out if the gate expects no report. */
	| { readonly type: 'admitted'; readonly visit?: Visit }
	/** The job is deferred. The report is the object's response. */
	| { readonly type: 'deferred'; readonly report: Report };

/** Admits the attempt that a message asks for, or defers its job. */
export async function admit(
	{ upstreams, gates, jobs }: AdmissionDependencies,
	received: ReceivedMessage,
): Promise<Admission> {
	const { id, epoch, upstream: hint } = received.message;
	const upstream = hint && upstreams.get(hint.name);
	if (!upstream) return { type: 'admitted' };
	const pass = crypto.randomUUID();
	// A message that was delivered before hints at a problem, perhaps at the upstream.
	const isAsked = received.isRepeat || hint.hasWaited === true || mustAsk(upstream);
	const visit = { upstream, job: id, pass, isAsked };
	if (!isAsked) return { type: 'admitted', visit };
	const leaseMs = hint.timeoutSeconds * MS_PER_SECOND + LEASE_GRACE_MS;
	const { name, concurrency } = upstream;
	const entry = await gates.of(name).enter(defined({ job: id, name, pass, leaseMs, concurrency }));
	note(upstream, entry);
	if (entry.admitted) return { type: 'admitted', visit };
	const { waitMs, message } = entry;
	const report = await jobs.callOnce(id, (job) => job.deferAttempt({ epoch, waitMs, message }));
	// The job may not start yet anyway: the attempt's report says when.
	return report.refusal === 'early' ? { type: 'admitted' } : { type: 'deferred', report };
}

function mustAsk({ name, concurrency }: Upstream): boolean {
	return concurrency !== undefined || impressionFor(name).isTroubled;
}

function note({ name }: Upstream, entry: Entry): void {
	impressionFor(name).isTroubled = !entry.admitted || !entry.isCalm;
}

/**
 * Reports an ended visit to the gate. A failure is harmless: a slot expires by itself.
 *
 * @param health of the upstream; `undefined` if the request doesn't show it.
 */
export async function leave(
	{ gates }: Pick<AdmissionDependencies, 'gates'>,
	{ upstream: { name }, job, pass, isAsked }: Visit,
	health: Health | undefined,
): Promise<void> {
	const impression = impressionFor(name);
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
