/**
 * Decides which requests an upstream gets now. Two rules: a limit of concurrent requests, and a circuit breaker. While the
 * upstream fails repeatedly, the breaker lets only one request at a time through.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { defined } from '../defined.ts';
import { MS_PER_SECOND } from '../job/limits.ts';
import {
	ASKS_A_TURN,
	BREAKER_FAILURES,
	COOLDOWN_MS,
	COOLDOWN_SPREAD,
	FIRST_TRY_MS,
	MAX_FAILED_JOBS,
	NEWEST_SHARE,
	TURN_WAIT_MS,
} from './limits.ts';

/** The state of a gate. A persisted contract: only add optional fields. Times are milliseconds since the epoch. */
export interface GateState {
	/** Number of consecutive failures, each of another job. */
	readonly failures: number;
	/** The jobs that failed since the upstream was last healthy, the newest last. Earlier versions leave it out. */
	readonly failedJobs?: readonly string[];
	/** The stored name means that requests are shut out. Set while the breaker is open (tripped): until `until` it rejects all requests, after that all but one at a time. */
	readonly closed?: {
		readonly until: number;
		/** Number of failed probes since the breaker tripped. */
		readonly tries: number;
		/** The pass of the current probe. */
		readonly probe?: string;
	};
	/** Requests in progress, by pass; kept only for upstreams with a concurrency limit, and for probes. */
	readonly passes: Readonly<Record<string, Pass>>;
	/** The typical duration of a request. */
	readonly usualMs: number;
}

export interface Pass {
	readonly since: number;
	/** When the lease ends. A holder that has not reported by then is considered lost. */
	readonly until: number;
}

/** The outcome of a request, as far as it says something about the upstream's health. */
export interface Health {
	readonly isWell: boolean;
	/** The wait that the upstream asked for. */
	readonly retryAfterMs?: number;
}

/** `isCalm`: the gate knows of no failure, so that the caller needs to report only failures. */
export type Entry =
	| { readonly admitted: true; readonly isCalm: boolean }
	| { readonly admitted: false; readonly waitMs: number; readonly message: string };

export interface EntryRequest {
	/** The upstream's name, for messages. */
	readonly name: string;
	/** Identifies this request. */
	readonly pass: string;
	/** The job that sends the request. Earlier versions leave it out. */
	readonly job?: string;
	/** The request ends within this time in any case. */
	readonly leaseMs: number;
	/** Maximum number of concurrent requests; absent for no limit. */
	readonly concurrency?: number;
}

export const CLOSED_BREAKER: GateState = { failures: 0, passes: {}, usualMs: 1 * MS_PER_SECOND };

/** The jobs that were refused and are expected to ask again. */
export interface Waiting {
	readonly size: number;
	keys(): Iterable<string>;
}

/** The circumstances of a request. */
export interface Circumstances {
	readonly waiting: Waiting;
	/** In milliseconds since the epoch. */
	readonly now: number;
	/** A number in [0, 1). */
	readonly random: number;
}

export function enterGate(
	before: GateState,
	request: EntryRequest,
	circumstances: Circumstances,
): { readonly state: GateState; readonly entry: Entry } {
	const { waiting, now } = circumstances;
	const state = withoutLost(before, now);
	const { closed: tripped } = state;
	if (tripped && (tripped.probe !== undefined || now < opensAt(state, request, waiting)))
		return { state, entry: refusedByBreaker(state, request, circumstances) };
	const { concurrency } = request;
	if (concurrency !== undefined && taken(state) >= concurrency)
		return { state, entry: refusedForNow(state, { ...request, concurrency }, circumstances) };
	const entry: Entry = { admitted: true, isCalm: isHealthy(state) };
	if (concurrency === undefined && tripped === undefined) return { state, entry };
	const passes = { ...state.passes, [request.pass]: { since: now, until: now + request.leaseMs } };
	const closed = tripped && { ...tripped, probe: request.pass };
	return { state: { ...state, ...defined({ passes, closed }) }, entry };
}

/**
 * When a job may probe a failing upstream. A job that failed before may be the cause itself. As long as other jobs are
 * expected, one of them probes first.
 */
function opensAt(
	{ failedJobs = [], closed: tripped = { until: 0, tries: 0 } }: GateState,
	{ job }: EntryRequest,
	waiting: Waiting,
): number {
	const { until, tries } = tripped;
	const hasFailed = job !== undefined && failedJobs.includes(job);
	const isOtherExpected = hasFailed && [...waiting.keys()].some((other) => !failedJobs.includes(other));
	return isOtherExpected ? until + COOLDOWN_SPREAD * cooldownMs(tries, { isWell: false }) + FIRST_TRY_MS : until;
}

/** A finished request. */
export interface Exit {
	readonly pass: string;
	/** Earlier versions leave it out: then each request counts as another job's. */
	readonly job?: string | undefined;
	/** Absent when the outcome says nothing about the upstream: the job was canceled, or failed with an error of its own. */
	readonly health?: Health | undefined;
	/** Whether the caller has seen successful requests since its last report of one. */
	readonly wellBefore: boolean;
}

export function leaveGate(before: GateState, exit: Exit, now: number): GateState {
	const { pass, job = pass, health, wellBefore } = exit;
	const state = released(withoutLost(before, now), pass, now);
	const { closed: tripped } = state;
	if (tripped) return tripped.probe === pass ? probed({ ...state, closed: tripped }, { job, health }, now) : state;
	if (!health) return state;
	if (health.isWell) return isHealthy(state) ? state : recovered(state);
	const counted = withFailure(wellBefore ? recovered(state) : state, job);
	if (counted.failures < BREAKER_FAILURES) return counted;
	return { ...counted, closed: { until: now + cooldownMs(0, health), tries: 0 } };
}

function recovered({ failedJobs: _, ...state }: GateState): GateState {
	return { ...state, failures: 0 };
}

/** Returns the same state when the job has failed before. */
function withFailure(state: GateState, job: string): GateState {
	const { failures, failedJobs = [] } = state;
	if (failedJobs.includes(job)) return state;
	return { ...state, failures: failures + 1, failedJobs: [...failedJobs, job].slice(-MAX_FAILED_JOBS) };
}

export function isHealthy({ failures, closed: tripped }: GateState): boolean {
	return failures === 0 && tripped === undefined;
}

/** Records the outcome of a probe. A repeated failure of the same job doesn't make the cooldown longer. */
function probed(
	{ closed: { tries, until }, ...state }: GateState & Required<Pick<GateState, 'closed'>>,
	{ job, health }: { readonly job: string; readonly health: Health | undefined },
	now: number,
): GateState {
	if (!health) return { ...state, closed: { tries, until } };
	if (health.isWell) return recovered(state);
	const counted = withFailure(state, job);
	const next = counted === state ? tries : tries + 1;
	return { ...counted, closed: { until: now + cooldownMs(next, health), tries: next } };
}

/** A gate as operators see it. */
export interface GateReading {
	/** `half-open`: the cooldown is over, and one request at a time tries the upstream. */
	readonly breaker: 'closed' | 'open' | 'half-open';
	/** While it is open: when the cooldown ends, in milliseconds since the epoch. */
	readonly openUntil?: number;
	/** Number of consecutive failures, each of another job. */
	readonly failures: number;
	/** Number of requests in progress, as far as the gate counts them. */
	readonly running: number;
}

export function gateReading(before: GateState, now: number): GateReading {
	const state = withoutLost(before, now);
	const { failures, closed: tripped } = state;
	const counts = { failures, running: taken(state) };
	if (!tripped) return { breaker: 'closed', ...counts };
	const isCooling = tripped.probe === undefined && now < tripped.until;
	return isCooling ? { breaker: 'open', openUntil: tripped.until, ...counts } : { breaker: 'half-open', ...counts };
}

/** An operator says that the upstream is healthy again. Requests in progress keep their slots. */
export function withClosedBreaker({ closed: _, ...state }: GateState): GateState {
	return recovered(state);
}

function cooldownMs(tries: number, { retryAfterMs = 0 }: Health): number {
	return Math.min(COOLDOWN_MS.max, Math.max(COOLDOWN_MS.first * 2 ** tries, retryAfterMs));
}

function refusedByBreaker(state: GateState, { name }: EntryRequest, { now, random }: Circumstances): Entry {
	const { until = now, tries = 0, probe = '' } = state.closed ?? {};
	// A probe may take long: the longer it has been running, the longer the others wait.
	const probingMs = (now - (state.passes[probe]?.since ?? now)) / 2;
	const spreadMs = Math.round(random * COOLDOWN_SPREAD * cooldownMs(tries, { isWell: false }));
	const waitMs = Math.round(Math.max(until - now, probingMs, TURN_WAIT_MS.min)) + spreadMs;
	const message = `Upstream "${name}" failed ${state.failures} times in a row: waiting for it to recover`;
	return { admitted: false, waitMs, message };
}

/**
 * Estimates the time until a slot is free. All waiting jobs together ask only a few times for each slot. None asks sooner than
 * a share of the time that a request takes, or that the oldest one has taken.
 */
function refusedForNow(
	state: GateState,
	{ name, concurrency }: Required<Pick<EntryRequest, 'name' | 'concurrency'>>,
	{ waiting, now, random }: Circumstances,
): Entry {
	const oldestMs = Math.max(...Object.values(state.passes).map(({ since }) => now - since));
	const turnMs = Math.max(state.usualMs, oldestMs) / ASKS_A_TURN;
	const fairMs = Math.max(TURN_WAIT_MS.min, turnMs * Math.max(1, waiting.size / concurrency));
	const waitMs = Math.round(Math.min(TURN_WAIT_MS.max, fairMs * (0.75 + random / 2)));
	const message = `Waiting for a slot: upstream "${name}" takes at most ${concurrency} requests at a time`;
	return { admitted: false, waitMs, message };
}

function taken({ passes }: GateState): number {
	return Object.keys(passes).length;
}

/** Drops the passes whose lease has expired: their holders are lost. */
function withoutLost(state: GateState, now: number): GateState {
	const lost = Object.keys(state.passes).filter((pass) => (state.passes[pass]?.until ?? 0) <= now);
	if (lost.length === 0) return state;
	const passes = Object.fromEntries(Object.entries(state.passes).filter(([pass]) => !lost.includes(pass)));
	return { ...withoutProbe(state, lost), passes };
}

function withoutProbe(state: GateState, passes: readonly string[]): GateState {
	const { closed: tripped } = state;
	if (tripped?.probe === undefined || !passes.includes(tripped.probe)) return state;
	const { probe: _, ...rest } = tripped;
	return { ...state, closed: rest };
}

function released(state: GateState, pass: string, now: number): GateState {
	const held = state.passes[pass];
	if (!held) return state;
	const { [pass]: _, ...passes } = state.passes;
	const usualMs = state.usualMs + (now - held.since - state.usualMs) * NEWEST_SHARE;
	return { ...state, passes, usualMs };
}
