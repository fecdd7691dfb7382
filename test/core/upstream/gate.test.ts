import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import {
	CLOSED_BREAKER,
	type Entry,
	enterGate,
	type GateState,
	type Health,
	isHealthy,
	leaveGate as leftBy,
} from '../../../src/core/upstream/gate.ts';
import {
	BREAKER_FAILURES,
	COOLDOWN_MS,
	COOLDOWN_SPREAD,
	FIRST_TRY_MS,
	MAX_CONCURRENCY,
	TURN_WAIT_MS,
} from '../../../src/core/upstream/limits.ts';
import { Gates } from '../../../src/rpc/gates.ts';
import { advanceClock } from '../../flow/faults.ts';

const T0 = Date.UTC(2026, 0, 1);
const LEASE_MS = 60_000;
const WELL = { isWell: true };
const UNWELL = { isWell: false };

interface Knock {
	readonly now?: number;
	readonly concurrency?: number;
	readonly waiting?: number | readonly string[];
	readonly job?: string;
}

/** Each request belongs to another job, unless it names one. */
function left(
	state: GateState,
	pass: string,
	health: Health | undefined,
	wellBefore: boolean,
	now: number,
	job = crypto.randomUUID(),
) {
	return leftBy(state, { pass, job, health, wellBefore }, now);
}

function enter(
	state: GateState,
	pass: string,
	{ now = T0, concurrency, waiting = 0, job = crypto.randomUUID() }: Knock = {},
) {
	const request = { name: 'report', pass, job, leaseMs: LEASE_MS, ...(concurrency !== undefined && { concurrency }) };
	const others = typeof waiting === 'number' ? Array.from({ length: waiting }, (_, at) => `w${at}`) : waiting;
	return enterGate(state, request, { waiting: new Set(others), now, random: 0.5 });
}

/** A circuit breaker that has opened, and the time at which the first job may try again. */
function closedGate(): { state: GateState; until: number; jobs: string[] } {
	let state = CLOSED_BREAKER;
	const jobs = Array.from({ length: BREAKER_FAILURES }, (_, at) => `j${at}`);
	for (const job of jobs) state = left(state, `p-${job}`, UNWELL, false, T0, job);
	return { state, until: state.closed?.until ?? 0, jobs };
}

describe('the breaker', () => {
	it('leaves an upstream alone after so many failures in a row, and not one sooner', () => {
		let state = CLOSED_BREAKER;
		for (let failure = 1; failure < BREAKER_FAILURES; failure++) state = left(state, 'p', UNWELL, false, T0);
		expect(enter(state, 'q').entry).toEqual({ admitted: true, isCalm: false });
		state = left(state, 'p', UNWELL, false, T0);
		expect(enter(state, 'q').entry).toMatchObject({
			admitted: false,
			message: 'Upstream "report" failed 5 times in a row: waiting for it to recover',
		});
	});

	it('counts anew when something has gone well in between', () => {
		const failed = (state: GateState, wellBefore = false) => left(state, 'p', UNWELL, wellBefore, T0);
		let state = failed(failed(failed(failed(CLOSED_BREAKER))));
		expect(failed(state, true)).toMatchObject({ failures: 1 });
		state = left(state, 'p', WELL, false, T0);
		expect(isHealthy(state)).toBe(true);
		expect(failed(state)).toMatchObject({ failures: 1 });
	});

	it('takes different jobs that fail: the same one again and again says nothing new', () => {
		let state = CLOSED_BREAKER;
		for (let failure = 0; failure < 50; failure++)
			state = left(state, `p${failure}`, UNWELL, false, T0, `j${failure % 4}`);
		expect(state).toMatchObject({ failures: 4, failedJobs: ['j0', 'j1', 'j2', 'j3'] });
		expect(enter(state, 'q').entry.admitted).toBe(true);
		expect(enter(left(state, 'p', UNWELL, false, T0, 'j4'), 'q').entry.admitted).toBe(false);
	});

	it("is not moved by an error that may be the request's own, and lets the next one try at once after one", () => {
		let state = CLOSED_BREAKER;
		for (let failure = 0; failure < 50; failure++) state = left(state, `p${failure}`, undefined, false, T0);
		expect(state).toBe(CLOSED_BREAKER);
		const { state: closed, until } = closedGate();
		const after = left(enter(closed, 'a', { now: until }).state, 'a', undefined, false, until);
		expect(enter(after, 'b', { now: until }).entry.admitted).toBe(true);
	});

	it('lets another job try first, as long as one is expected, and for a while only', () => {
		const { state, until, jobs } = closedGate();
		const [bad = ''] = jobs;
		const knock = (job: string, now: number, waiting: readonly string[]) =>
			enter(state, 'p', { job, now, waiting }).entry.admitted;
		expect(knock(bad, until, ['good'])).toBe(false);
		expect(knock('good', until, [])).toBe(true);
		expect(knock(bad, until, jobs.slice(1))).toBe(true);
		const latest = until + COOLDOWN_MS.first * COOLDOWN_SPREAD + FIRST_TRY_MS;
		expect([knock(bad, latest - 1, ['good']), knock(bad, latest, ['good'])]).toEqual([false, true]);
	});

	it('does not make the others wait longer for a job that had failed before', () => {
		let { state, until, jobs } = closedGate();
		for (let tries = 0; tries < 6; tries++) {
			state = left(enter(state, 'p', { now: until }).state, 'p', UNWELL, false, until, jobs[tries % jobs.length]);
			expect((state.closed?.until ?? 0) - until).toBe(COOLDOWN_MS.first);
			until = state.closed?.until ?? 0;
		}
	});

	it('goes on with what an earlier version kept and told', () => {
		const state: GateState = { failures: BREAKER_FAILURES - 1, passes: {}, usualMs: 1_000 };
		expect(leftBy(state, { pass: 'p', health: UNWELL, wellBefore: false }, T0).closed).toBeDefined();
	});

	it('lets one at a time try after a while, and everybody once that went well', () => {
		const { state, until } = closedGate();
		expect(enter(state, 'a', { now: until - 1 }).entry.admitted).toBe(false);
		const probing = enter(state, 'a', { now: until });
		expect(probing.entry.admitted).toBe(true);
		expect(enter(probing.state, 'b', { now: until + 1 }).entry.admitted).toBe(false);
		const open = left(probing.state, 'a', WELL, false, until + 10);
		expect(isHealthy(open)).toBe(true);
		expect(open.passes).toEqual({});
		expect(enter(open, 'b', { now: until + 10 }).entry).toEqual({ admitted: true, isCalm: true });
	});

	it('waits twice as long each time that trying was in vain, up to a limit', () => {
		let { state, until } = closedGate();
		const cooldowns = [until - T0];
		for (let tries = 0; tries < 8; tries++) {
			state = left(enter(state, 'a', { now: until }).state, 'a', UNWELL, false, until);
			cooldowns.push((state.closed?.until ?? 0) - until);
			until = state.closed?.until ?? 0;
		}
		expect(cooldowns.map((ms) => ms / 1_000)).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
	});

	it('waits as long as the upstream asked for, within the limit', () => {
		const { state, until } = closedGate();
		const probing = enter(state, 'a', { now: until }).state;
		const cooldown = (retryAfterMs: number) =>
			(left(probing, 'a', { isWell: false, retryAfterMs }, false, until).closed?.until ?? 0) - until;
		expect(cooldown(1_000)).toBe(10_000);
		expect(cooldown(60_000)).toBe(60_000);
		expect(cooldown(86_400_000)).toBe(COOLDOWN_MS.max);
	});

	it('lets the next one try when nothing came of the one that did, or nothing was heard of it', () => {
		const { state, until } = closedGate();
		const probing = enter(state, 'a', { now: until }).state;
		expect(enter(left(probing, 'a', undefined, false, until), 'b', { now: until }).entry.admitted).toBe(true);
		expect(enter(probing, 'b', { now: until + LEASE_MS - 1 }).entry.admitted).toBe(false);
		expect(enter(probing, 'b', { now: until + LEASE_MS }).entry.admitted).toBe(true);
	});

	it('is not moved by those who began before it closed', () => {
		const { state } = closedGate();
		expect(left(state, 'old', WELL, false, T0 + 1)).toBe(state);
		expect(left(state, 'old', UNWELL, false, T0 + 1)).toBe(state);
	});

	it('makes those who wait ask ever more seldom while one takes its time to try', () => {
		const { state, until } = closedGate();
		const probing = enter(state, 'a', { now: until }).state;
		const waits = [1_000, 10_000, 50_000].map((ms) => waitOf(enter(probing, 'b', { now: until + ms }).entry));
		expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
		expect(waits[2]).toBeGreaterThan(20_000);
	});
});

function waitOf(entry: Entry): number {
	if (entry.admitted) throw new Error('It was let in');
	return entry.waitMs;
}

describe('turns', () => {
	it('are so many at once and no more', () => {
		let state = CLOSED_BREAKER;
		for (const pass of ['a', 'b', 'c']) state = enter(state, pass, { concurrency: 3 }).state;
		expect(enter(state, 'd', { concurrency: 3 }).entry).toMatchObject({
			admitted: false,
			message: 'Waiting for a slot: upstream "report" takes at most 3 requests at a time',
		});
		state = left(state, 'b', WELL, false, T0);
		expect(enter(state, 'd', { concurrency: 3 }).entry.admitted).toBe(true);
	});

	it('are given back by those who are never heard of again', () => {
		const { state } = enter(CLOSED_BREAKER, 'a', { concurrency: 1 });
		expect(enter(state, 'b', { concurrency: 1, now: T0 + LEASE_MS - 1 }).entry.admitted).toBe(false);
		expect(enter(state, 'b', { concurrency: 1, now: T0 + LEASE_MS }).entry.admitted).toBe(true);
	});

	it('are not given back twice', () => {
		let state = enter(enter(CLOSED_BREAKER, 'a', { concurrency: 2 }).state, 'b', { concurrency: 2 }).state;
		state = left(left(state, 'a', WELL, false, T0), 'a', WELL, false, T0);
		expect(Object.keys(state.passes)).toEqual(['b']);
	});

	it('are asked for the more seldom the more are waiting and the longer they take, within limits', () => {
		const full = enter(CLOSED_BREAKER, 'a', { concurrency: 1 }).state;
		const wait = (waiting: number, ageMs: number) =>
			waitOf(enter(full, 'b', { concurrency: 1, waiting, now: T0 + ageMs }).entry);
		expect(wait(0, 0)).toBe(TURN_WAIT_MS.min);
		expect(wait(1, 40_000)).toBe(10_000);
		expect(wait(8, 40_000)).toBe(80_000);
		expect(wait(10_000, 40_000)).toBe(TURN_WAIT_MS.max);
	});

	it('cost no place and no row where an upstream takes as many as there are', () => {
		expect(enter(CLOSED_BREAKER, 'a').state).toBe(CLOSED_BREAKER);
		expect(left(CLOSED_BREAKER, 'a', WELL, false, T0)).toBe(CLOSED_BREAKER);
	});

	it('fit into one stored value', () => {
		let state = CLOSED_BREAKER;
		for (let at = 0; at < MAX_CONCURRENCY; at++)
			state = enter(state, crypto.randomUUID(), { concurrency: MAX_CONCURRENCY }).state;
		expect(JSON.stringify(state).length).toBeLessThan(32 * 1_024);
	});
});

describe("an upstream's gate", () => {
	const gates = new Gates(env.GATES);
	const knock = (name: string, pass: string, concurrency?: number) =>
		gates
			.of(name)
			.enter({ job: pass, name, pass, leaseMs: LEASE_MS, ...(concurrency !== undefined && { concurrency }) });

	it('never lets more in than it may, however many come at once', async () => {
		const name = crypto.randomUUID();
		const entries = await Promise.all(Array.from({ length: 20 }, (_, at) => knock(name, `p${at}`, 3)));
		expect(entries.filter(({ admitted }) => admitted)).toHaveLength(3);
	});

	it('keeps what counts when its object is evicted', async () => {
		const name = crypto.randomUUID();
		// The clock stands still, so that no pass and no cooldown ends on a slow machine.
		advanceClock(0);
		await knock(name, 'a', 1);
		for (let failure = 0; failure < BREAKER_FAILURES; failure++)
			await gates.of(`${name}!`).reportExit({ pass: 'p', job: `j${failure}`, health: UNWELL, wellBefore: false });
		await evictDurableObject(env.GATES.getByName(name));
		await evictDurableObject(env.GATES.getByName(`${name}!`));
		expect((await knock(name, 'b', 1)).admitted).toBe(false);
		expect((await knock(`${name}!`, 'b')).admitted).toBe(false);
		advanceClock(LEASE_MS + 1);
		expect((await knock(name, 'b', 1)).admitted).toBe(true);
	});

	it('writes a row only when something changes', async () => {
		const name = crypto.randomUUID();
		const rows = () => runInDurableObject(env.GATES.getByName(name), (_, { storage }) => [...storage.kv.list()].length);
		const stored = () => runInDurableObject(env.GATES.getByName(name), (_, { storage }) => storage.kv.get('gate'));
		await knock(name, 'a');
		await gates.of(name).reportExit({ pass: 'a', health: WELL, wellBefore: false });
		expect(await rows()).toBe(0);
		await gates.of(name).reportExit({ pass: 'a', job: 'job', health: UNWELL, wellBefore: false });
		expect(await rows()).toBe(1);
		const before = await stored();
		await gates.of(name).reportExit({ pass: 'b', job: 'job', health: UNWELL, wellBefore: false });
		expect(await stored()).toEqual(before);
	});
});
