/**
 * Sends the messages of single submissions. Where many submissions reach this isolate within milliseconds, they share messages. The
 * first one after a pause is sent at once, so that a lone job never waits.
 *
 * A request may not do I/O for another one. The first submission of a bundle therefore waits with its own timer and sends with its own
 * binding; the others only add their jobs to its array. If its request is canceled, the jobs that it holds get no message, and the
 * watchdog of each sends one after 20 s.
 */
import { type JobMessage, MAX_JOBS_IN_MESSAGE } from '../core/job/message.ts';
import type { Lanes } from './lanes.ts';
import { mayShare, type Sending, sendJob, sendJobs } from './send.ts';

/** Submissions that are at most this far apart share a message, and the first of them waits this long for the others. */
const BUNDLE_WITHIN_MS = 10;
/** On a busy isolate, timers are late. A bundle that is older than this has lost its request and takes no more jobs. */
const BUNDLE_LOST_AFTER_MS = 100;

/** A message that waits for more jobs. */
interface Bundle {
	readonly messages: JobMessage[];
	readonly openedAt: number;
}

interface Traffic {
	lastAt: number;
	open?: Bundle | undefined;
}

/** The submissions of this isolate to the lane that bundles. */
const traffic = new WeakMap<Lanes, Traffic>();

/** Resolves when the job's message is sent, given up, or left to an earlier request; never rejects. */
export async function sendSubmission(lanes: Lanes, lane: string, sending: Sending): Promise<void> {
	const { message, delaySeconds = 0 } = sending;
	if (delaySeconds > 0 || !mayShare(lane, message)) return sendJob(lanes, lane, sending);
	const now = Date.now();
	const recent = traffic.get(lanes) ?? { lastAt: 0 };
	const isDense = now - recent.lastAt <= BUNDLE_WITHIN_MS;
	traffic.set(lanes, recent);
	recent.lastAt = now;
	if (recent.open && hasRoom(recent.open, now)) {
		recent.open.messages.push(message);
		return;
	}
	if (!isDense) return sendJob(lanes, lane, sending);
	const bundle: Bundle = { messages: [message], openedAt: now };
	recent.open = bundle;
	await scheduler.wait(BUNDLE_WITHIN_MS);
	if (recent.open === bundle) recent.open = undefined;
	await sendJobs(
		{ lanes, lane },
		bundle.messages.map((each) => ({ message: each })),
	);
}

function hasRoom({ messages, openedAt }: Bundle, now: number): boolean {
	return messages.length < MAX_JOBS_IN_MESSAGE && now - openedAt < BUNDLE_LOST_AFTER_MS;
}
