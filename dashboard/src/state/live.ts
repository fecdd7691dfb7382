/** All that changes by itself: the clock, the poll of a page, and its socket. One button pauses all three. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { openSocket } from './api.ts';

/** One request in this time, whatever a page shows. */
export const POLL_MS = 10_000;
const CLOCK_MS = 1_000;
/** As in the client: a socket that is silent for this long is pinged, and has the same time again to answer. */
const PING_MS = 20_000;
const RECONNECT_MS = 3_000;
/** Close code after the last event of a job. */
const DONE = 1000;

export const isPaused = signal(false);
/** The time of what is shown, in milliseconds since the epoch. */
export const now = signal(Date.now());

export function startClock(): void {
	setInterval(() => {
		if (isLive()) now.value = Date.now();
	}, CLOCK_MS);
}

function isLive(): boolean {
	return !isPaused.value && document.visibilityState === 'visible';
}

/**
 * Asks one question after the other, one in {@link POLL_MS}, while the tab is visible and nothing is paused.
 *
 * @param questions `[]` asks nothing.
 */
export function usePoll(questions: readonly (() => void)[]): void {
	const latest = useRef(questions);
	latest.current = questions;
	useEffect(() => {
		let turn = 0;
		const timer = setInterval(() => {
			const asked = latest.current;
			if (isLive() && asked.length > 0) asked[turn++ % asked.length]?.();
		}, POLL_MS);
		return () => clearInterval(timer);
	}, []);
}

export interface Watched {
	/** The link of the socket; `undefined` watches nothing. */
	readonly link: string | undefined;
	readonly onMessage: (text: string) => void;
	/** Called when the socket is closed after the last event. */
	readonly onEnd?: () => void;
}

/** Follows a socket. It is closed while the page is paused or the tab is hidden, and opened again afterwards. */
export function useWatcher({ link, onMessage, onEnd }: Watched): void {
	const handlers = useRef({ onMessage, onEnd });
	handlers.current = { onMessage, onEnd };
	const place = link === undefined ? undefined : new URL(link, location.href).pathname;
	const current = useRef(link);
	current.current = link;
	const isStopped = isPaused.value;
	useEffect(() => {
		if (place === undefined || isStopped) return;
		const watcher = new Watcher(() => current.current, {
			onMessage: (text) => handlers.current.onMessage(text),
			onEnd: () => handlers.current.onEnd?.(),
		});
		return () => watcher.stop();
	}, [place, isStopped]);
}

class Watcher {
	readonly #link: () => string | undefined;
	readonly #handlers: Pick<Required<Watched>, 'onMessage' | 'onEnd'>;
	#socket: WebSocket | undefined;
	#patience: ReturnType<typeof setTimeout> | undefined;
	#isStopped = false;

	constructor(link: () => string | undefined, handlers: Pick<Required<Watched>, 'onMessage' | 'onEnd'>) {
		this.#link = link;
		this.#handlers = handlers;
		document.addEventListener('visibilitychange', this.#follow);
		this.#follow();
	}

	stop(): void {
		this.#isStopped = true;
		document.removeEventListener('visibilitychange', this.#follow);
		this.#close();
	}

	readonly #follow = (): void => {
		if (document.visibilityState === 'visible') this.#open();
		else this.#close();
	};

	#open(): void {
		const link = this.#link();
		if (this.#isStopped || this.#socket || link === undefined) return;
		const socket = openSocket(link);
		this.#socket = socket;
		this.#awaitSign(socket);
		socket.addEventListener('message', ({ data }) => {
			if (this.#socket !== socket) return;
			this.#awaitSign(socket);
			if (data !== 'pong') this.#handlers.onMessage(String(data));
		});
		socket.addEventListener('close', ({ code }) => {
			if (this.#socket !== socket) return;
			this.#close();
			if (code === DONE) this.#handlers.onEnd();
			else this.#reconnect();
		});
	}

	/** A connection that is open at one end only is never closed: it is given up when no answer to a ping arrives. */
	#awaitSign(socket: WebSocket): void {
		clearTimeout(this.#patience);
		this.#patience = setTimeout(() => {
			if (socket.readyState === WebSocket.OPEN) socket.send('ping');
			this.#patience = setTimeout(() => {
				this.#close();
				this.#reconnect();
			}, PING_MS);
		}, PING_MS);
	}

	#reconnect(): void {
		setTimeout(this.#follow, RECONNECT_MS);
	}

	#close(): void {
		clearTimeout(this.#patience);
		const socket = this.#socket;
		this.#socket = undefined;
		socket?.close();
	}
}
