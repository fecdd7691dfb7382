/**
 * The queue consumer. The job's object decides what happens to a job; this file carries it out. It settles each job by itself, so that
 * a slow or failing one doesn't affect the others, not even those of the same message.
 */
import { unreachableMs } from '../core/job/backoff.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';
import {
	type DeliveryMessage,
	MAX_JOBS_IN_MESSAGE,
	type ReceivedMessage,
	type SingleMessage,
	type SubscriptionMessage,
} from '../core/job/message.ts';
import type { Report } from '../core/job/object-api.ts';
import { logError } from '../log.ts';
import { type Lanes, queuesOf, WEBHOOKS_LANE } from './lanes.ts';
import { type Letter, openMessages } from './letters.ts';
import type { Purpose } from './purpose.ts';
import { type Destination, mayShare, type Sending, sendJobs, sendMessage } from './send.ts';

/** Maximum delay of a message on the platform. */
const MAX_DELAY_SECONDS = 86_400;
/** After this many deliveries, a message is replaced by a new one: the platform gives up a message after 100 retries. */
const MAX_DELIVERIES_OF_A_MESSAGE = 50;
/** Maximum number of jobs that a consumer runs at once, however many its messages name. */
const MAX_JOBS_AT_ONCE = MAX_JOBS_IN_MESSAGE;
/** Jobs that can't start within this time are sent on, so that slow jobs don't hold them up. */
export const START_WITHIN_MS = 2 * MS_PER_SECOND;

/** The handlers of the message types. */
export interface Handlers {
	/** Does the work that a job's message asks for. The outcome is already reported to the job. */
	readonly work: (received: ReceivedMessage) => Promise<Report>;
	/** Delivers an event to a webhook's receiver. The outcome is already reported to the job. */
	readonly deliver: (message: DeliveryMessage) => Promise<Report>;
	/** Serves a topic's subscription. The outcome is already reported to the topic. */
	readonly serve: (message: SubscriptionMessage) => Promise<Report>;
}

/** The dependencies of a consumer. */
export interface Consumer {
	readonly lanes: Lanes;
	readonly handlers: Handlers;
	/** The purpose of the queue. */
	readonly purpose: Extract<Purpose, { type: 'lane' }>;
}

/** A consumer with its batch. */
interface Invocation extends Consumer {
	/** A job that may crash its consumer must not affect other jobs. The number of jobs decides, not the name of the queue. */
	readonly isShared: boolean;
	/** Number of letters that are not settled yet. */
	readonly unsettled: () => number;
}

/** Handles the jobs and deliveries of a batch, up to `MAX_JOBS_AT_ONCE` of them concurrently. */
export async function consume(batch: MessageBatch, consumer: Consumer): Promise<void> {
	const letters = openMessages(batch);
	let unsettled = letters.length;
	const invocation = { ...consumer, isShared: letters.length > 1, unsettled: () => unsettled };
	const handle = async (letter: Letter) => {
		try {
			await handleLetter(letter, invocation);
		} catch (error) {
			logError('message not settled', { job: letter.body.id, messageId: letter.message.id, error });
			await comeAgainLater(letter, invocation);
		} finally {
			unsettled--;
		}
	};
	await handleInTurn(letters, handle, async (left) => {
		await sendOn(left, invocation);
		unsettled -= left.length;
	});
}

/** Handles some letters at once, and the others in turn. Those that can't be handled in time go to `sendLeft`. */
async function handleInTurn(
	letters: readonly Letter[],
	handle: (letter: Letter) => Promise<void>,
	sendLeft: (left: readonly Letter[]) => Promise<void>,
): Promise<void> {
	const waiting = [...letters];
	const handleNext = async (): Promise<void> => {
		for (let letter = waiting.shift(); letter; letter = waiting.shift()) await handle(letter);
	};
	let leftSent: Promise<void> | undefined;
	const timer =
		letters.length > MAX_JOBS_AT_ONCE
			? setTimeout(() => {
					leftSent = sendLeft(waiting.splice(0));
				}, START_WITHIN_MS)
			: undefined;
	await Promise.all(Array.from({ length: MAX_JOBS_AT_ONCE }, handleNext));
	clearTimeout(timer);
	await leftSent;
}

async function handleLetter(letter: Letter, invocation: Invocation): Promise<void> {
	const { message, body } = letter;
	const { handlers, isShared } = invocation;
	const isRepeat = message.attempts > 1;
	const report = await runHandler(handlers, { message: body, isRepeat, isShared });
	if (report.retryInMs === undefined) letter.settle();
	else if (report.next) {
		// If no queue accepts the message, the job's watchdog sends it.
		const destination = chooseDestination(letter, report, invocation);
		await sendMessage(destination, report.next, toDelaySeconds(report.retryInMs));
		letter.settle();
	} else await comeAgain(letter, report, invocation);
}

function runHandler(
	handlers: Handlers,
	{ message, ...received }: Omit<ReceivedMessage, 'message'> & { readonly message: SingleMessage },
): Promise<Report> {
	if ('epoch' in message) return handlers.work({ ...received, message });
	return 'subscription' in message ? handlers.serve(message) : handlers.deliver(message);
}

/** For a Worker that can't process messages: returns all of them to the queue. Their retries last for most of a day. */
export function putOff(batch: MessageBatch): void {
	for (const message of batch.messages) handBack(message);
}

/** Returns a message to its queue. Its next delivery is later each time. */
export function handBack(message: Message): void {
	message.retry({ delaySeconds: toDelaySeconds(unreachableMs(message.attempts, Math.random())) });
}

/** The job can't be reached. */
async function comeAgainLater(letter: Letter, invocation: Invocation): Promise<void> {
	const { message, isBundled } = letter;
	if (!isBundled) return handBack(message);
	await comeAgain(letter, { retryInMs: unreachableMs(message.attempts, Math.random()) }, invocation);
}

/**
 * Chooses the destination of a repeated message. Locally, a queue runs one batch at a time. The other queues of the lane
 * are therefore preferred, so that this batch delays nothing.
 */
function chooseDestination({ body }: Letter, { lane }: Report, { lanes, purpose }: Consumer): Destination {
	const to = 'epoch' in body ? (lane ?? purpose.lane) : WEBHOOKS_LANE;
	const isOwn = queuesOf(lanes, to) === queuesOf(lanes, purpose.lane);
	return { lanes, lane: to, lastIndex: isOwn ? purpose.index : undefined };
}

/**
 * Redelivers a job or a delivery after the time that its report says. A retry takes effect only when the whole batch has ended, so a new
 * message is sent while another letter of the batch is still being handled. A job of a bundle always gets a message of its own; if
 * no queue accepts it, the job's watchdog sends it.
 */
async function comeAgain(letter: Letter, report: Report, invocation: Invocation): Promise<void> {
	const { message, isBundled, settle } = letter;
	const { retryInMs: waitMs = 0 } = report;
	const dueAt = Date.now() + waitMs;
	const isBatchOver = invocation.unsettled() === 1 && message.attempts < MAX_DELIVERIES_OF_A_MESSAGE;
	if (isBatchOver && !isBundled) return message.retry({ delaySeconds: toDelaySeconds(waitMs) });
	const destination = chooseDestination(letter, report, invocation);
	const isSent = await sendMessage(destination, bodyAgain(letter), toDelaySeconds(waitMs));
	if (isSent || isBundled) settle();
	else message.retry({ delaySeconds: toDelaySeconds(Math.max(0, dueAt - Date.now())) });
}

/** Sends letters on that could not be handled in time: jobs in bundles again, and the others one by one. */
async function sendOn(letters: readonly Letter[], invocation: Invocation): Promise<void> {
	const { lanes, purpose } = invocation;
	const sharing: Letter[] = [];
	const sendings: Sending[] = [];
	const others: Letter[] = [];
	for (const letter of letters) {
		const { body } = letter;
		if ('epoch' in body && mayShare(purpose.lane, body)) {
			sharing.push(letter);
			sendings.push({ message: body });
		} else others.push(letter);
	}
	const destination = { lanes, lane: purpose.lane, lastIndex: purpose.index };
	const areSent = sendJobs(destination, sendings);
	await Promise.all(others.map((letter) => comeAgain(letter, { retryInMs: 0 }, invocation)));
	const isSent = await areSent;
	for (const { message, isBundled, settle } of sharing) {
		if (isSent || isBundled) settle();
		else message.retry({ delaySeconds: 0 });
	}
}

/** A new message restarts the count of deliveries, so it must say itself that its upstream's gate is to be asked. */
function bodyAgain({ body }: Letter): SingleMessage {
	if (!('upstream' in body) || !body.upstream) return body;
	return { ...body, upstream: { ...body.upstream, hasWaited: true } };
}

/** Rounds up to whole seconds, the unit of the platform. */
export function toDelaySeconds(ms: number): number {
	return Math.min(MAX_DELAY_SECONDS, Math.ceil(ms / MS_PER_SECOND));
}
