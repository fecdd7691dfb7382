/**
 * Sends the messages of single submissions. Where many submissions reach this isolate one soon after the other, they share messages. The
 * first two after a pause are sent at once, so that neither a lone job nor one job after the other ever waits.
 *
 * A request may not do I/O for another one. The first submission of a bundle therefore waits with its own timer and sends with its own
 * binding; the others only add their jobs to its array. If its request is canceled, the jobs that it holds get no message, and the
 * watchdog of each sends one after 20 s.
 */
import { MAX_JOBS_IN_MESSAGE } from '../core/job/message.ts';
import type { Lanes } from './lanes.ts';
import { mayShare } from './send.ts';
import { type NewJobSending, tellAndSend } from './tell-first.ts';

/** Three submissions within this time come together. A bundle waits for the next one for this long. */
const TOGETHER_MS = 30;
/** Maximum number of times that a bundle waits, so a job waits for 120 ms at most. At 100 submissions a second, about ten share a message. */
const MAX_WAITS_OF_BUNDLE = 4;
/** On a busy isolate, timers are late. A bundle that is older than this has lost its request and takes no more jobs. */
const BUNDLE_LOST_AFTER_MS = 300;

/** A message that waits for more jobs. */
interface Bundle {
	readonly sendings: NewJobSending[];
	readonly openedAt: number;
}

interface Traffic {
	/** The times of the last two submissions. A client that submits one job after the other is no crowd. */
	lastAt: number;
	beforeLastAt: number;
	open?: Bundle | undefined;
}

/** The submissions of this isolate to the lane that bundles. */
const traffic = new WeakMap<Lanes, Traffic>();

/** Resolves when the job's message is sent, given up, or left to an earlier request; never rejects. */
export async function sendSubmission(lanes: Lanes, lane: string, sending: NewJobSending): Promise<void> {
	const { message, delaySeconds = 0 } = sending;
	const destination = { lanes, lane };
	if (delaySeconds > 0 || !mayShare(lane, message)) return tellAndSend(destination, [sending]);
	const now = Date.now();
	const recent = traffic.get(lanes) ?? { lastAt: 0, beforeLastAt: 0 };
	const isLone = now - recent.beforeLastAt > TOGETHER_MS;
	traffic.set(lanes, recent);
	recent.beforeLastAt = recent.lastAt;
	recent.lastAt = now;
	if (recent.open && hasRoom(recent.open) && now - recent.open.openedAt < BUNDLE_LOST_AFTER_MS) {
		recent.open.sendings.push(sending);
		return;
	}
	if (isLone) return tellAndSend(destination, [sending]);
	await tellAndSend(destination, await collect(recent, { sendings: [sending], openedAt: now }));
}

/** Keeps a bundle open while submissions come together. It counts jobs and waits, because the clock may be set back. */
async function collect(recent: Traffic, bundle: Bundle): Promise<readonly NewJobSending[]> {
	recent.open = bundle;
	const { sendings } = bundle;
	for (
		let waits = 1, before = 0;
		sendings.length > before && hasRoom(bundle) && waits <= MAX_WAITS_OF_BUNDLE;
		waits++
	) {
		before = sendings.length;
		await scheduler.wait(TOGETHER_MS);
	}
	if (recent.open === bundle) recent.open = undefined;
	return sendings;
}

function hasRoom({ sendings }: Bundle): boolean {
	return sendings.length < MAX_JOBS_IN_MESSAGE;
}
