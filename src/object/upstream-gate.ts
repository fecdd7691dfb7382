/**
 * One upstream's gate: it limits concurrent requests, and is the upstream's circuit breaker. A consumer asks it before a
 * request and reports to it afterwards. It writes a row when its state changes. Only the list of waiting jobs may be
 * lost.
 */
import {
	CLOSED_BREAKER,
	type Entry,
	type EntryRequest,
	type Exit,
	enterGate,
	type GateReading,
	type GateState,
	gateReading,
	isHealthy,
	leaveGate,
	withClosedBreaker,
} from '../core/upstream/gate.ts';
import type { GateApi } from '../core/upstream/gate-api.ts';
import { WAITER_FORGOTTEN_MS } from '../core/upstream/limits.ts';
import { GateCalls010 } from './calls-010.ts';

const KEY = 'gate';

export class UpstreamGate extends GateCalls010 implements GateApi {
	/** Jobs that were deferred, and when they last asked. */
	readonly #waiting = new Map<string, number>();
	#state: GateState | undefined;

	async enter(request: EntryRequest & { readonly job: string }): Promise<Entry> {
		const { job } = request;
		const now = Date.now();
		this.#waiting.delete(job);
		for (const [other, askedAt] of this.#waiting) if (askedAt < now - WAITER_FORGOTTEN_MS) this.#waiting.delete(other);
		const { state, entry } = enterGate(this.#load(), request, { waiting: this.#waiting, now, random: Math.random() });
		this.#save(state);
		if (!entry.admitted) this.#waiting.set(job, now);
		return entry;
	}

	async reportExit(exit: Exit): Promise<{ isCalm: boolean }> {
		const state = leaveGate(this.#load(), exit, Date.now());
		this.#save(state);
		return { isCalm: isHealthy(state) };
	}

	async readGate(): Promise<GateReading> {
		return gateReading(this.#load(), Date.now());
	}

	async resetGate(): Promise<GateReading> {
		const before = this.#load();
		if (!isHealthy(before)) this.#save(withClosedBreaker(before));
		return this.readGate();
	}

	#load(): GateState {
		this.#state ??= this.ctx.storage.kv.get<GateState>(KEY) ?? CLOSED_BREAKER;
		return this.#state;
	}

	/** Writes one row if the state has changed. */
	#save(state: GateState): void {
		if (state === this.#state) return;
		this.#state = state;
		this.ctx.storage.kv.put(KEY, state);
	}
}
