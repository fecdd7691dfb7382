/**
 * The sockets of one object. All of them hibernate: the object may be evicted from memory while they stay open. The state
 * of a socket is therefore in its attachment, and nowhere else.
 *
 * There are three kinds. A watcher receives every event, with the links of its link base. A waiter receives the job's
 * state once: when the job has finished or, on request, at the next change. The attempt's socket carries progress from
 * the running attempt, and the order to stop.
 */
import { type BareEvent, type JobEvent, statusDocument } from '../core/job/document.ts';
import { MAX_WATCHERS, WATCHER_SILENT_MS } from '../core/job/limits.ts';
import { jobLinks, type LinkBase } from '../core/job/links.ts';
import type { Fence } from '../core/job/record.ts';
import type { LiveProgress } from '../core/job/recover.ts';

const WATCHER = 'watcher';
const WAITER = 'waiter';
const ATTEMPT = 'attempt';
/** A socket's `readyState`. */
const OPEN = 1;

/** The codes that stand for no code: a close frame without one, and a connection that broke (RFC 6455 §7.1.5). They can't be sent. */
export const CLOSED_WITHOUT_CODE = 1005;
export const CLOSED_WITHOUT_FRAME = 1006;

/** The close codes that a client can receive. */
export const CLOSE = {
	/** After the last event. */
	done: 1000,
	/** The client sent something other than `ping`. */
	unexpectedMessage: 1008,
	/** The socket was silent for minutes, and the limit of watchers was reached. The client may reconnect. */
	tryAgainLater: 1013,
} as const;

/** The condition that a waiter waits for: the end of the job, or any change. */
export type LongPollGoal = 'end' | 'change';

/** A message from the object to a running attempt. A wire contract between versions. */
export interface AttemptOrder {
	readonly type: 'abort';
	readonly reason: 'canceled' | 'stale';
}

/** Persisted across hibernation: only add optional fields. */
interface Accepted {
	readonly acceptedAt?: number;
}

interface Listening extends Accepted {
	/** The last event that the client has, as of the last time that this was written. */
	readonly heard?: number | undefined;
}

/** A client that receives events. */
interface Watcher {
	readonly base: LinkBase;
	readonly heard: number | undefined;
}

interface Waiter extends Accepted {
	readonly until: LongPollGoal;
}

export class JobSockets {
	readonly #ctx: DurableObjectState;
	readonly #id: string;
	/** What the last closed link of an attempt had: it may have woken this instance, and the platform lists it no more. */
	#left: LiveProgress | undefined;

	constructor(ctx: DurableObjectState) {
		this.#ctx = ctx;
		this.#id = ctx.id.toString();
		ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
	}

	/** Whether one more watcher or waiter is allowed. At the limit, this closes sockets whose client may have disappeared. */
	makeRoom(now: number): boolean {
		const open = [WATCHER, WAITER].flatMap((tag) => this.#ctx.getWebSockets(tag)).filter(isOpen);
		return closeSilent(this.#ctx, { open, surplus: open.length - MAX_WATCHERS + 1, now });
	}

	/** Whether any watcher or waiter would receive progress now. */
	hasAudience(): boolean {
		return this.#ctx.getWebSockets(WATCHER).length > 0 || this.#ctx.getWebSockets(WAITER).length > 0;
	}

	/** @param watcher `heard`: the last event that the client has. */
	addWatcher(socket: WebSocket, watcher: Pick<Watcher, 'base' | 'heard'>, events: readonly BareEvent[]): void {
		const heard = events.at(-1)?.seq ?? watcher.heard;
		this.#ctx.acceptWebSocket(socket, [WATCHER]);
		socket.serializeAttachment({ ...watcher.base, acceptedAt: Date.now(), heard } satisfies LinkBase & Listening);
		for (const event of events) this.#tell(socket, watcher.base, event);
	}

	/** Sends events to every watcher, and closes the sockets after the last event. */
	announce(events: readonly BareEvent[], isOver: boolean): void {
		// The object may forget a start, and announce it again.
		const isForgettable = !isOver && events.some(({ type }) => type === 'started');
		for (const socket of this.#ctx.getWebSockets(WATCHER)) {
			const base = socket.deserializeAttachment() as LinkBase & Listening;
			for (const event of events) if (event.seq > (base.heard ?? 0)) this.#tell(socket, base, event);
			if (isForgettable) socket.serializeAttachment({ ...base, heard: events.at(-1)?.seq });
			if (isOver) closeQuietly(socket, CLOSE.done, 'the job has finished');
		}
	}

	addWaiter(socket: WebSocket, until: LongPollGoal): void {
		this.#ctx.acceptWebSocket(socket, [WAITER]);
		socket.serializeAttachment({ until, acceptedAt: Date.now() } satisfies Waiter);
	}

	/** Responds to waiters. @param reading the job's state as JSON; called only if a waiter is due. */
	answer(isOver: boolean, reading: () => string): void {
		const due = this.#ctx
			.getWebSockets(WAITER)
			.filter((socket) => isOver || (socket.deserializeAttachment() as Waiter).until === 'change');
		if (due.length === 0) return;
		const text = reading();
		for (const socket of due) {
			sendQuietly(socket, text);
			closeQuietly(socket, CLOSE.done, 'answered');
		}
	}

	/** Closes the waiters' sockets: the job is gone, and clients must ask again. */
	dismiss(): void {
		for (const socket of this.#ctx.getWebSockets(WAITER)) closeQuietly(socket, CLOSE.done, 'gone');
	}

	addAttempt(socket: WebSocket, live: LiveProgress): void {
		this.#ctx.acceptWebSocket(socket, [ATTEMPT]);
		socket.serializeAttachment(live);
	}

	/** The attachment of the attempt's socket, even if that has just closed. */
	liveProgress(): LiveProgress | undefined {
		let newest = this.#left;
		for (const socket of this.#ctx.getWebSockets(ATTEMPT)) {
			const live = socket.deserializeAttachment() as LiveProgress;
			if (newest === undefined || live.seq > newest.seq) newest = live;
		}
		return newest;
	}

	keepLiveProgress(live: LiveProgress): void {
		for (const socket of this.#attemptSockets(live)) socket.serializeAttachment(live);
	}

	abort(fence: Fence, reason: AttemptOrder['reason']): void {
		const order: AttemptOrder = { type: 'abort', reason };
		for (const socket of this.#attemptSockets(fence)) sendQuietly(socket, JSON.stringify(order));
	}

	/** Closes the attempts' sockets, because no attempt is running. */
	closeAttempts(): void {
		for (const socket of this.#ctx.getWebSockets(ATTEMPT)) closeQuietly(socket, CLOSE.done, 'the attempt has ended');
	}

	isAttempt(socket: WebSocket): boolean {
		return this.#ctx.getTags(socket).includes(ATTEMPT);
	}

	/** Returns the attempt that loses its link with this socket; `undefined` if there is none, or if it has another one. */
	attemptLeftBy(closed: WebSocket): Fence | undefined {
		// A socket that this side has closed before has no tags any more.
		const live = closed.deserializeAttachment() as Partial<LiveProgress> | null;
		if (!isOfAttempt(live)) return undefined;
		if (this.#attemptSockets(live).some((socket) => socket !== closed && isOpen(socket))) return undefined;
		this.#left = live;
		return live;
	}

	#attemptSockets({ epoch, attempt, createdAt, delivery }: Fence): WebSocket[] {
		return this.#ctx.getWebSockets(ATTEMPT).filter((socket) => {
			const live = socket.deserializeAttachment() as LiveProgress;
			const isOfSameJob = (live.createdAt ?? createdAt) === (createdAt ?? live.createdAt);
			const isOfSameDelivery = (live.delivery ?? delivery) === (delivery ?? live.delivery);
			return live.epoch === epoch && live.attempt === attempt && isOfSameJob && isOfSameDelivery;
		});
	}

	#tell(socket: WebSocket, base: LinkBase, event: BareEvent): void {
		const told: JobEvent = { ...event, job: statusDocument(event.job, jobLinks(this.#id, base), base) };
		sendQuietly(socket, JSON.stringify(told));
	}
}

/** Whether an attachment is that of an attempt's socket. */
function isOfAttempt(attachment: Partial<LiveProgress> | null): attachment is LiveProgress {
	return attachment?.attempt !== undefined;
}

/** A socket closed by this side stays in the list until the client closes it too, which may be never. */
export function isOpen({ readyState }: WebSocket): boolean {
	return (readyState ?? OPEN) === OPEN;
}

export interface SilentSockets {
	readonly open: readonly WebSocket[];
	/** Number of sockets to close; at most 0 when there is room. */
	readonly surplus: number;
	readonly now: number;
}

/** Closes sockets whose client may have disappeared. @returns whether enough of them are closed. */
export function closeSilent(ctx: DurableObjectState, { open, surplus, now }: SilentSockets): boolean {
	if (surplus <= 0) return true;
	const silent = open
		.map((socket) => ({ socket, heardAt: socketHeardAt(ctx, socket) }))
		.filter((one) => now - one.heardAt >= WATCHER_SILENT_MS)
		.sort((one, other) => one.heardAt - other.heardAt)
		.slice(0, surplus);
	for (const { socket } of silent)
		closeQuietly(socket, CLOSE.tryAgainLater, 'silent for too long at the limit of watchers');
	return silent.length === surplus;
}

/** When the client was last active. Sockets of earlier versions have no time. */
function socketHeardAt(ctx: DurableObjectState, socket: WebSocket): number {
	const { acceptedAt = 0 } = (socket.deserializeAttachment() ?? {}) as Accepted;
	return Math.max(acceptedAt, ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0);
}

/** Sending to a client that has disappeared throws. Its close event follows. */
export function sendQuietly(socket: WebSocket, text: string): void {
	try {
		socket.send(text);
	} catch {
		closeQuietly(socket, CLOSE.done, 'gone');
	}
}

export function closeQuietly(socket: WebSocket, code: number, reason: string): void {
	try {
		socket.close(code, reason);
	} catch {
		// Already closed.
	}
}
