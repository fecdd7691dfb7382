/**
 * The input of a simulation, as data: some jobs, and the faults with their moments. A schedule and the code determine the run:
 * both together always give the same run. A failing schedule can therefore be shrunk, stored and run again.
 */
import fc from 'fast-check';
import { MAX_WEBHOOK_TRIES } from '../../src/core/job/limits.ts';

export const ATTEMPT_ENDS = [
	'answers',
	'answers much',
	'fails',
	'fails for good',
	'never ends',
	'kills',
	'is finished elsewhere',
	'fails elsewhere',
	'is forgotten elsewhere',
] as const;

/** The behaviour of one attempt at a job. The last planned attempt is repeated. */
export interface AttemptPlan {
	readonly ms: number;
	/** Number of progress reports. */
	readonly reports: number;
	readonly ends: (typeof ATTEMPT_ENDS)[number];
	/** Number of requests in flight at once before it works. */
	readonly calls?: number;
}

export const RECEIVER_ANSWERS = ['200', '500', '410', 'breaks', 'hangs'] as const;

export const UPSTREAM_ANSWERS = [
	'200',
	'404',
	'500',
	'503',
	'breaks',
	'hangs',
	'operation',
	'operation fails',
] as const;

/** A job that is a request to an upstream. */
export interface UpstreamPlan {
	readonly method: 'GET' | 'POST';
	/** The upstream's responses, in order, and then 200. */
	readonly answers: readonly (typeof UPSTREAM_ANSWERS)[number][];
}

export interface JobPlan {
	readonly lane: 'jobs' | 'long' | 'now';
	/** Time of its submission. */
	readonly atMs: number;
	readonly attempts: readonly AttemptPlan[];
	readonly maxAttempts: number;
	readonly timeoutSeconds: number;
	readonly retainSeconds: number;
	readonly delaySeconds: number;
	readonly startWithinSeconds: number | undefined;
	/** Submitted in a batch, which erases it. */
	readonly isInBatch?: boolean;
	/** Submitted with an idempotency key: a repeated submission is the same job. */
	readonly hasKey: boolean;
	/** The input is too large for the record. */
	readonly isLarge: boolean;
	/** The webhook receiver's responses, in order, and then 200. Without responses there is no webhook. */
	readonly receiver: readonly (typeof RECEIVER_ANSWERS)[number][];
	readonly reader: 'none' | 'socket' | 'pages';
	/** Default: the job runs a task, and follows the plans of its attempts. */
	readonly upstream?: UpstreamPlan | undefined;
}

/** Events, by the names that are printed, counted and matched. */
export const LABELS = [
	'request',
	'call accept',
	'answer accept',
	'send job',
	'deliver',
	'call startAttempt',
	'answer startAttempt',
	'work begins',
	'work ends',
	'object hears message',
	'call attempt',
	'call writeChunk',
	'call completeAttempt',
	'answer completeAttempt',
	'call failAttempt',
	'answer failAttempt',
	'settle',
	'commit',
	'alarm',
	'send job answered',
	'send delivery',
	'call delivery',
	'receiver called',
	'upstream asked',
	'call delivered',
	'timer',
] as const;

/** A moment: before or after the nth time that an event happens to a job, or a time after the beginning. */
export type Moment =
	| { readonly when: 'before' | 'after'; readonly label: (typeof LABELS)[number]; readonly nth: number }
	| { readonly atMs: number };

/** Faults that affect a number of the next operations of their kind. */
export const COUNTED = [
	'messages dropped',
	'messages duplicated',
	'sends failed',
	'sends hung',
	'calls refused',
	'calls overloaded',
	'calls hung',
	'answers lost',
	'alarms doubled',
	'alarms failed',
] as const;
/** Faults that affect operations in the same manner, with a duration in milliseconds. */
export const DELAYED = ['messages delayed', 'alarms late'] as const;
/** Faults that happen once, immediately. */
export const SUDDEN = ['object reset', 'object evicted', 'consumer killed', 'door killed', 'restart'] as const;
/** Faults that happen once, with a duration in milliseconds. */
export const TIMED = ['clock jumps', 'queues stall', 'object away'] as const;
/** The actions of a client. */
export const WISHES = ['cancel', 'retry', 'purge', 'submit again', 'read', 'watch'] as const;

export type Deed =
	| { readonly what: (typeof COUNTED)[number]; readonly times: number }
	| { readonly what: (typeof DELAYED)[number]; readonly times: number; readonly ms: number }
	| { readonly what: (typeof SUDDEN)[number] }
	| { readonly what: (typeof TIMED)[number]; readonly ms: number }
	| { readonly what: (typeof WISHES)[number] };

export interface Step {
	readonly job: number;
	readonly at: Moment;
	readonly deed: Deed;
}

export interface Schedule {
	/** Determines every latency, batch size and order. */
	readonly seed: number;
	/** Maximum number of deliveries of a message before it becomes a dead letter. */
	readonly maxRetries: number;
	/** Maximum number of batches of one queue in progress at once. */
	readonly concurrency: number;
	readonly jobs: readonly JobPlan[];
	readonly steps: readonly Step[];
}

const MAX_JOBS = 4;
const MAX_STEPS = 14;
/** Size of a crowd of jobs that sometimes arrive together: more than an invocation has connections. */
const CROWD = { min: 8, max: 10 };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Usually the first value, which is also the one that a schedule shrinks to. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
	return fc.oneof({ weight: 2, arbitrary: fc.constant(usual) }, ...others.map((other) => fc.constant(other)));
}

const attempt: fc.Arbitrary<AttemptPlan> = fc.record({
	ms: mostly(0, 30, 900, 2_500, 6_000),
	reports: mostly(0, 1, 4),
	ends: fc.oneof(
		{ weight: 6, arbitrary: fc.constant('answers' as const) },
		{ weight: 3, arbitrary: fc.constant('fails' as const) },
		{ weight: 4, arbitrary: fc.constantFrom(...ATTEMPT_ENDS) },
	),
	calls: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(1, 5, 8)),
});

const upstream: fc.Arbitrary<UpstreamPlan> = fc.record({
	method: fc.constantFrom<UpstreamPlan['method']>('GET', 'POST'),
	answers: fc.array(fc.constantFrom(...UPSTREAM_ANSWERS), { maxLength: 3 }),
});

const job: fc.Arbitrary<JobPlan> = fc.record({
	lane: mostly<JobPlan['lane']>('jobs', 'long', 'now'),
	atMs: mostly(0, 5, 400, 30 * SECOND),
	attempts: fc.array(attempt, { minLength: 1, maxLength: 3 }),
	maxAttempts: mostly(4, 1, 2),
	timeoutSeconds: mostly(5, 1, 60, 840),
	retainSeconds: mostly(60, 3_600, 86_400),
	delaySeconds: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.constantFrom(1, 40, 50_000, 200_000)),
	startWithinSeconds: fc.oneof(
		{ weight: 6, arbitrary: fc.constant(undefined) },
		fc.constantFrom<number | undefined>(1, 25, 200),
	),
	hasKey: fc.boolean(),
	isInBatch: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
	isLarge: fc.oneof({ weight: 24, arbitrary: fc.constant(false) }, fc.constant(true)),
	receiver: fc.oneof(
		{ weight: 12, arbitrary: fc.constant([]) },
		{ weight: 6, arbitrary: fc.array(fc.constantFrom(...RECEIVER_ANSWERS), { minLength: 1, maxLength: 3 }) },
		fc.constantFrom(...RECEIVER_ANSWERS).map((answer) => Array<typeof answer>(MAX_WEBHOOK_TRIES).fill(answer)),
	),
	reader: mostly<JobPlan['reader']>('none', 'socket', 'pages'),
	upstream: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, upstream),
});

const QUICK: AttemptPlan = { ms: 0, reports: 0, ends: 'answers' };
const QUICK_OR_LONG = mostly<readonly AttemptPlan[]>(
	[QUICK],
	[{ ...QUICK, ends: 'fails' }, QUICK],
	[{ ...QUICK, ms: 6 * SECOND }],
);

/** One of many jobs that arrive together: quick ones, some that fail at first, and long neighbours. */
const oneOfMany: fc.Arbitrary<JobPlan> = fc.tuple(job, QUICK_OR_LONG).map(([plan, attempts]) => ({
	...plan,
	atMs: 0,
	attempts,
	delaySeconds: 0,
	startWithinSeconds: undefined,
	isLarge: false,
	reader: 'none',
}));

const nth = fc.oneof(
	{ weight: 4, arbitrary: fc.constant(1) },
	{ weight: 3, arbitrary: fc.integer({ min: 2, max: 5 }) },
	fc.integer({ min: 6, max: 40 }),
);

const moment: fc.Arbitrary<Moment> = fc.oneof(
	{
		weight: 5,
		arbitrary: fc.record({
			when: fc.constantFrom('before' as const, 'after' as const),
			label: fc.constantFrom(...LABELS),
			nth,
		}),
	},
	fc.record({ atMs: duration(0, 3 * DAY) }),
);

/** A time of any order of magnitude. */
function duration(min: number, max: number): fc.Arbitrary<number> {
	const reach = [100, 3 * SECOND, MINUTE, HOUR, max].filter((ms) => ms > min && ms <= max);
	return fc.oneof(...reach.map((ms) => fc.integer({ min, max: ms })));
}

const times = fc.oneof(
	{ weight: 6, arbitrary: fc.constant(1) },
	{ weight: 3, arbitrary: fc.integer({ min: 2, max: 8 }) },
	fc.integer({ min: 9, max: 150 }),
);

const deed: fc.Arbitrary<Deed> = fc.oneof(
	{ weight: 5, arbitrary: fc.record({ what: fc.constantFrom(...COUNTED), times }) },
	{ weight: 2, arbitrary: fc.record({ what: fc.constantFrom(...DELAYED), times, ms: duration(1, DAY) }) },
	{ weight: 5, arbitrary: fc.record({ what: fc.constantFrom(...SUDDEN) }) },
	{ weight: 1, arbitrary: fc.record({ what: fc.constant('queues stall' as const), ms: duration(1, 3 * DAY) }) },
	{ weight: 2, arbitrary: fc.record({ what: fc.constant('object away' as const), ms: duration(100, 30 * SECOND) }) },
	{
		weight: 1,
		arbitrary: fc.record({
			what: fc.constant('clock jumps' as const),
			ms: fc.oneof(
				duration(1, 2 * DAY),
				duration(1, 2 * DAY).map((ms) => -ms),
			),
		}),
	},
	{ weight: 5, arbitrary: fc.record({ what: fc.constantFrom(...WISHES) }) },
);

const step: fc.Arbitrary<Step> = fc.record({ job: fc.nat({ max: MAX_JOBS - 1 }), at: moment, deed });

export function schedules(): fc.Arbitrary<Schedule> {
	return fc.record({
		seed: fc.integer(),
		maxRetries: mostly(100, 2),
		concurrency: mostly(1, 4),
		jobs: fc.oneof(
			{ weight: 21, arbitrary: fc.array(job, { minLength: 1, maxLength: 2 }) },
			{ weight: 7, arbitrary: fc.array(job, { minLength: 3, maxLength: MAX_JOBS }) },
			fc.array(oneOfMany, { minLength: CROWD.min, maxLength: CROWD.max }),
		),
		steps: fc.oneof(
			{ weight: 15, arbitrary: fc.array(step, { maxLength: MAX_STEPS, size: 'max' }) },
			// Without faults, every job ends as planned.
			fc.constant([]),
		),
	});
}

/** Describes a schedule for a reader: one line for each job and each step. */
export function described({ seed, maxRetries, concurrency, jobs, steps }: Schedule): string {
	return [
		`seed ${seed}, ${concurrency} batches of a queue at once, dead letters after ${maxRetries} retries`,
		...jobs.map((plan, index) => `job ${index}: ${describedJob(plan)}`),
		...steps.map(({ job, at, deed }) => `${describedMoment(job % jobs.length, at)}: ${describedDeed(deed)}`),
	].join('\n');
}

function describedJob(plan: JobPlan): string {
	const attempts = plan.attempts.map(
		({ ms, reports, ends, calls = 0 }) =>
			`${ends} after ${calls > 0 ? `${calls} calls, ` : ''}${ms} ms${reports > 0 ? ` and ${reports} reports` : ''}`,
	);
	return [
		`at ${plan.atMs} ms on lane "${plan.lane}"${plan.isInBatch ? ' in a batch' : ''}${plan.hasKey ? ' with a key' : ''}${plan.isLarge ? ', a large input' : ''}`,
		plan.upstream
			? `${plan.upstream.method} to an upstream with the responses: ${[...plan.upstream.answers, '200'].join(', ')}`
			: `attempts: ${attempts.join('; then ')}`,
		`at most ${plan.maxAttempts} of ${plan.timeoutSeconds} s, kept ${plan.retainSeconds} s`,
		...(plan.delaySeconds > 0 ? [`not before ${plan.delaySeconds} s`] : []),
		...(plan.startWithinSeconds !== undefined ? [`starts within ${plan.startWithinSeconds} s`] : []),
		...(plan.receiver.length > 0 ? [`receiver: ${plan.receiver.join(', ')}`] : []),
		...(plan.reader === 'none' ? [] : [`read by ${plan.reader}`]),
	].join(', ');
}

function describedMoment(job: number, at: Moment): string {
	return 'atMs' in at ? `at ${at.atMs} ms, job ${job}` : `${at.when} "${at.label}" no. ${at.nth} of job ${job}`;
}

function describedDeed(deed: Deed): string {
	const times = 'times' in deed ? ` × ${deed.times}` : '';
	const ms = 'ms' in deed ? ` ${deed.ms} ms` : '';
	return `${deed.what}${ms}${times}`;
}
