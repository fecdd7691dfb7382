/**
 * The sockets of one object. All of them hibernate: the object may be dropped from memory while they stay open, so what
 * must be known about a socket is in its attachment, and nowhere else.
 *
 * There are three kinds. A watcher is told every event, in the words its link base asks for. A waiter is told once how the
 * job is, when it is over or, if it asked for that, when anything has changed. The attempt's socket is how the running
 * attempt reports progress, and hears that it must stop.
 */
import { type BareEvent, type JobEvent, statusDocument } from '../job/document.ts';
import { MAX_WATCHERS, WATCHER_SILENT_MS } from '../job/limits.ts';
import { jobLinks, type LinkBase } from '../job/links.ts';
import type { Fence } from '../job/record.ts';
import type { LiveProgress } from '../job/recover.ts';

const WATCHER = 'watcher';
const WAITER = 'waiter';
const ATTEMPT = 'attempt';
/** A socket's `readyState`. */
const OPEN = 1;

/** The close codes a client can meet. */
export const CLOSE = {
	/** After the last event. */
	done: 1000,
	/** The client sent something other than `ping`. */
	unexpectedMessage: 1008,
	/** The socket was silent for minutes, and another client had no place. The client may come again. */
	tryAgainLater: 1013,
} as const;

/** What a waiter waits for: the end of the job, or any change. */
export type WaitUntil = 'end' | 'change';

/** What the object tells a running attempt. A wire contract between versions. */
export interface AttemptOrder {
	readonly type: 'abort';
	readonly reason: 'canceled' | 'stale';
}

/** Kept through hibernation: only add optional fields. */
interface Accepted {
	readonly acceptedAt?: number;
}

interface Waiter extends Accepted {
	readonly until: WaitUntil;
}

export class JobSockets {
	readonly #ctx: DurableObjectState;
	readonly #id: string;

	constructor(ctx: DurableObjectState) {
		this.#ctx = ctx;
		this.#id = ctx.id.toString();
		ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
	}

	/** Whether one more may watch or wait. While every place is taken, sockets of clients that may be gone make room. */
	makeRoom(now: number): boolean {
		const open = [WATCHER, WAITER].flatMap((tag) => this.#ctx.getWebSockets(tag)).filter(isOpen);
		const surplus = open.length - MAX_WATCHERS + 1;
		if (surplus <= 0) return true;
		const silent = open
			.map((socket) => ({ socket, heardAt: this.#heardAt(socket) }))
			.filter(({ heardAt }) => now - heardAt >= WATCHER_SILENT_MS)
			.sort((one, other) => one.heardAt - other.heardAt)
			.slice(0, surplus);
		for (const { socket } of silent) close(socket, CLOSE.tryAgainLater, 'silent while others wait for a place');
		return silent.length === surplus;
	}

	/** When the client last gave a sign of life. Sockets of earlier versions say no time. */
	#heardAt(socket: WebSocket): number {
		const { acceptedAt = 0 } = (socket.deserializeAttachment() ?? {}) as Accepted;
		return Math.max(acceptedAt, this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0);
	}

	/** Whether a client would hear of progress as it happens. */
	hasAudience(): boolean {
		return this.#ctx.getWebSockets(WATCHER).length > 0 || this.#ctx.getWebSockets(WAITER).length > 0;
	}

	addWatcher(socket: WebSocket, base: LinkBase, events: readonly BareEvent[]): void {
		this.#ctx.acceptWebSocket(socket, [WATCHER]);
		socket.serializeAttachment({ ...base, acceptedAt: Date.now() } satisfies LinkBase & Accepted);
		for (const event of events) this.#tell(socket, base, event);
	}

	/** Tells every watcher, and after the last event takes leave. */
	announce(events: readonly BareEvent[], isOver: boolean): void {
		for (const socket of this.#ctx.getWebSockets(WATCHER)) {
			const base = socket.deserializeAttachment() as LinkBase;
			for (const event of events) this.#tell(socket, base, event);
			if (isOver) close(socket, CLOSE.done, 'the job is over');
		}
	}

	addWaiter(socket: WebSocket, until: WaitUntil): void {
		this.#ctx.acceptWebSocket(socket, [WAITER]);
		socket.serializeAttachment({ until, acceptedAt: Date.now() } satisfies Waiter);
	}

	/** Answers whoever waits for this. @param reading how the job is, as JSON: made only when somebody does. */
	answer(isOver: boolean, reading: () => string): void {
		const due = this.#ctx
			.getWebSockets(WAITER)
			.filter((socket) => isOver || (socket.deserializeAttachment() as Waiter).until === 'change');
		if (due.length === 0) return;
		const text = reading();
		for (const socket of due) {
			send(socket, text);
			close(socket, CLOSE.done, 'answered');
		}
	}

	/** There is nothing any more that waiters could be told: they have to ask. */
	dismiss(): void {
		for (const socket of this.#ctx.getWebSockets(WAITER)) close(socket, CLOSE.done, 'gone');
	}

	addAttempt(socket: WebSocket, live: LiveProgress): void {
		this.#ctx.acceptWebSocket(socket, [ATTEMPT]);
		socket.serializeAttachment(live);
	}

	/** What the attempt's socket kept through hibernation. */
	liveProgress(): LiveProgress | undefined {
		let newest: LiveProgress | undefined;
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
		for (const socket of this.#attemptSockets(fence)) send(socket, JSON.stringify(order));
	}

	/** Ends the attempts' sockets: their work is over. */
	closeAttempts(): void {
		for (const socket of this.#ctx.getWebSockets(ATTEMPT)) close(socket, CLOSE.done, 'the attempt is over');
	}

	isAttempt(socket: WebSocket): boolean {
		return this.#ctx.getTags(socket).includes(ATTEMPT);
	}

	#attemptSockets({ epoch, attempt, createdAt }: Fence): WebSocket[] {
		return this.#ctx.getWebSockets(ATTEMPT).filter((socket) => {
			const live = socket.deserializeAttachment() as LiveProgress;
			const isOfSameJob = (live.createdAt ?? createdAt) === (createdAt ?? live.createdAt);
			return live.epoch === epoch && live.attempt === attempt && isOfSameJob;
		});
	}

	#tell(socket: WebSocket, base: LinkBase, event: BareEvent): void {
		const told: JobEvent = { ...event, job: statusDocument(event.job, jobLinks(this.#id, base), base) };
		send(socket, JSON.stringify(told));
	}
}

/** A socket that was closed here stays in the list until its other end answers, which may be never. */
function isOpen({ readyState }: WebSocket): boolean {
	return (readyState ?? OPEN) === OPEN;
}

/** A socket whose other end has gone throws: it is told nothing, and its close event follows. */
function send(socket: WebSocket, text: string): void {
	try {
		socket.send(text);
	} catch {
		close(socket, CLOSE.done, 'gone');
	}
}

export function close(socket: WebSocket, code: number, reason: string): void {
	try {
		socket.close(code, reason);
	} catch {
		// Closed already.
	}
}
