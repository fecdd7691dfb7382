/**
 * The socket between a running attempt and its job's object. It carries progress to the object and the order to stop to
 * the attempt. It is opened only when an attempt has progress or has been running for a while, so that a short job costs
 * no extra call. It hibernates on the object's side, so that a long attempt doesn't keep its object awake.
 *
 * Losing the socket loses only progress: the response to the attempt's report says that the attempt is superseded or
 * canceled.
 */
import { doubledMs } from '../core/http/doubling-wait.ts';
import { LINK_AFTER_MS, MS_PER_SECOND, PROGRESS_INTERVAL_MS, PROGRESS_STEP_PERCENT } from '../core/job/limits.ts';
import type { Fence, Progress } from '../core/job/record.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';

/** Delay before a broken link is reopened: about `first`, then doubled after each failure in a row, up to `max`. */
const REOPEN_AFTER_MS = { first: 500, max: 30 * MS_PER_SECOND } as const;
/**
 * At most this number of failures count when a link breaks that was open: it is opened again within two seconds, because its
 * object waits for it for only `UNLINKED_MS.broken`.
 */
const MAX_FAILURES_BEFORE_BREAK = 2;
/** The close code of an object whose attempt has ended, as opposed to one that was reset. */
const ENDED = 1_000;
/** A link that was open for this long has not failed: the backoff restarts after it. */
const STEADY_AFTER_MS = 30 * MS_PER_SECOND;

export interface AttemptLinkOptions {
	readonly jobs: Jobs;
	readonly id: string;
	readonly fence: Fence;
	/** Opens the link at once. Default: after {@link LINK_AFTER_MS}. */
	readonly opensAtOnce?: boolean;
	/** Called once, when the object stops the attempt. */
	readonly onAbort: (reason: 'canceled' | 'stale') => void;
}

export class AttemptLink {
	readonly #options: AttemptLinkOptions;
	#socket: WebSocket | undefined;
	readonly #firstTry = Promise.withResolvers<void>();
	#isEnded = false;
	#isClosed = false;
	#isOpening = false;
	/** The one timer that opens the link. */
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** Number of failures in a row. */
	#failures = 0;
	/** The link is not opened before this time, in milliseconds since the epoch. */
	#notBefore = 0;
	#openedAt = 0;
	#sendTimer: ReturnType<typeof setTimeout> | undefined;
	/** The newest progress; `#isUnsent` is true while the object doesn't have it. */
	#progress: Progress = {};
	#isUnsent = false;
	#sentAt = Number.NEGATIVE_INFINITY;
	#sentPercent: number | undefined;

	constructor(options: AttemptLinkOptions) {
		this.#options = options;
		this.#openAfter(options.opensAtOnce ? 0 : LINK_AFTER_MS);
	}

	/** Takes the newest progress. It is sent at most once a second, and only if it has changed. */
	report(progress: Progress): void {
		const before = this.#progress;
		this.#progress = { ...before, ...progress };
		const isStep = Math.abs((progress.percentComplete ?? 0) - (this.#sentPercent ?? 0)) >= PROGRESS_STEP_PERCENT;
		const isNews = isStep || this.#progress.message !== before.message || progress.data !== undefined;
		if (!isNews || this.#isEnded) return;
		this.#isUnsent = true;
		this.#flush();
	}

	/** Resolves when the link is open, or can't be opened at the first try. */
	get opened(): Promise<void> {
		return this.#firstTry.promise;
	}

	/**
	 * Returns progress that has not been sent, to be reported with the outcome. The link takes no more progress, and stays
	 * open: a consumer that dies before its report has arrived must be noticed.
	 */
	endProgress(): Progress | undefined {
		clearTimeout(this.#sendTimer);
		const unsent = this.#isUnsent ? this.#progress : undefined;
		this.#isEnded = true;
		this.#isUnsent = false;
		return unsent;
	}

	close(): void {
		this.#isClosed = true;
		clearTimeout(this.#timer);
		clearTimeout(this.#sendTimer);
		this.#socket?.close();
	}

	/** Sends pending progress as soon as possible: opens the socket first, or waits until the minimum interval has passed. */
	#flush(): void {
		if (!this.#isUnsent || this.#isClosed) return;
		if (!this.#socket) return this.#openAfter(0);
		const waitMs = this.#sentAt + PROGRESS_INTERVAL_MS - Date.now();
		if (waitMs > 0) {
			this.#sendTimer ??= setTimeout(() => {
				this.#sendTimer = undefined;
				this.#flush();
			}, waitMs);
			return;
		}
		this.#sentAt = Date.now();
		this.#sentPercent = this.#progress.percentComplete;
		this.#isUnsent = false;
		try {
			this.#socket.send(JSON.stringify({ fence: this.#options.fence, progress: this.#progress }));
		} catch {
			this.#lost(this.#socket);
		}
	}

	#openAfter(waitMs: number): void {
		if (this.#isOpening || this.#socket || this.#isClosed) return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.#open(), Math.max(waitMs, this.#notBefore - Date.now()));
	}

	/** Doubles the delay after each failure in a row, so that an unreachable object is not retried in a hot loop. */
	#reopenLater(): void {
		const { first, max } = REOPEN_AFTER_MS;
		const longestMs = doubledMs({ first, max }, this.#failures);
		this.#failures++;
		this.#notBefore = Date.now() + (longestMs * (1 + Math.random())) / 2;
		this.#openAfter(0);
	}

	async #open(): Promise<void> {
		if (this.#isClosed || this.#isOpening || this.#socket) return;
		const { jobs, id, fence } = this.#options;
		this.#isOpening = true;
		try {
			const query = new URLSearchParams(Object.entries(fence).map(([name, value]) => [name, String(value)]));
			const { webSocket } = await jobs.connect(id, `/attempt?${query}`);
			if (webSocket) this.#use(webSocket);
		} catch (error) {
			// One log line for each series of failures: the link retries as long as the attempt runs.
			if (this.#failures === 0) logError('attempt link failed', { job: id, error });
		} finally {
			this.#isOpening = false;
			this.#firstTry.resolve();
		}
		if (this.#socket) this.#flush();
		else this.#reopenLater();
	}

	#use(socket: WebSocket): void {
		socket.accept();
		if (this.#isClosed) return socket.close();
		this.#socket = socket;
		this.#openedAt = Date.now();
		socket.addEventListener('message', ({ data }) => {
			const { reason } = JSON.parse(String(data)) as { reason: 'canceled' | 'stale' };
			this.#options.onAbort(reason);
			// The job is no longer this attempt's.
			if (reason === 'stale') this.close();
		});
		const lost = () => this.#lost(socket);
		socket.addEventListener('close', ({ code }) => (code === ENDED ? this.close() : lost()));
		socket.addEventListener('error', lost);
	}

	/** The object was reset, and lost progress that was not written. Send it again over the next socket. */
	#lost(socket: WebSocket): void {
		if (this.#socket !== socket) return;
		this.#socket = undefined;
		this.#isUnsent = !this.#isEnded && Object.keys(this.#progress).length > 0;
		const isSteady = Date.now() - this.#openedAt >= STEADY_AFTER_MS;
		this.#failures = isSteady ? 0 : Math.min(this.#failures, MAX_FAILURES_BEFORE_BREAK);
		this.#reopenLater();
	}
}
