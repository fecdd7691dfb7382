/**
 * The platform around one object: it brings the object to life when somebody calls, holds every answer back until what
 * was written before it is durable, keeps the alarm, and takes the object's memory away whenever it likes.
 */
import { copied } from './copied.ts';
import type { SimulatedSocket } from './socket.ts';
import { SimulatedStorage, type Write } from './storage.ts';
import { Isolate, type Scheduled, type World } from './world.ts';

/** What is called on an object: the methods of the class, by name. */
export type Instance = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** How the answer to a call goes back. */
export interface ReplyTo {
	readonly answer: (value: unknown) => void;
	readonly fail: (error: Error) => void;
}

/** What happened in the turn whose writes are committed. */
export interface Turn {
	readonly label: string;
	readonly args: readonly unknown[];
}

/** What the simulation adds to the platform, and who looks on. */
export interface HostOptions {
	readonly create: (context: unknown) => Instance;
	/** What the fault of this kind says, if there is one to be had. */
	readonly fault: (kind: string, job: number) => number | undefined;
	/** Somebody calls an object. */
	readonly onCall: (host: ObjectHost, name: string, caller: Isolate | undefined) => void;
	/** The rows are as they were before the turn. */
	readonly onCommit: (host: ObjectHost, writes: readonly Write[], turn: Turn) => void;
	/** An answer is made, in the turn of the call. */
	readonly onAnswer: (host: ObjectHost, method: string, value: unknown) => void;
	/** An answer leaves: what it says is durable. */
	readonly onAnswered: (
		host: ObjectHost,
		method: string,
		value: unknown,
		caller: Isolate | undefined,
		args: readonly unknown[],
	) => void;
}

interface Batch {
	readonly writes: readonly Write[];
	readonly outputs: (() => void)[];
	readonly turn: Turn;
}

interface Firing {
	readonly retries: number;
	readonly counted: number;
	/** One run too many: the alarm that is set has nothing to do with it. */
	readonly isExtra: boolean;
	isReplaced: boolean;
}

const COMMIT_MS = { min: 0, max: 4 };
/** An object that nobody asked for this long is dropped from memory, most times. */
const IDLE_MS = 10_000;
const EVICTED_SHARE = 0.8;
/** An alarm handler that threw is tried again this often. */
const MAX_ALARM_RETRIES = 6;
const ALARM_BACKOFF_MS = 2_000;
const MAX_ALARM_BACKOFF = 9;

export class ObjectHost {
	readonly id: string;
	readonly job: number;
	readonly storage = new SimulatedStorage();
	readonly sockets = new Set<SimulatedSocket>();
	readonly #world: World;
	readonly #options: HostOptions;
	#instance: Instance | undefined;
	#isolate: Isolate | undefined;
	readonly #calls = new Set<ReplyTo>();
	#turn: Turn = { label: '', args: [] };
	#outputs: (() => void)[] = [];
	#batches: Batch[] = [];
	#lastCommitMs = 0;
	#activeMs = 0;
	/** When the alarm that is durable is set for. */
	alarmAt: number | undefined;
	#alarm: Scheduled | undefined;
	#firing: Firing | undefined;
	/** An alarm whose handler threw comes back: how often it did. */
	#pendingRetry: { retries: number; counted: number } | undefined;
	/** How often the alarm's handler ran, and how often of that nothing was wrong with it. */
	alarmRuns = 0;
	soundAlarmRuns = 0;
	/** Until then nobody reaches it, and its alarm waits. */
	#awayUntilMs = 0;
	/** Counts the times that everything was deleted: what comes after has nothing to do with what was. */
	lives = 0;

	constructor(id: string, job: number, world: World, options: HostOptions) {
		this.id = id;
		this.job = job;
		this.#world = world;
		this.#options = options;
	}

	/** Whether somebody will look at it without being asked. */
	get isLookedAfter(): boolean {
		return this.alarmAt !== undefined || this.#firing !== undefined;
	}

	/** Whether nothing is under way in it. */
	get isIdle(): boolean {
		return this.#calls.size === 0 && this.#batches.length === 0 && this.#firing === undefined;
	}

	// — calls —

	call(method: string, args: readonly unknown[], reply: ReplyTo): void {
		const instance = this.#wake(`call ${method}`, args);
		this.#calls.add(reply);
		const settle = (send: () => void) =>
			this.output(() => {
				this.#calls.delete(reply);
				send();
			});
		Promise.resolve(instance[method]?.(...args)).then(
			(value) => {
				this.#options.onAnswer(this, method, value);
				const sent = method === 'fetch' ? value : copied(value);
				settle(() => reply.answer(sent));
			},
			(error: Error) => settle(() => reply.fail(error)),
		);
	}

	hear(socket: SimulatedSocket, message: string): void {
		this.#handle('webSocketMessage', [socket, message]);
	}

	hearClose(socket: SimulatedSocket, code: number): void {
		this.sockets.delete(socket);
		this.#handle('webSocketClose', [socket, code, '', code === 1000]);
	}

	#handle(method: string, args: readonly unknown[]): void {
		this.#wake(method, args)[method]?.(...args);
	}

	/** Leaves when everything that was written before is durable. */
	output(send: () => void): void {
		this.#outputs.push(send);
	}

	// — memory —

	#wake(label: string, args: readonly unknown[]): Instance {
		const world = this.#world;
		const isIdleLong = this.isIdle && world.nowMs - this.#activeMs >= IDLE_MS;
		if (this.#instance && isIdleLong && world.dice('idle', this.job) < EVICTED_SHARE) this.evict();
		this.#activeMs = world.nowMs;
		this.#turn = { label, args };
		if (!this.#instance || !this.#isolate) {
			this.#isolate = new Isolate('object', this.job);
			this.#isolate.onTurnEnd = () => this.#endTurn();
			this.#isolate.output = (send) => this.output(send);
			world.current = this.#isolate;
			this.storage.forget();
			this.#instance = this.#options.create(this.#context());
		}
		world.current = this.#isolate;
		return this.#instance;
	}

	#context(): unknown {
		const sockets = this.sockets;
		return {
			id: { toString: () => this.id },
			storage: this.storage,
			acceptWebSocket: (socket: SimulatedSocket, tags: string[] = []) => {
				socket.hostedBy(this, tags);
				sockets.add(socket);
			},
			getWebSockets: (tag?: string) => [...sockets].filter((socket) => tag === undefined || socket.tags.includes(tag)),
			getTags: (socket: SimulatedSocket) => socket.tags,
			setWebSocketAutoResponse: () => {},
			waitUntil: () => {},
		};
	}

	/** Its memory is wanted elsewhere. Sockets stay open. @returns whether it could be done: nothing may be under way. */
	evict(): boolean {
		if (!this.#instance || !this.isIdle) return false;
		this.#isolate?.die();
		this.#instance = undefined;
		this.#isolate = undefined;
		return true;
	}

	/** It is gone from one moment to the next: memory, sockets and whatever was not durable. Callers hear of it. */
	reset(): boolean {
		if (!this.#instance) return false;
		this.#isolate?.die();
		this.#instance = undefined;
		this.#isolate = undefined;
		this.#batches = [];
		this.#outputs = [];
		for (const call of this.#calls) call.fail(resetError());
		this.#calls.clear();
		for (const socket of this.sockets) socket.cut();
		this.sockets.clear();
		// It was not the handler's fault: the platform tries again, and doesn't count it.
		if (this.#firing) this.#fired(this.#firing, 'reset');
		return true;
	}

	/** It is gone for a while, as while it moves to another machine: calls fail, sockets break, the alarm waits. */
	goAway(ms: number): void {
		this.#awayUntilMs = Math.max(this.#awayUntilMs, this.#world.nowMs + ms);
		if (this.reset()) return;
		for (const socket of this.sockets) socket.cut();
		this.sockets.clear();
	}

	/** What a caller gets while it is away; `undefined` when it is there. */
	get absence(): Error | undefined {
		if (this.#world.nowMs >= this.#awayUntilMs) return undefined;
		return awayError(this.#world.between(0, AWAY_ERRORS - 1, 'absence', this.job));
	}

	// — the gate —

	#endTurn(): void {
		const writes = this.storage.takeWrites();
		const outputs = this.#outputs;
		if (writes.length === 0 && outputs.length === 0) return;
		this.#outputs = [];
		const last = this.#batches.at(-1);
		if (writes.length > 0) this.#startCommit({ writes, outputs, turn: this.#turn });
		else if (last) last.outputs.push(...outputs);
		else for (const send of outputs) send();
	}

	#startCommit(batch: Batch): void {
		const world = this.#world;
		this.#batches.push(batch);
		const at = world.nowMs + world.between(COMMIT_MS.min, COMMIT_MS.max, 'commit', this.job);
		this.#lastCommitMs = Math.max(this.#lastCommitMs, at);
		world.schedule(this.#lastCommitMs - world.nowMs, {
			label: 'commit',
			job: this.job,
			isolate: this.#isolate,
			isQuiet: true,
			run: () => this.#commit(batch),
		});
	}

	#commit(batch: Batch): void {
		this.#batches.shift();
		this.#options.onCommit(this, batch.writes, batch.turn);
		this.storage.commit(batch.writes);
		for (const write of batch.writes) {
			if (write.type === 'alarm') this.#alarmSet(write.at);
			if (write.type === 'deleteAll') {
				this.lives++;
				this.#alarmSet(undefined);
			}
		}
		for (const send of batch.outputs) send();
	}

	// — the alarm —

	#alarmSet(at: number | undefined): void {
		this.alarmAt = at;
		this.#pendingRetry = undefined;
		if (this.#firing) this.#firing.isReplaced = true;
		else this.armAlarm();
	}

	/** Alarms go by the clock: when it jumps, they are sooner or later. */
	armAlarm(): void {
		if (this.#firing || this.#pendingRetry) return;
		if (this.#alarm) this.#alarm.isCanceled = true;
		this.#alarm = undefined;
		if (this.alarmAt === undefined) return;
		const lateMs = this.#options.fault('alarms late', this.job) ?? 0;
		this.#scheduleAlarm(Math.max(0, this.alarmAt - this.#world.clock) + lateMs, {
			retries: 0,
			counted: 0,
			isExtra: false,
		});
	}

	#scheduleAlarm(delayMs: number, firing: Omit<Firing, 'isReplaced'>): void {
		this.#alarm = this.#world.schedule(delayMs, {
			label: 'alarm',
			job: this.job,
			run: () => this.#fire({ ...firing, isReplaced: false }),
		});
	}

	#fire(firing: Firing): void {
		const awayMs = this.#awayUntilMs - this.#world.nowMs;
		if (awayMs > 0) return this.#scheduleAlarm(awayMs, firing);
		const isFailing = this.#options.fault('alarms failed', this.job) !== undefined;
		// What fails in it is reading: that it does only when memory is empty.
		if (isFailing) this.evict();
		const instance = this.#wake('alarm', []);
		this.#firing = firing;
		this.#pendingRetry = undefined;
		this.alarmRuns++;
		if (!isFailing && !firing.isExtra) this.soundAlarmRuns++;
		this.storage.isFailing = isFailing;
		const settle = (how: 'ok' | 'failed') =>
			this.output(() => {
				if (this.#firing === firing) this.#fired(firing, how);
			});
		Promise.resolve(instance.alarm?.({ isRetry: firing.retries > 0, retryCount: firing.counted })).then(
			() => settle('ok'),
			() => settle('failed'),
		);
		this.storage.isFailing = false;
	}

	#fired(firing: Firing, how: 'ok' | 'failed' | 'reset'): void {
		this.#firing = undefined;
		if (how === 'ok' && this.#options.fault('alarms doubled', this.job) !== undefined) {
			if (!firing.isReplaced && !firing.isExtra) this.alarmAt = undefined;
			return this.#scheduleAlarm(0, { retries: 0, counted: 0, isExtra: true });
		}
		if (firing.isReplaced || firing.isExtra) return this.armAlarm();
		const counted = firing.counted + (how === 'failed' ? 1 : 0);
		if (how === 'ok' || counted > MAX_ALARM_RETRIES) {
			// Used up, or abandoned.
			this.alarmAt = undefined;
			return;
		}
		this.#pendingRetry = { retries: firing.retries + 1, counted };
		const backoffMs = ALARM_BACKOFF_MS * 2 ** Math.min(firing.retries, MAX_ALARM_BACKOFF);
		this.#scheduleAlarm(backoffMs, { ...this.#pendingRetry, isExtra: false });
	}
}

/** What a caller gets whose object went away under the call. */
export function resetError(): Error {
	return Object.assign(new Error('The object was reset'), { retryable: true });
}

export function overloadedError(): Error {
	return Object.assign(new Error('The object is overloaded'), { retryable: true, overloaded: true });
}

const AWAY_ERRORS = 4;

/** What callers get of an object that is away: two errors that are marked, and the two of a shutdown, which are not. */
function awayError(which: number): Error {
	switch (which) {
		case 0:
			return resetError();
		case 1:
			return overloadedError();
		case 2:
			return new Error('Durable Object reset because its code was updated.');
		default:
			return new Error('Connection closed: this Durable Object instance is no longer active.');
	}
}
