/** Sockets between the Worker and an object. The object's end hibernates: attachment and tags outlive its memory. */
import { copied } from './copied.ts';
import type { ObjectHost } from './object-host.ts';
import type { Isolate, World } from './world.ts';

type Frame = { readonly type: 'message'; readonly data: string } | { readonly type: 'close'; readonly code: number };
type Listener = (event: { data?: string; code?: number }) => void;

const NETWORK_MS = { min: 1, max: 6 };
const ABNORMAL = 1006;
const NO_CODE = 1005;

export class SimulatedSocket {
	readonly #world: World;
	readonly #job: number;
	#peer: SimulatedSocket | undefined;
	#state: 'open' | 'closing' | 'closed' = 'open';
	/** The host of the object's end. The other end has the isolate that accepted it. */
	#host: ObjectHost | undefined;
	#isolate: Isolate | undefined;
	#attachment: unknown = null;
	tags: readonly string[] = [];
	readonly #listeners = new Map<string, Listener[]>();
	readonly #unread: Frame[] = [];
	#lastArrivalMs = 0;

	constructor(world: World, job: number) {
		this.#world = world;
		this.#job = job;
	}

	static pair(world: World, job: number): { 0: SimulatedSocket; 1: SimulatedSocket } {
		const [a, b] = [new SimulatedSocket(world, job), new SimulatedSocket(world, job)];
		a.#peer = b;
		b.#peer = a;
		return { 0: a, 1: b };
	}

	// — at the Worker's end —

	accept(): void {
		const isolate = this.#world.current;
		this.#isolate = isolate;
		isolate?.atDeath(() => this.#breakOff());
		const readOn = () => {
			for (const frame of this.#unread.splice(0)) this.#hand(frame);
		};
		this.#world.schedule(0, { label: 'reader begins', job: this.#job, isolate, run: readOn });
	}

	addEventListener(type: string, listener: Listener): void {
		this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
	}

	/** Drops a socket that will never be accepted, because the response with it was lost. */
	abandon(): void {
		this.#breakOff();
	}

	// — at the object's end —

	hostedBy(host: ObjectHost, tags: readonly string[]): void {
		this.#host = host;
		this.tags = tags;
	}

	serializeAttachment(value: unknown): void {
		this.#attachment = copied(value);
	}

	deserializeAttachment(): unknown {
		return copied(this.#attachment);
	}

	/** The object was reset: the other end sees a broken connection. */
	cut(): void {
		this.#state = 'closed';
		this.#peer?.deliver({ type: 'close', code: ABNORMAL });
	}

	// — at both —

	send(data: string): void {
		if (this.#state !== 'open') throw new TypeError("Can't call WebSocket send() after close().");
		this.#emit({ type: 'message', data });
	}

	close(code = NO_CODE): void {
		if (this.#state !== 'open') return;
		this.#state = 'closing';
		this.#emit({ type: 'close', code });
	}

	#emit(frame: Frame): void {
		if (this.#host) this.#host.output(() => this.#peer?.deliver(frame));
		else if (!this.#isolate?.isDead) this.#peer?.deliver(frame);
	}

	#breakOff(): void {
		if (this.#state === 'closed') return;
		this.#state = 'closed';
		this.#peer?.deliver({ type: 'close', code: ABNORMAL });
	}

	/** Frames arrive in the order of their sending. */
	deliver(frame: Frame): void {
		const world = this.#world;
		const latencyMs = world.between(NETWORK_MS.min, NETWORK_MS.max, 'socket latency', this.#job);
		this.#lastArrivalMs = Math.max(this.#lastArrivalMs, world.nowMs + latencyMs);
		const label = `${this.#host ? 'object hears' : 'reader hears'} ${frame.type}`;
		world.schedule(this.#lastArrivalMs - world.nowMs, {
			label,
			job: this.#job,
			run: () => this.#receive(frame),
		});
	}

	#receive(frame: Frame): void {
		if (this.#state === 'closed') return;
		if (this.#host) return this.#receiveInObject(this.#host, frame);
		if (!this.#isolate || this.#unread.length > 0) return void this.#unread.push(frame);
		if (this.#isolate.isDead) return;
		this.#world.current = this.#isolate;
		this.#hand(frame);
	}

	#hand(frame: Frame): void {
		if (frame.type === 'close') {
			if (this.#state === 'open') this.#peer?.deliver(frame);
			this.#state = 'closed';
		}
		const event = frame.type === 'message' ? { data: frame.data } : { code: frame.code };
		for (const listener of this.#listeners.get(frame.type) ?? []) listener(event);
	}

	#receiveInObject(host: ObjectHost, frame: Frame): void {
		if (frame.type === 'message') return host.hear(this, frame.data);
		// The platform answers a close by itself.
		if (this.#state === 'open') this.#peer?.deliver(frame);
		this.#state = 'closed';
		host.hearClose(this, frame.code);
	}
}
