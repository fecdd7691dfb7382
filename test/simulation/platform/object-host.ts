/**
 * The platform around one object. It starts the object when it is called, holds every response until
 * earlier writes are durable, keeps the alarm, and evicts the object from memory at any time.
 */
import { copied } from './copied.ts';
import type { SimulatedSocket } from './socket.ts';
import { SimulatedStorage, type Write } from './storage.ts';
import { Isolate, type Scheduled, type World } from './world.ts';

/** The callable methods of an object, by name. */
export type Instance = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** Returns the response to a call. */
export interface ReplyTo {
	readonly answer: (value: unknown) => void;
	readonly fail: (error: Error) => void;
}

/** The turn whose writes are committed. */
export interface Turn {
	readonly label: string;
	readonly args: readonly unknown[];
}

/** The simulation's additions to the platform, and its observers. */
export interface HostOptions {
	readonly create: (context: unknown) => Instance;
	/** The duration of an armed fault of this kind, or `undefined`. */
	readonly fault: (kind: string, job: number) => number | undefined;
	/** An object is called. */
	readonly onCall: (host: ObjectHost, name: string, caller: Isolate | undefined) => void;
	/** Called before the rows change. */
	readonly onCommit: (host: ObjectHost, writes: readonly Write[], turn: Turn) => void;
	/** A response is created, in the turn of the call. */
	readonly onAnswer: (host: ObjectHost, method: string, value: unknown) => void;
	/** A response is sent: its content is durable. */
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
	/** An additional run, which is independent of the alarm that is set. */
	readonly isExtra: boolean;
	isReplaced: boolean;
}

const COMMIT_MS = { min: 0, max: 4 };
/** The close code of a connection that broke. */
const ABNORMAL = 1006;
/** An idle object is usually evicted after this time. */
const IDLE_MS = 10_000;
const EVICTED_SHARE = 0.8;
/** Maximum number of retries of an alarm handler that threw. */
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
	/** Number of times that the object was created: each one begins with an empty memory. */
	memories = 0;
	/** Time of the durable alarm. */
	alarmAt: number | undefined;
	#alarm: Scheduled | undefined;
	#firing: Firing | undefined;
	/** The retry of an alarm whose handler threw, with its counts. */
	#pendingRetry: { retries: number; counted: number } | undefined;
	/** Number of runs of the alarm's handler, and the number of runs without a fault. */
	alarmRuns = 0;
	soundAlarmRuns = 0;
	/** Until this time calls fail and the alarm waits. */
	#awayUntilMs = 0;
	/** Number of times that all data was deleted. Each deletion begins an independent life. */
	lives = 0;

	constructor(id: string, job: number, world: World, options: HostOptions) {
		this.id = id;
		this.job = job;
		this.#world = world;
		this.#options = options;
	}

	/** Whether an alarm or a retry will run the object without a call. */
	get isLookedAfter(): boolean {
		return this.alarmAt !== undefined || this.#firing !== undefined;
	}

	/** Whether no work is in progress in it. */
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
		this.#handle('webSocketClose', [socket, code, '', code !== ABNORMAL]);
	}

	#handle(method: string, args: readonly unknown[]): void {
		this.#wake(method, args)[method]?.(...args);
	}

	/** Sends output when everything that was written before is durable. */
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
			this.memories++;
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

	/** Evicts the object from memory; sockets stay open. @returns whether that was possible, which needs an object without work in progress. */
	evict(): boolean {
		if (!this.#instance || !this.isIdle) return false;
		this.#isolate?.die();
		this.#instance = undefined;
		this.#isolate = undefined;
		return true;
	}

	/** Resets the object at once: memory, sockets and undurable writes are lost. Callers receive an error. */
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
		// A reset is not the handler's fault: the platform tries again without counting it.
		if (this.#firing) this.#fired(this.#firing, 'reset');
		return true;
	}

	/** Makes the object unreachable for a time, as during a move to another machine: calls fail, sockets break, the alarm waits. */
	goAway(ms: number): void {
		this.#awayUntilMs = Math.max(this.#awayUntilMs, this.#world.nowMs + ms);
		if (this.reset()) return;
		for (const socket of this.sockets) socket.cut();
		this.sockets.clear();
	}

	/** The error for a call while the object is unreachable; `undefined` while it is reachable. */
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

	/** Alarms follow the clock: when it jumps, they fire sooner or later. */
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
		// Only reads can fail in it, and it reads only when memory is empty.
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
			// The alarm is used up, or abandoned.
			this.alarmAt = undefined;
			return;
		}
		this.#pendingRetry = { retries: firing.retries + 1, counted };
		const backoffMs = ALARM_BACKOFF_MS * 2 ** Math.min(firing.retries, MAX_ALARM_BACKOFF);
		this.#scheduleAlarm(backoffMs, { ...this.#pendingRetry, isExtra: false });
	}
}

/** The error that a caller receives if the object is reset during the call. */
export function resetError(): Error {
	return Object.assign(new Error('The object was reset'), { retryable: true });
}

export function overloadedError(): Error {
	return Object.assign(new Error('The object is overloaded'), { retryable: true, overloaded: true });
}

const AWAY_ERRORS = 4;

/** The errors of an unreachable object: two that are marked, and the two of a shutdown, which are not. */
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
