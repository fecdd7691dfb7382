import { describe, expect, it } from 'vitest';
import { spansOf, timelineOf, whyItWaits } from '../../dashboard/src/pure/timeline.ts';
import type { JobEvent, StatusDocument } from '../../src/client/index.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

function event(type: JobEvent['type'], second: number, job: Partial<StatusDocument> = {}): JobEvent {
	return { seq: second, type, at: at(second), job: { attempt: 1, maxAttempts: 4, ...job } as StatusDocument };
}

describe('a timeline', () => {
	it('has each wait and each attempt, with its end', () => {
		const steps = timelineOf([
			event('accepted', 0),
			event('started', 1),
			event('progress', 2),
			event('retrying', 3, { nextAttemptAt: at(5), progress: { message: 'Out of paper' } }),
			event('started', 5, { attempt: 2 }),
			event('succeeded', 8, { attempt: 2 }),
		]);
		expect(steps).toEqual([
			{ kind: 'wait', title: 'Waits for its first attempt', from: at(0), to: at(1) },
			{ kind: 'attempt', title: 'Attempt 1', from: at(1), to: at(3), outcome: 'failed', note: 'Out of paper' },
			{ kind: 'wait', title: 'Waits for attempt 2', from: at(3), to: at(5), due: at(5) },
			{ kind: 'attempt', title: 'Attempt 2', from: at(5), to: at(8), outcome: 'succeeded' },
		]);
	});

	it('leaves the last step open while the job runs', () => {
		expect(timelineOf([event('accepted', 0), event('started', 1)]).at(-1)).not.toHaveProperty('to');
	});

	it('shows a job that was canceled before it started', () => {
		const error = { code: 'Canceled', message: 'The job was canceled', retryable: true };
		const steps = timelineOf([event('accepted', 0), event('canceled', 2, { error })]);
		expect(steps).toMatchObject([{ kind: 'wait', outcome: 'canceled', note: 'Canceled: The job was canceled' }]);
	});

	it('continues after a retry of the whole job', () => {
		const steps = timelineOf([event('accepted', 0), event('started', 1), event('failed', 2), event('accepted', 60)]);
		expect(steps.map(({ title }) => title)).toEqual([
			'Waits for its first attempt',
			'Attempt 1',
			'Waits for its first attempt',
		]);
	});

	it('places the steps in the whole time', () => {
		const steps = timelineOf([event('accepted', 0), event('started', 2)]);
		expect(spansOf(steps, Date.parse(at(8)))).toEqual([
			{ start: 0, length: 0.25 },
			{ start: 0.25, length: 0.75 },
		]);
		expect(spansOf([], 0)).toEqual([]);
	});
});

it.each([
	['queued', 'sleep', /queue of its lane/],
	['delayed', 'sleep', /asked for a delay/],
	['retrying', 'sleep', /Attempt 1 of 4 failed/],
	['waiting', 'sleep', /external worker/],
	['waiting', 'upstreams/report', /upstream/],
	['canceling', 'sleep', /being stopped/],
] as const)('a job that is %s (%s) says why it waits', (phase, task, reason) => {
	expect(whyItWaits({ phase, task, attempt: 1, maxAttempts: 4 } as unknown as StatusDocument)).toMatch(reason);
});

it.each(['running', 'succeeded', 'failed', 'a phase of a newer service'])('a job that is %s does not wait', (phase) => {
	expect(whyItWaits({ phase, task: 'sleep' } as StatusDocument)).toBeUndefined();
});
