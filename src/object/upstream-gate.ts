/**
 * One upstream's gate: how many requests are under way, and whether it is to be left alone. It is asked before a request
 * and told after one, and writes a row when that changes something. What may be forgotten is who is waiting.
 */
import { DurableObject } from 'cloudflare:workers';
import {
	type Entry,
	type EntryRequest,
	entered,
	type GateState,
	type Health,
	isCalm,
	left,
	OPEN_GATE,
} from '../upstream/gate.ts';
import type { GateApi } from '../upstream/gate-api.ts';
import { WAITER_FORGOTTEN_MS } from '../upstream/limits.ts';

const KEY = 'gate';

export class UpstreamGate extends DurableObject implements GateApi {
	/** Jobs that were turned away, and when they last asked. */
	readonly #waiting = new Map<string, number>();
	#state: GateState | undefined;

	async enter(request: EntryRequest & { readonly job: string }): Promise<Entry> {
		const { job } = request;
		const now = Date.now();
		this.#waiting.delete(job);
		for (const [other, askedAt] of this.#waiting) if (askedAt < now - WAITER_FORGOTTEN_MS) this.#waiting.delete(other);
		const { state, entry } = entered(this.#load(), request, this.#waiting, now, Math.random());
		this.#save(state);
		if (!entry.admitted) this.#waiting.set(job, now);
		return entry;
	}

	async leave(
		pass: string,
		health: Health | undefined,
		wellBefore: boolean,
		job?: string,
	): Promise<{ isCalm: boolean }> {
		const state = left(this.#load(), { pass, job, health, wellBefore }, Date.now());
		this.#save(state);
		return { isCalm: isCalm(state) };
	}

	#load(): GateState {
		this.#state ??= this.ctx.storage.kv.get<GateState>(KEY) ?? OPEN_GATE;
		return this.#state;
	}

	/** One row, when there is something new. */
	#save(state: GateState): void {
		if (state === this.#state) return;
		this.#state = state;
		this.ctx.storage.kv.put(KEY, state);
	}
}
