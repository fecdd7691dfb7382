/**
 * Who may ask an upstream now. Two rules: no more requests at once than it takes, and none but one at a time while it fails
 * again and again (a circuit breaker).
 *
 * Pure: no clock, no randomness, no I/O.
 */
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

/** What a gate keeps. A persisted contract: only add optional fields. Times are milliseconds since the epoch. */
export interface GateState {
	/** In a row, each by another job. */
	readonly failures: number;
	/** The jobs that failed since the upstream was last well, the newest last. Left out by earlier versions. */
	readonly failedJobs?: readonly string[];
	/** Set while the upstream is left alone: until then nobody asks, after it one at a time does. */
	readonly closed?: {
		readonly until: number;
		/** How often asking was in vain since it was closed. */
		readonly tries: number;
		/** Who is asking now, by its pass. */
		readonly probe?: string;
	};
	/** Requests that are under way, by their pass; kept only for upstreams that take so many at once. */
	readonly passes: Readonly<Record<string, Pass>>;
	/** How long a request usually takes. */
	readonly usualMs: number;
}

export interface Pass {
	readonly since: number;
	/** Whoever has it is gone by then, and has not said so. */
	readonly until: number;
}

/** How a request went: what it says of the upstream, not of the request. */
export interface Health {
	readonly isWell: boolean;
	/** What the upstream asked for. */
	readonly retryAfterMs?: number;
}

/** `isCalm`: nothing is wrong as far as the gate knows, so that only failures need to be told. */
export type Entry =
	| { readonly admitted: true; readonly isCalm: boolean }
	| { readonly admitted: false; readonly waitMs: number; readonly message: string };

export interface EntryRequest {
	/** Which upstream: for people. */
	readonly name: string;
	/** Names this request and no other. */
	readonly pass: string;
	/** Whose request it is. Left out by earlier versions. */
	readonly job?: string;
	/** After this time the request is over, whatever happens. */
	readonly leaseMs: number;
	/** Requests at once; left out for as many as there are. */
	readonly concurrency?: number;
}

export const OPEN_GATE: GateState = { failures: 0, passes: {}, usualMs: 1 * MS_PER_SECOND };

/** The jobs that were turned away and are expected to ask again. */
export interface Waiting {
	readonly size: number;
	keys(): Iterable<string>;
}

/** @param random a number in [0, 1). */
export function entered(
	before: GateState,
	request: EntryRequest,
	waiting: Waiting,
	now: number,
	random: number,
): { readonly state: GateState; readonly entry: Entry } {
	const state = withoutLost(before, now);
	const { closed } = state;
	if (closed && (closed.probe !== undefined || now < opensAt(state, closed, request, waiting)))
		return { state, entry: refusedByBreaker(state, request, now, random) };
	const { concurrency } = request;
	if (concurrency !== undefined && taken(state) >= concurrency)
		return { state, entry: refusedForNow(state, request.name, concurrency, waiting.size, now, random) };
	const isKept = concurrency !== undefined || closed !== undefined;
	const passes = isKept
		? { ...state.passes, [request.pass]: { since: now, until: now + request.leaseMs } }
		: state.passes;
	const next = {
		...state,
		...(isKept && { passes }),
		...(closed && { closed: { ...closed, probe: request.pass } }),
	};
	return { state: isKept ? next : state, entry: { admitted: true, isCalm: isCalm(state) } };
}

/**
 * When a job may try a closed upstream. A job that failed before may be the cause itself: as long as others are expected,
 * one of them tries first.
 */
function opensAt(
	{ failedJobs = [] }: GateState,
	{ until, tries }: NonNullable<GateState['closed']>,
	{ job }: EntryRequest,
	waiting: Waiting,
): number {
	const hasFailed = job !== undefined && failedJobs.includes(job);
	const isOtherExpected = hasFailed && [...waiting.keys()].some((other) => !failedJobs.includes(other));
	return isOtherExpected ? until + COOLDOWN_SPREAD * cooldownMs(tries, { isWell: false }) + FIRST_TRY_MS : until;
}

/** A request that is over. */
export interface Exit {
	readonly pass: string;
	/** Left out by earlier versions: then each request counts as another job's. */
	readonly job?: string | undefined;
	/** Left out when it says nothing of the upstream: the job was canceled, or got an error of its own. */
	readonly health?: Health | undefined;
	/** Whether the one who tells has seen requests go well since it last told of one. */
	readonly wellBefore: boolean;
}

export function left(before: GateState, exit: Exit, now: number): GateState {
	const { pass, job = pass, health, wellBefore } = exit;
	const state = released(withoutLost(before, now), pass, now);
	const { closed } = state;
	if (closed) return closed.probe === pass ? probed({ ...state, closed }, job, health, now) : state;
	if (!health) return state;
	if (health.isWell) return isCalm(state) ? state : recovered(state);
	const counted = failedWith(wellBefore ? recovered(state) : state, job);
	if (counted.failures < BREAKER_FAILURES) return counted;
	return { ...counted, closed: { until: now + cooldownMs(0, health), tries: 0 } };
}

function recovered({ failedJobs: _, ...state }: GateState): GateState {
	return { ...state, failures: 0 };
}

/** The same state when the job has failed before. */
function failedWith(state: GateState, job: string): GateState {
	const { failures, failedJobs = [] } = state;
	if (failedJobs.includes(job)) return state;
	return { ...state, failures: failures + 1, failedJobs: [...failedJobs, job].slice(-MAX_FAILED_JOBS) };
}

export function isCalm({ failures, closed }: GateState): boolean {
	return failures === 0 && closed === undefined;
}

/** What the one that was let through found out. The same job failing once more is no reason to wait longer. */
function probed(
	{ closed: { tries, until }, ...state }: GateState & Required<Pick<GateState, 'closed'>>,
	job: string,
	health: Health | undefined,
	now: number,
): GateState {
	if (!health) return { ...state, closed: { tries, until } };
	if (health.isWell) return recovered(state);
	const counted = failedWith(state, job);
	const next = counted === state ? tries : tries + 1;
	return { ...counted, closed: { until: now + cooldownMs(next, health), tries: next } };
}

function cooldownMs(tries: number, { retryAfterMs = 0 }: Health): number {
	return Math.min(COOLDOWN_MS.max, Math.max(COOLDOWN_MS.first * 2 ** tries, retryAfterMs));
}

function refusedByBreaker(state: GateState, { name }: EntryRequest, now: number, random: number): Entry {
	const { until = now, tries = 0, probe = '' } = state.closed ?? {};
	// One that asks may take its time: the longer it has, the longer the others leave it.
	const probingMs = (now - (state.passes[probe]?.since ?? now)) / 2;
	const spreadMs = Math.round(random * COOLDOWN_SPREAD * cooldownMs(tries, { isWell: false }));
	const waitMs = Math.round(Math.max(until - now, probingMs, TURN_WAIT_MS.min)) + spreadMs;
	const message = `Upstream "${name}" failed ${state.failures} times in a row: waiting for it to recover`;
	return { admitted: false, waitMs, message };
}

/**
 * Until a turn comes, as far as one can tell. However many are waiting, together they ask a few times for each turn that
 * there is; and no sooner than after a part of the time that a turn takes, or has been taking.
 */
function refusedForNow(
	state: GateState,
	name: string,
	concurrency: number,
	waiting: number,
	now: number,
	random: number,
): Entry {
	const oldestMs = Math.max(...Object.values(state.passes).map(({ since }) => now - since));
	const turnMs = Math.max(state.usualMs, oldestMs) / ASKS_A_TURN;
	const fairMs = Math.max(TURN_WAIT_MS.min, turnMs * Math.max(1, waiting / concurrency));
	const waitMs = Math.round(Math.min(TURN_WAIT_MS.max, fairMs * (0.75 + random / 2)));
	const message = `Waiting for a turn: upstream "${name}" takes ${concurrency} at a time`;
	return { admitted: false, waitMs, message };
}

function taken({ passes }: GateState): number {
	return Object.keys(passes).length;
}

/** Passes whose time is over count no more: whoever had them is gone. */
function withoutLost(state: GateState, now: number): GateState {
	const lost = Object.keys(state.passes).filter((pass) => (state.passes[pass]?.until ?? 0) <= now);
	if (lost.length === 0) return state;
	const passes = Object.fromEntries(Object.entries(state.passes).filter(([pass]) => !lost.includes(pass)));
	return { ...withoutProbe(state, lost), passes };
}

function withoutProbe(state: GateState, passes: readonly string[]): GateState {
	const { closed } = state;
	if (closed?.probe === undefined || !passes.includes(closed.probe)) return state;
	const { probe: _, ...rest } = closed;
	return { ...state, closed: rest };
}

function released(state: GateState, pass: string, now: number): GateState {
	const held = state.passes[pass];
	if (!held) return state;
	const { [pass]: _, ...passes } = state.passes;
	const usualMs = state.usualMs + (now - held.since - state.usualMs) * NEWEST_SHARE;
	return { ...state, passes, usualMs };
}
