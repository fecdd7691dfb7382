import { describe, expect, it } from 'vitest';
import { nextAlarmAt } from '../../../src/core/job/alarm.ts';
import { eventsAfter } from '../../../src/core/job/document.ts';
import { accepted } from '../../../src/core/job/lifecycle.ts';
import { MAX_RESENDS, MAX_WAITS, MAX_WAKES, WATCHDOG_MS } from '../../../src/core/job/limits.ts';
import type { JobRecord } from '../../../src/core/job/record.ts';
import { type Command, type Refusal, transition } from '../../../src/core/job/transition.ts';
import {
	applied,
	BEGUN,
	canceled,
	canceling,
	FENCE,
	failed,
	failure,
	purged,
	queued,
	REPLY,
	retryWaiting,
	running,
	submission,
	succeeded,
	T0,
} from './jobs.ts';

/** Every state of a job. `retrying` is pending after an attempt. */
const STATES = {
	queued: queued(),
	running: running(),
	canceling: canceling(),
	retrying: retryWaiting(),
	succeeded: succeeded(),
	failed: failed(),
	canceled: canceled(),
	tombstone: purged(),
} satisfies Record<string, JobRecord>;
type StateName = keyof typeof STATES;

/** Late enough for a retry's wait to have ended, early enough for every lease to be valid. */
const NOW = T0 + 5_000;

/** The same attempt of an earlier job with the same id. */
const BEFORE = { ...FENCE, createdAt: T0 - 1 };

/** An attempt whose start its object has forgotten. */
const FORGOTTEN = { ...FENCE, createdAt: T0, delivery: 'a', startedAt: T0 + 10 };

const COMMANDS = {
	start: { type: 'start', epoch: 1 },
	'start of an old epoch': { type: 'start', epoch: 0 },
	progress: { type: 'progress', fence: FENCE, progress: { percentComplete: 50 } },
	'progress of another attempt': { type: 'progress', fence: { epoch: 1, attempt: 7 }, progress: {} },
	link: { type: 'link', fence: FENCE },
	'link of another attempt': { type: 'link', fence: { epoch: 1, attempt: 7 } },
	unlink: { type: 'unlink', fence: FENCE, isClosed: false },
	complete: { type: 'complete', fence: FENCE, reply: REPLY },
	'complete of a forgotten start': { type: 'complete', fence: FORGOTTEN, reply: REPLY },
	'complete of another attempt': { type: 'complete', fence: { epoch: 1, attempt: 7 }, reply: REPLY },
	'complete of an old epoch': { type: 'complete', fence: { epoch: 0, attempt: 1 }, reply: REPLY },
	'fail, retryable': { type: 'fail', fence: FENCE, failure: failure(true), random: 0.5 },
	'fail for good': { type: 'fail', fence: FENCE, failure: failure(false), random: 0.5 },
	'fail of another attempt': { type: 'fail', fence: { epoch: 1, attempt: 7 }, failure: failure(true), random: 0.5 },
	follow: { type: 'follow', fence: FENCE, following: BEGUN, waitMs: 1_000, timeoutSeconds: 60 },
	ask: { type: 'ask', epoch: 1, attempt: 1, asks: 0 },
	asked: { type: 'asked', fence: FENCE, asks: 0, following: BEGUN, waitMs: 1_000 },
	defer: { type: 'defer', epoch: 1, waitMs: 5_000, message: 'Not yet' },
	'defer of an old epoch': { type: 'defer', epoch: 0, waitMs: 5_000, message: 'Not yet' },
	'progress of a job before': { type: 'progress', fence: BEFORE, progress: {} },
	'complete of a job before': { type: 'complete', fence: BEFORE, reply: REPLY },
	'fail of a job before': { type: 'fail', fence: BEFORE, failure: failure(true), random: 0.5 },
	cancel: { type: 'cancel' },
	retry: { type: 'retry' },
	'retry in a place that is held no longer': { type: 'retry', reservation: 'r', acceptBy: NOW - 1 },
	purge: { type: 'purge' },
	deadLetter: { type: 'deadLetter', epoch: 1 },
	'deadLetter of an old epoch': { type: 'deadLetter', epoch: 0 },
	sendAgain: { type: 'sendAgain', seq: 1 },
	wake: { type: 'wake' },
} satisfies Record<string, Command>;
type CommandName = keyof typeof COMMANDS;

/** The result of each command in each state: a state's name, `!` and the reason of the rejection, or both. */
type Cell = StateName | 'resent' | `!${Refusal}` | `${StateName} !${Refusal}`;

// biome-ignore format: a table, one row per command, in the order of STATES
const MATRIX: Record<CommandName, readonly Cell[]> = {
	//                                          queued         running        canceling             retrying       succeeded     failed       canceled     tombstone
	start:                                     ['running',     '!leased',     '!leased',            'running',     '!finished',  '!finished', '!finished', '!gone'],
	'start of an old epoch':                   ['!stale',      '!stale',      '!stale',             '!stale',      '!stale',     '!stale',    '!stale',    '!gone'],
	progress:                                  ['!stale',      'running',     '!canceled',          '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	'progress of another attempt':             ['!stale',      '!stale',      '!stale',             '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	link:                                      ['!stale',      'running',     'canceling',          '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	'link of another attempt':                 ['!stale',      '!stale',      '!stale',             '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	unlink:                                    ['!stale',      'running',     'canceling',          '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	complete:                                  ['!stale',      'succeeded',   'canceled !canceled', '!stale',      '!settled',   '!finished', '!finished', '!gone'],
	'complete of a forgotten start':           ['succeeded',   'succeeded',   'canceled !canceled', '!stale',      '!settled',   '!finished', '!finished', '!gone'],
	'complete of another attempt':             ['!stale',      '!stale',      '!stale',             '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	'complete of an old epoch':                ['!stale',      '!stale',      '!stale',             '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	'fail, retryable':                         ['!stale',      'retrying',    'canceled !canceled', '!settled',    '!finished',  '!settled',  '!finished', '!gone'],
	'fail for good':                           ['!stale',      'failed',      'canceled !canceled', '!settled',    '!finished',  '!settled',  '!finished', '!gone'],
	'fail of another attempt':                 ['!stale',      '!stale',      '!stale',             '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	follow:                                    ['!stale',      'running',     'canceled !canceled', '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	ask:                                       ['!stale',      '!leased',     '!leased',            '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	asked:                                     ['!stale',      '!settled',    '!settled',           '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	defer:                                     ['queued',      '!leased',     '!leased',            'retrying',    '!finished',  '!finished', '!finished', '!gone'],
	'defer of an old epoch':                   ['!stale',      '!stale',      '!stale',             '!stale',      '!stale',     '!stale',    '!stale',    '!gone'],
	'progress of a job before':                ['!stale',      '!stale',      '!stale',             '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	'complete of a job before':                ['!stale',      '!stale',      '!stale',             '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	'fail of a job before':                    ['!stale',      '!stale',      '!stale',             '!stale',      '!finished',  '!finished', '!finished', '!gone'],
	cancel:                                    ['canceled',    'canceling',   '!settled',           'canceled',    '!settled',   '!settled',  '!settled',  '!gone'],
	retry:                                     ['!unfinished', '!unfinished', '!unfinished',        '!unfinished', '!succeeded', 'queued',    'queued',    '!gone'],
	'retry in a place that is held no longer': ['!unfinished', '!unfinished', '!unfinished',        '!unfinished', '!succeeded', '!late',     '!late',     '!gone'],
	purge:                                     ['!unfinished', '!unfinished', '!unfinished',        '!unfinished', 'tombstone',  'tombstone', 'tombstone', '!settled'],
	deadLetter:                                ['failed',      '!leased',     '!leased',            'failed',      '!finished',  '!finished', '!finished', '!gone'],
	'deadLetter of an old epoch':              ['!stale',      '!stale',      '!stale',             '!stale',      '!stale',     '!stale',    '!stale',    '!gone'],
	sendAgain:                                 ['!no-webhook', '!no-webhook', '!no-webhook',        '!no-webhook', '!no-webhook', '!no-webhook', '!no-webhook', '!gone'],
	wake:                                      ['!early',      '!leased',     '!leased',            '!early',      '!finished',  '!finished', '!finished', '!gone'],
};

function nameOf(job: JobRecord): StateName {
	const { state } = job;
	if (state.name === 'pending') return job.attempt > 0 ? 'retrying' : 'queued';
	return state.name === 'running' && state.canceling ? 'canceling' : state.name;
}

function cellOf(job: JobRecord, command: Command, now: number): string {
	const result = transition(job, command, now);
	const next = result.job === job ? [] : [nameOf(result.job)];
	return [...next, ...(result.refusal ? [`!${result.refusal}`] : [])].join(' ');
}

describe('transition, every state × every command', () => {
	const names = Object.keys(STATES) as StateName[];
	for (const command of Object.keys(COMMANDS) as CommandName[]) {
		names.forEach((state, column) => {
			it(`makes ${MATRIX[command][column]} of ${state} by ${command}`, () => {
				expect(cellOf(STATES[state], COMMANDS[command], NOW)).toBe(MATRIX[command][column]);
			});
		});
	}

	it('never changes the job that it was given', () => {
		const deepFrozen = structuredClone(STATES);
		for (const job of Object.values(deepFrozen)) freeze(job);
		for (const job of Object.values(deepFrozen)) {
			for (const command of Object.values(COMMANDS)) expect(() => transition(job, command, NOW)).not.toThrow();
		}
	});

	it('writes exactly one final event for an epoch, whatever comes after', () => {
		for (const start of [succeeded(), failed(), canceled()]) {
			let job: JobRecord = start;
			for (const command of Object.values(COMMANDS)) {
				if (command.type !== 'retry' && command.type !== 'purge') job = transition(job, command, NOW).job;
			}
			const finals = job.history.filter(({ type }) => ['succeeded', 'failed', 'canceled'].includes(type));
			expect(finals).toHaveLength(1);
			expect(job).toBe(start);
		}
	});
});

describe('start', () => {
	it('numbers attempts from 1 and leases the job for its timeout and a grace', () => {
		const job = running();
		expect(job.attempt).toBe(1);
		expect(job.state).toMatchObject({ attemptStartedAt: T0 + 10, leaseEndsAt: T0 + 10 + 60_000 + 20_000 });
	});

	it('refuses a job whose time has not come', () => {
		expect(cellOf(queued({ delaySeconds: 60 }), { type: 'start', epoch: 1 }, T0 + 59_999)).toBe('!early');
		expect(cellOf(queued({ delaySeconds: 60 }), { type: 'start', epoch: 1 }, T0 + 60_000)).toBe('running');
	});
});

describe('progress', () => {
	it('never lets the percentage go down within an attempt, and starts over with the next', () => {
		const at = (percentComplete: number, job: JobRecord, now: number) =>
			applied(job, { type: 'progress', fence: { epoch: 1, attempt: job.attempt }, progress: { percentComplete } }, now);
		const job = at(10, at(40, running(), NOW), NOW + 1_000);
		expect(job.progress?.percentComplete).toBe(40);
		const waiting = applied(job, { type: 'fail', fence: FENCE, failure: failure(true), random: 0 }, NOW + 2_000);
		expect(applied(waiting, { type: 'start', epoch: 1 }, NOW + 9_000).progress).toBeUndefined();
	});

	it('is volatile, and folds what comes too soon into the next event', () => {
		const report = (percentComplete: number): Command => ({
			type: 'progress',
			fence: FENCE,
			progress: { percentComplete },
		});
		const first = transition(running(), report(1), NOW);
		const second = transition(first.job, report(2), NOW + 100);
		const third = transition(second.job, report(3), NOW + 500);
		expect([first, second, third].every(({ volatile }) => volatile)).toBe(true);
		expect([first, second, third].map(({ job }) => job.seq)).toEqual([3, 3, 4]);
		expect(second.job.progress).toEqual({ percentComplete: 2 });
	});
});

describe('fail', () => {
	it('waits a random part of a doubling time between attempts, and no longer than a minute', () => {
		let job = running({ maxAttempts: 50 });
		const waits: number[] = [];
		for (let attempt = 1; attempt <= 9; attempt++) {
			const now = T0 + attempt * 1_000_000;
			job = applied(job, { type: 'fail', fence: { epoch: 1, attempt }, failure: failure(true), random: 0.5 }, now);
			if (job.state.name === 'pending') waits.push(job.state.notBefore - now);
			job = applied(job, { type: 'start', epoch: 1 }, now + 60_000);
		}
		expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
	});

	it('waits at least as long as the task asked for', () => {
		const job = applied(
			running(),
			{ type: 'fail', fence: FENCE, failure: failure(true), retryAfterSeconds: 90, random: 0 },
			NOW,
		);
		expect(job.state).toMatchObject({ notBefore: NOW + 90_000 });
	});

	it('ends the job with the last error when the attempts have run out', () => {
		const job = applied(
			running({ maxAttempts: 1 }),
			{ type: 'fail', fence: FENCE, failure: failure(true, 'Last'), random: 0 },
			NOW,
		);
		expect(job.state).toMatchObject({ name: 'failed', error: { code: 'Last' } });
		expect(job.attempt).toBe(job.options.maxAttempts);
	});
});

describe('defer', () => {
	const defer = (waitMs = 5_000): Command => ({ type: 'defer', epoch: 1, waitMs, message: 'Not yet' });

	it('puts a job off without using an attempt, says why, and looks after the message that its consumer sends', () => {
		const job = applied(queued(), defer(), NOW);
		expect(job).toMatchObject({ attempt: 0, progress: { message: 'Not yet' } });
		expect(job.state).toMatchObject({ notBefore: NOW + 5_000, sentAt: NOW, checkAt: NOW + 25_000, waits: 1 });
		expect(nextAlarmAt(job, NOW)).toBe(NOW + 25_000);
		expect(transition(job, { type: 'wake' }, NOW + 25_000).effects).toEqual([{ type: 'enqueue' }]);
	});

	it('tells those who watch, in a phase of its own', () => {
		for (const [job, status] of [
			[queued(), 'pending'],
			[retryWaiting(), 'running'],
		] as const) {
			const waiting = applied(job, defer(), NOW);
			expect(eventsAfter({ id: 'id', job: waiting, now: NOW }, job.seq)).toMatchObject([
				{ type: 'progress', job: { status, phase: 'waiting', progress: { message: 'Not yet' } } },
			]);
		}
	});

	it('refuses what is not due anyway', () => {
		expect(cellOf(queued({ delaySeconds: 60 }), defer(), NOW)).toBe('!early');
	});

	it('is over when an attempt begins', () => {
		const job = applied(applied(queued(), defer(), NOW), { type: 'start', epoch: 1 }, NOW + 5_000);
		expect(job.progress).toBeUndefined();
		expect(
			applied(job, { type: 'fail', fence: FENCE, failure: failure(true), random: 0 }, NOW + 6_000).state,
		).not.toHaveProperty('waits');
	});

	it('ends the job, to be run again by hand, when its turn never comes', () => {
		let job: JobRecord = queued();
		for (let waits = 0; waits < MAX_WAITS; waits++) job = applied(job, defer(1_000), NOW + waits * 1_000);
		expect(job.state.name).toBe('pending');
		job = applied(job, defer(1_000), NOW + MAX_WAITS * 1_000);
		expect(job.state).toMatchObject({
			name: 'failed',
			status: 503,
			error: { code: 'UpstreamFailed', retryable: true },
		});
		expect(applied(job, { type: 'retry' }, NOW + 1e7).state).not.toHaveProperty('waits');
	});
});

describe('cancel', () => {
	it('tells the running attempt to stop, and gives it twenty seconds', () => {
		const { job, effects } = transition(running(), { type: 'cancel' }, NOW);
		expect(effects).toEqual([{ type: 'abort', fence: { ...FENCE, createdAt: T0 } }]);
		expect(job.state).toMatchObject({ canceling: true, leaseEndsAt: NOW + 20_000 });
	});

	it('never gives an attempt more time than its lease had', () => {
		const late = T0 + 10 + 79_000;
		expect(applied(running(), { type: 'cancel' }, late).state).toMatchObject({ leaseEndsAt: T0 + 10 + 80_000 });
	});
});

describe('retry', () => {
	it('begins a new epoch with the same input, in which nothing of the old one is listened to', () => {
		const job = applied(failed(), { type: 'retry' }, NOW);
		expect(job).toMatchObject({ epoch: 2, attempt: 0, input: failed().input });
		const restarted = applied(job, { type: 'start', epoch: 2 }, NOW + 1);
		expect(cellOf(restarted, { type: 'complete', fence: FENCE, reply: REPLY }, NOW + 2)).toBe('!stale');
		expect(job.history.map(({ type }) => type)).toEqual(['accepted', 'started', 'failed', 'accepted']);
	});

	it('has nothing to run again once the job succeeded, and so keeps no input', () => {
		expect(succeeded().input).toBeUndefined();
	});
});

describe('a start that is repeated', () => {
	const START = { type: 'start', epoch: 1, delivery: 'a' } as const;

	it('by the same delivery gets the lease that it has already: the first answer was lost', () => {
		const job = applied(queued(), START, NOW);
		expect(transition(job, START, NOW + 500)).toEqual({ job, effects: [] });
	});

	it('by another delivery, or by one without a name, gets none', () => {
		const job = applied(queued(), START, NOW);
		expect(transition(job, { ...START, delivery: 'b' }, NOW + 500).refusal).toBe('leased');
		expect(transition(job, { type: 'start', epoch: 1 }, NOW + 500).refusal).toBe('leased');
		const nameless = applied(queued(), { type: 'start', epoch: 1 }, NOW);
		expect(transition(nameless, { type: 'start', epoch: 1 }, NOW + 500).refusal).toBe('leased');
	});

	it('after the attempt has ended gets none', () => {
		const job = applied(applied(queued(), START, NOW), { type: 'complete', fence: FENCE, reply: REPLY }, NOW + 10);
		expect(transition(job, START, NOW + 500).refusal).toBe('finished');
	});
});

describe('wake', () => {
	const SECOND = 1_000;

	/** Advances a job as its alarm does, every time it is due. `keep` changes the job between two checks. */
	function looksOf(job: JobRecord, keep: (job: JobRecord, before: JobRecord) => JobRecord) {
		const looks: { at: number; isSent: boolean; isWritten: boolean }[] = [];
		let now = T0;
		let kept = job;
		while (kept.state.name === 'pending' && looks.length < 100) {
			now = nextAlarmAt(kept, now);
			const result = transition(kept, { type: 'wake' }, now);
			looks.push({ at: now - T0, isSent: result.effects.length > 0, isWritten: !result.volatile });
			kept = result.volatile ? keep(result.job, kept) : result.job;
		}
		return { looks, last: kept };
	}

	it.each([
		['remembers its looks', (job: JobRecord) => job],
		['forgets them, as an object that was put out of memory does', (_: JobRecord, before: JobRecord) => before],
	])('sends a lost message again after 20 s, each time twice as late, and gives up in the end, also if it %s', (_, keep) => {
		const { looks, last } = looksOf(queued(), keep);
		expect(looks.slice(0, 5).map(({ at }) => at / SECOND)).toEqual([20, 60, 140, 300, 620]);
		expect(looks.filter(({ isSent }) => isSent)).toHaveLength(MAX_RESENDS);
		expect(looks.slice(0, -1).every(({ isSent }) => isSent)).toBe(true);
		expect(looks.at(-1)?.at).toBeGreaterThan(4 * 86_400 * SECOND);
		expect(last.state).toMatchObject({
			name: 'failed',
			phase: 'dead-lettered',
			error: { code: 'DeliveryFailed', retryable: true },
		});
	});

	it('writes nothing at a look: only the last one, and giving up, are written', () => {
		const { looks } = looksOf(queued(), (_, before) => before);
		expect(looks.map(({ isWritten }) => isWritten).indexOf(true)).toBe(looks.length - 2);
	});

	it('sends at most a dozen duplicates behind a backlog of a day', () => {
		const { looks } = looksOf(queued(), (job) => job);
		expect(looks.filter(({ at }) => at <= 86_400 * SECOND).length).toBeLessThanOrEqual(13);
	});

	it('sends once more, and waits, when the whole schedule passed without a look', () => {
		const aWeekLater = T0 + 7 * 86_400 * SECOND;
		const last = transition(queued(), { type: 'wake' }, aWeekLater);
		expect(last.effects).toEqual([{ type: 'enqueue' }]);
		expect(last.job.state).toMatchObject({ name: 'pending', isLastTry: true });
		expect(nextAlarmAt(last.job, aWeekLater)).toBe(aWeekLater + WATCHDOG_MS.max);
	});

	it('sends the first message of a job that was delayed beyond what a queue can hold', () => {
		const job = accepted({ ...submission({ delaySeconds: 90_000 }), sent: false }, T0);
		const due = T0 + 90_000 * SECOND;
		expect(nextAlarmAt(job, T0)).toBe(due);
		const { job: sent, effects } = transition(job, { type: 'wake' }, due);
		expect(effects).toEqual([{ type: 'enqueue' }]);
		expect(sent.state).toMatchObject({ sentAt: due, checkAt: due + 20 * SECOND, resends: 0 });
	});

	it('goes on where an earlier version was in its schedule', () => {
		const { state, ...job } = queued();
		const old = {
			...job,
			state: { ...state, resends: 2, wakes: 2, sentAt: T0 + 60 * SECOND, checkAt: T0 + 140 * SECOND },
		};
		const result = transition(old as JobRecord, { type: 'wake' }, T0 + 140 * SECOND);
		expect(result.job.state).toMatchObject({ resends: 3, wakes: 3, checkAt: T0 + 300 * SECOND });
	});

	it('looks a bounded number of times', () => {
		expect(looksOf(queued(), (job) => job).looks.length).toBeLessThanOrEqual(MAX_WAKES + 2);
	});
});

function freeze(value: unknown): void {
	if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
	Object.freeze(value);
	for (const inner of Object.values(value)) freeze(inner);
}
