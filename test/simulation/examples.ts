/** Shrunk schedules that once broke a promise, or that random search rarely finds; each says what it shows. */
import type { JobPlan, Schedule } from './schedule.ts';

export interface Example {
	readonly shows: string;
	readonly schedule: Schedule;
}

const JOB: JobPlan = {
	lane: 'jobs',
	atMs: 0,
	attempts: [{ ms: 0, reports: 0, ends: 'answers' }],
	maxAttempts: 4,
	timeoutSeconds: 5,
	retainSeconds: 60,
	delaySeconds: 0,
	startWithinSeconds: undefined,
	hasKey: false,
	isLarge: false,
	receiver: [],
	reader: 'none',
};

const CALM = { seed: 0, maxRetries: 100, concurrency: 1, steps: [] } as const;

export const EXAMPLES: readonly Example[] = [
	{
		shows: 'an event is of the same moment before and after the object slept',
		schedule: {
			...CALM,
			jobs: [{ ...JOB, timeoutSeconds: 840, attempts: [{ ms: 900, reports: 1, ends: 'never ends' }], reader: 'pages' }],
		},
	},
	{
		shows: 'no number is given twice by an object that is reset twice in half a second',
		schedule: {
			...CALM,
			jobs: [{ ...JOB, attempts: [{ ms: 900, reports: 6, ends: 'answers' }], reader: 'pages' }],
			steps: [
				{ job: 0, at: { when: 'before', label: 'call attempt', nth: 1 }, deed: { what: 'object reset' } },
				{ job: 0, at: { when: 'before', label: 'request', nth: 4 }, deed: { what: 'object reset' } },
				{ job: 0, at: { when: 'before', label: 'timer', nth: 1 }, deed: { what: 'watch' } },
			],
		},
	},
	{
		shows: 'numbers go on when a key is used again between the end of a tombstone and its alarm',
		schedule: {
			...CALM,
			jobs: [{ ...JOB, hasKey: true }],
			steps: [
				{ job: 0, at: { when: 'before', label: 'request', nth: 1 }, deed: { what: 'alarms failed', times: 9 } },
				{ job: 0, at: { when: 'before', label: 'alarm', nth: 2 }, deed: { what: 'submit again' } },
			],
		},
	},
	{
		shows: 'a receiver that is told when retention is over can still fetch the result',
		schedule: { ...CALM, jobs: [{ ...JOB, receiver: ['500', '500', '500', '200'] }] },
	},
	{
		shows: 'an attempt whose lease is over stores nothing of its result',
		schedule: {
			...CALM,
			jobs: [{ ...JOB, attempts: [{ ms: 900, reports: 0, ends: 'answers much' }] }],
			steps: [
				{ job: 0, at: { when: 'after', label: 'work begins', nth: 1 }, deed: { what: 'clock jumps', ms: 60_000 } },
			],
		},
	},
	{
		shows: 'an upstream is asked by one consumer, though a queue that stalled hands out two messages at once',
		schedule: {
			...CALM,
			seed: 1_561_063_353,
			concurrency: 4,
			jobs: [
				{
					...JOB,
					timeoutSeconds: 60,
					attempts: [{ ms: 0, reports: 1, ends: 'fails', calls: 0 }],
					upstream: { method: 'GET', answers: ['operation fails'] },
				},
				{
					...JOB,
					lane: 'long',
					attempts: [{ ms: 30, reports: 1, ends: 'answers', calls: 0 }],
					maxAttempts: 1,
					timeoutSeconds: 1,
					retainSeconds: 3_600,
					reader: 'socket',
				},
			],
			steps: [{ job: 0, at: { atMs: 48 }, deed: { what: 'queues stall', ms: 31_064 } }],
		},
	},
	{
		shows: 'an upstream is asked by one consumer, though the clock was set forward while its job took the operation',
		schedule: {
			...CALM,
			jobs: [
				{
					...JOB,
					atMs: 5,
					maxAttempts: 2,
					attempts: [{ ms: 6_000, reports: 1, ends: 'answers', calls: 0 }],
					receiver: ['200'],
					upstream: { method: 'GET', answers: ['operation fails'] },
				},
			],
			steps: [{ job: 0, at: { atMs: 1_077 }, deed: { what: 'clock jumps', ms: 17_282 } }],
		},
	},
	{
		shows: 'no alarm comes for nothing after a clock is set back while an input arrives',
		schedule: {
			...CALM,
			seed: 1_041_700_495,
			concurrency: 4,
			maxRetries: 2,
			jobs: [
				{
					...JOB,
					lane: 'long',
					maxAttempts: 2,
					reader: 'socket',
					atMs: 30_000,
					timeoutSeconds: 1,
					attempts: [{ ms: 900, reports: 0, ends: 'answers' }],
					isLarge: true,
				},
			],
			steps: [
				{ job: 0, at: { when: 'before', label: 'commit', nth: 1 }, deed: { what: 'clock jumps', ms: -5_460_973 } },
			],
		},
	},
];
