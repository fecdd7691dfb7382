/**
 * Small deliberate breaks, at least one for each invariant of the service, and the test that must notice. A test that lets
 * one of them pass doesn't hold what it says it holds.
 */

/** What the service promises, by number. */
export const INVARIANTS = {
	1: 'accepted means never lost',
	2: 'one end',
	3: 'fenced',
	4: 'reads tell the truth without the alarm',
	5: 'the alarm re-arms itself, and is bounded',
	6: 'a dead letter is a failed job',
	7: 'the work runs in the queue consumer',
	8: 'no await between reading and writing',
	9: 'an event has one number, and a number one event',
	10: 'a webhook is told each event, or shown not to be',
} as const;

/** So many of the simulation's schedules, or the tests of one file whose names have `name` in them. */
export type Killer =
	| { readonly schedules: number }
	| { readonly file: string; readonly project: 'node' | 'workerd'; readonly name?: string };

export interface Mutant {
	readonly invariant: keyof typeof INVARIANTS;
	readonly breaks: string;
	readonly file: string;
	/** Is there exactly once. */
	readonly search: string;
	readonly replacement: string;
	readonly killer: Killer;
	/** Part of what the test says when it fails: that it fails is not enough. */
	readonly says: string;
}

const SIMULATION: Killer = { schedules: 1_500 };
const EXAMPLES: Killer = { file: 'test/simulation/simulation.test.ts', project: 'node', name: 'once broken' };
const TRANSITION: Killer = { file: 'test/job/transition.test.ts', project: 'workerd' };

export const MUTANTS: readonly Mutant[] = [
	{
		invariant: 1,
		breaks: 'a job is accepted without an alarm',
		file: 'src/object/job-object.ts',
		search: 'else this.#store.setAlarmBy(nextAlarmAt(job, now));',
		replacement: 'else if (before) this.#store.setAlarmBy(nextAlarmAt(job, now));',
		killer: SIMULATION,
		says: 'there is no alarm for a job that is pending',
	},
	{
		invariant: 1,
		breaks: 'the watchdog looks, and sends nothing',
		file: 'src/job/transition.ts',
		search: "return { job: next, effects: [{ type: 'enqueue' }], volatile: true };",
		replacement: 'return { job: next, effects: [], volatile: true };',
		killer: SIMULATION,
		says: 'times for nothing',
	},
	{
		invariant: 1,
		breaks: 'a lost attempt is not given back',
		file: 'src/job/lifecycle.ts',
		search: 'lostAttempts: job.lostAttempts + 1, runsAlone: true',
		replacement: 'runsAlone: true',
		killer: SIMULATION,
		says: 'is one too many',
	},
	{
		invariant: 1,
		breaks: 'a record is written after the answer may have left',
		file: 'src/object/store.ts',
		search: 'this.#storage.kv.put(RECORD_KEY, job);',
		replacement: 'setTimeout(() => this.#storage.kv.put(RECORD_KEY, job), 2_000);',
		killer: SIMULATION,
		says: 'not durable',
	},
	{
		invariant: 2,
		breaks: 'a dead letter ends a job that is over',
		file: 'src/job/transition.ts',
		search:
			"if (epoch !== job.epoch) return refuse(job, 'stale');\n\tif (isFinal(job.state)) return refuse(job, 'finished');\n\t// A live attempt",
		replacement: "if (epoch !== job.epoch) return refuse(job, 'stale');\n\t// A live attempt",
		killer: SIMULATION,
		says: 'failed came after',
	},
	{
		invariant: 2,
		breaks: 'a retry does not begin a new epoch',
		file: 'src/job/lifecycle.ts',
		search: 'epoch: job.epoch + 1,',
		replacement: 'epoch: job.epoch,',
		killer: SIMULATION,
		says: 'accepted came after',
	},
	{
		invariant: 3,
		breaks: 'any attempt of the epoch may report',
		file: 'src/job/record.ts',
		search: 'return fence.epoch === epoch && fence.attempt === attempt && (',
		replacement: 'return fence.epoch === epoch && fence.attempt <= attempt && (',
		killer: SIMULATION,
		says: 'run',
	},
	{
		invariant: 3,
		breaks: 'any attempt may store pieces of its result',
		file: 'src/object/job-object.ts',
		search: "if (!isHeld) return { refusal: 'stale' };",
		replacement: '',
		killer: EXAMPLES,
		says: 'a stale attempt stored a piece of its result',
	},
	{
		invariant: 4,
		breaks: 'time stands still for those who ask',
		file: 'src/object/job-object.ts',
		search:
			"const job = this.#visible(tenant, now, createdAt);\n\t\tif (!job) return { found: 'nothing' };\n\t\tif (job.state.name === 'tombstone') return { found: 'tombstone', reason: job.state.reason };\n\t\tconst outcome",
		replacement:
			"const job = this.#job ?? this.#visible(tenant, now, createdAt);\n\t\tif (!job) return { found: 'nothing' };\n\t\tif (job.state.name === 'tombstone') return { found: 'tombstone', reason: job.state.reason };\n\t\tconst outcome",
		killer: SIMULATION,
		says: '"read" was answered with a job that',
	},
	{
		invariant: 5,
		breaks: 'a fired alarm counts as still set',
		file: 'src/object/job-object.ts',
		search: 'this.#store.alarmFired();',
		replacement: '',
		killer: SIMULATION,
		says: 'there is no alarm for a job',
	},
	{
		invariant: 5,
		breaks: 'an alarm that keeps failing is left to be abandoned',
		file: 'src/object/job-object.ts',
		search: '(info?.retryCount ?? 0) >= ALARM_LAST_TRIES',
		replacement: '(info?.retryCount ?? 0) > 99',
		killer: SIMULATION,
		says: 'there is no alarm for a job',
	},
	{
		invariant: 5,
		breaks: 'messages are sent again without end',
		file: 'src/job/transition.ts',
		search: 'if (state.isLastTry) return changed',
		replacement: 'if (state.resends > 99) return changed',
		killer: TRANSITION,
		says: 'gives up in the end',
	},
	{
		invariant: 5,
		breaks: 'duplicates behind a backlog come ever at the same pace',
		file: 'src/job/backoff.ts',
		search: 'WATCHDOG_MS.first * 2 ** wakes',
		replacement: 'WATCHDOG_MS.first',
		killer: TRANSITION,
		says: 'at most a dozen duplicates behind a backlog of a day',
	},
	{
		invariant: 5,
		breaks: 'an alarm is set to the moment at which its handler runs',
		file: 'src/object/store.ts',
		search: 'Math.max(at, Date.now() + MIN_ALARM_AHEAD_MS)',
		replacement: 'at',
		killer: { file: 'test/object/store.test.ts', project: 'workerd' },
		says: 'is set later than now',
	},
	{
		invariant: 3,
		breaks: 'any delivery gets the lease that another was given',
		file: 'src/job/transition.ts',
		search: 'delivery !== undefined && job.state.delivery === delivery;',
		replacement: 'delivery !== undefined;',
		killer: SIMULATION,
		says: 'was given out twice',
	},
	{
		invariant: 1,
		breaks: 'a retry waits for the end of its batch',
		file: 'src/queue/consume.ts',
		search: 'unsettled() === 1 && message.attempts < MAX_DELIVERIES_OF_A_MESSAGE;',
		replacement: 'true;',
		killer: { file: 'test/queue/consume.test.ts', project: 'workerd' },
		says: 'is sent at once while a neighbour is still at work',
	},
	{
		invariant: 6,
		breaks: 'a dead letter is thrown away',
		file: 'src/queue/consume.ts',
		search: "if ('epoch' in body) await jobs.call(body.id, (job) => job.deadLetter(body.epoch));",
		replacement: '',
		killer: { file: 'test/flow/delivery.test.ts', project: 'workerd', name: 'given up by the queue' },
		says: 'fails the job, visibly and retryable',
	},
	{
		invariant: 6,
		breaks: 'a dead letter fails a job that is running',
		file: 'src/job/transition.ts',
		search: "if (job.state.name === 'running') return refuse(job, 'leased');",
		replacement: '',
		killer: TRANSITION,
		says: 'deadLetter',
	},
	{
		invariant: 7,
		breaks: 'an object knows how to work',
		file: 'src/object/store.ts',
		search: "import type { JobRecord } from '../job/record.ts';",
		replacement: "import type { JobRecord } from '../job/record.ts';\nimport '../work/attempt.ts';",
		killer: { file: 'test/structure/arrows.test.ts', project: 'node' },
		says: 'object/store.ts imports ../work/attempt.ts',
	},
	{
		invariant: 7,
		breaks: 'an object calls a receiver itself',
		file: 'src/object/job-object.ts',
		search: 'await Promise.all([this.#sendAgain(woken), this.#redeliver(redelivered, late)]);',
		replacement: "if (late.length > 0) await fetch(job.webhook?.url ?? '');",
		killer: SIMULATION,
		says: 'a receiver was called from object',
	},
	{
		invariant: 8,
		breaks: 'a job is accepted some time after it was looked for',
		file: 'src/object/job-object.ts',
		search: 'const existing = this.#current(now);',
		replacement: 'const existing = this.#current(now);\n\t\tawait scheduler.wait(5);',
		killer: SIMULATION,
		says: '"accept" was answered with a job that',
	},
	{
		invariant: 8,
		breaks: 'an attempt is started some time after the job was looked at',
		file: 'src/object/job-object.ts',
		search: 'const result = this.#apply({ ...command, ...(delivery !== undefined && { delivery }) }, now);',
		replacement: [
			'const before = this.#current(now);',
			'await scheduler.wait(5);',
			"const result = before && transition(before, { type: 'start', epoch }, now);",
			'if (before && result && result.job !== before) this.#commit(result.job, before, now);',
		].join('\n'),
		killer: SIMULATION,
		says: 'was given out twice',
	},
	{
		invariant: 9,
		breaks: 'numbers that were given before a reset are given again',
		file: 'src/job/recover.ts',
		search: 'return { ...job, seq: numberedUntil(job) };',
		replacement: 'return job;',
		killer: SIMULATION,
		says: 'event',
	},
	{
		invariant: 9,
		breaks: 'what goes beyond the reserved numbers is not written',
		file: 'src/object/job-object.ts',
		search: 'if (!isVolatile || job.seq > this.#numberedUntil) {',
		replacement: 'if (!isVolatile) {',
		killer: EXAMPLES,
		says: 'no number is given twice by an object that is reset twice in half a second',
	},
	{
		invariant: 10,
		breaks: 'the id of a webhook message comes again for a later job of the same key',
		file: 'src/job/webhook.ts',
		search: 'return webhook?.idsNameBirth ?',
		replacement: 'return webhook?.isDisabled ?',
		killer: { file: 'test/flow/key-used-again.test.ts', project: 'workerd', name: 'message id' },
		says: 'gets a message id that the first job never had, when nothing is left of it',
	},
	{
		invariant: 10,
		breaks: 'the time of a delivery runs out while it waits for a connection',
		file: 'src/notify/deliver.ts',
		search: 'return messenger.connections.use(() => deliverNow(messenger, message));',
		replacement: 'return deliverNow(messenger, message);',
		killer: { file: 'test/notify/connections.test.ts', project: 'workerd' },
		says: 'that are slow takes no time from the fast ones behind them',
	},
	{
		invariant: 10,
		breaks: 'a delivery that must make room is not shown as given up',
		file: 'src/job/webhook.ts',
		search: 'return isLost || surplus.has(delivery) ? givenUp(delivery) : delivery;',
		replacement: 'return delivery;',
		killer: { file: 'test/job/webhook.test.ts', project: 'workerd' },
		says: 'that has too much to be told is told the newest, and shown what was given up',
	},
	{
		invariant: 10,
		breaks: 'progress is told again by each message that comes late',
		file: 'src/object/job-object.ts',
		search: ' || job.seq <= this.#toldProgressSeq',
		replacement: '',
		killer: { file: 'test/notify/webhook.test.ts', project: 'workerd', name: 'newest progress' },
		says: 'is told of the newest progress there is, once, however late its message comes',
	},
];
