/** A job's life as a list of waits and attempts, made of its events. */
import type { JobEvent, StatusDocument } from '../../../src/client/index.ts';

export interface Step {
	readonly kind: 'wait' | 'attempt';
	readonly title: string;
	readonly from: string;
	/** Left out while the step lasts. */
	readonly to?: string;
	/** A wait ends at this time, or later. */
	readonly due?: string;
	/** How it ended. */
	readonly note?: string;
	readonly outcome?: 'succeeded' | 'failed' | 'canceled';
}

/** The steps, the oldest first. Unknown events add nothing. */
export function timelineOf(events: readonly JobEvent[]): Step[] {
	const steps: Step[] = [];
	for (const event of events) steps.splice(0, steps.length, ...afterEvent(steps, event));
	return steps;
}

function afterEvent(steps: readonly Step[], event: JobEvent): Step[] {
	const { type, at, job } = event;
	switch (type) {
		case 'accepted':
			return [...close(steps, at), waitStep(event, 'Waits for its first attempt')];
		case 'started':
			return [...close(steps, at), { kind: 'attempt', title: `Attempt ${job.attempt}`, from: at }];
		case 'retrying': {
			const failed = close(steps, at, { outcome: 'failed', ...noteOf(job.progress?.message) });
			return [...failed, waitStep(event, `Waits for attempt ${job.attempt + 1}`)];
		}
		case 'succeeded':
		case 'failed':
		case 'canceled':
			return close(steps, at, { outcome: type, ...noteOf(job.error && `${job.error.code}: ${job.error.message}`) });
		default:
			return [...steps];
	}
}

function waitStep({ at, job }: JobEvent, title: string): Step {
	const due = job.nextAttemptAt === undefined ? {} : { due: job.nextAttemptAt };
	return { kind: 'wait', title, from: at, ...due };
}

function noteOf(note: string | undefined): { readonly note?: string } {
	return note === undefined ? {} : { note };
}

/** Ends the last step, if it lasts. */
function close(steps: readonly Step[], to: string, end: Pick<Step, 'note' | 'outcome'> = {}): Step[] {
	const last = steps.at(-1);
	if (!last || last.to !== undefined) return [...steps];
	return [...steps.slice(0, -1), { ...last, to, ...end }];
}

export interface StepSpan {
	/** Share of the whole before the step, and of the step: 0 to 1. */
	readonly start: number;
	readonly length: number;
}

/** Where each step lies in the time from the first one to the end, or to now. */
export function spansOf(steps: readonly Step[], nowMs: number): StepSpan[] {
	const from = Date.parse(steps[0]?.from ?? '');
	const ends = steps.map(({ to }) => (to === undefined ? nowMs : Date.parse(to)));
	const whole = Math.max(1, Math.max(...ends) - from);
	return steps.map((step, index) => {
		const start = Math.max(0, Date.parse(step.from) - from);
		return { start: start / whole, length: Math.max(0, (ends[index] ?? nowMs) - from - start) / whole };
	});
}

/** Why a job does not run now, as one sentence; `undefined` for a job that runs or has ended. */
export function whyItWaits(job: StatusDocument): string | undefined {
	const isForwarded = job.task.startsWith('upstreams/');
	switch (job.phase) {
		case 'queued':
			return 'It is in the queue of its lane, and starts when a consumer is free.';
		case 'delayed':
			return 'Its submission asked for a delay. It starts when that is over.';
		case 'retrying':
			return `Attempt ${job.attempt} of ${job.maxAttempts} failed. The next one starts after a growing wait.`;
		case 'waiting':
			return isForwarded
				? 'Its upstream has no place for another request, is tripped, or works on the answer.'
				: 'An external worker has the attempt, and reports when it is done.';
		case 'canceling':
			return 'It was canceled. Its attempt is being stopped.';
		default:
			return undefined;
	}
}
