/**
 * Keeps one job, and is the only writer of its record.
 *
 * Memory is a copy: state that must survive is written before any response. Only progress since the last write may be
 * lost, and even that is kept in the attachment of the attempt's socket.
 *
 * Every change goes through `apply`: load, advance, transition, save, then effects. There is no `await` in it, so that no
 * other call sees or changes the job between its reading and its writing.
 */
import { advanceOnce } from '../core/job/advance.ts';
import { nextAlarmAt } from '../core/job/alarm.ts';
import { accepted, type Submission } from '../core/job/lifecycle.ts';
import { uploadsOf } from '../core/job/quota-usage.ts';
import { type Fence, isFinal, type JobRecord } from '../core/job/record.ts';
import { loaded, numberedUntil } from '../core/job/recover.ts';
import { type Command, completer, type Refusal, type Transition, transition } from '../core/job/transition.ts';
import { withForgottenStart } from '../core/job/unwritten-start.ts';
import type { Announcer } from './announcer.ts';
import type { JobSockets } from './sockets.ts';
import type { JobStore } from './store.ts';

/** A job that takes the place of another. */
interface Replacement {
	readonly job: JobRecord;
	/** Left out for the first job of an object. */
	readonly before?: JobRecord | undefined;
	readonly now: number;
	/** The change may stay in memory. */
	readonly isVolatile?: boolean | undefined;
	/** Time alone made the change. */
	readonly isByTime?: boolean;
}

export class JobKeeper {
	readonly #store: JobStore;
	readonly #sockets: JobSockets;
	readonly #announcer: Announcer;
	/** The job as of the last turn of the event loop; `null` when storage holds none, `undefined` before it was loaded. */
	#job: JobRecord | null | undefined;
	/** The job has started, and storage doesn't know it. */
	#isStartUnwritten = false;
	/** A progress event with a higher number must be written, or a reset would use its number again. */
	#numberedUntil = 0;

	constructor(store: JobStore, sockets: JobSockets, announcer: Announcer) {
		this.#store = store;
		this.#sockets = sockets;
		this.#announcer = announcer;
	}

	/** Returns the job at `now`, after all changes that time alone makes. */
	current(now: number): JobRecord | undefined {
		if (this.#job === undefined) this.#load(now);
		// Step by step, so that watchers get an event for each change, including an end long ago.
		while (this.#job) {
			const before: JobRecord = this.#job;
			const job = advanceOnce(before, now, Math.random());
			if (job === undefined) return undefined;
			if (job === before) return job;
			// A step that keeps the state only announces progress.
			const isVolatile = job.state === before.state && job.unwritten === before.unwritten;
			this.#commit({ job, before, now, isVolatile, isByTime: true });
		}
		return undefined;
	}

	/**
	 * Returns why this attempt may not store a result; `undefined` if it has the job. If only memory knows that, or not even
	 * memory, its start is written now.
	 */
	resultRefusal(fence: Fence, now: number): Refusal | undefined {
		const before = this.current(now);
		if (!before) return 'gone';
		const job = withForgottenStart(before, fence);
		const held = completer(job, fence);
		if (typeof held === 'string') return held;
		if (this.#isStartUnwritten || job !== before) this.#commit({ job, before, now });
		return undefined;
	}

	/** Writes what only memory knows. */
	save(now: number): void {
		const job = this.current(now);
		if (job) this.#write({ job, before: job, now });
	}

	/** Whether storage still holds a record, perhaps of an expired job. Call it after `current`. */
	get hasRecord(): boolean {
		return Boolean(this.#job);
	}

	/**
	 * Stores a new job. A key can be used again once its job has expired: the new job erases the remains of the old one, and
	 * continues its epochs and event numbers. This also applies if the tombstone has expired and only the alarm is late.
	 */
	create(submission: Submission, now: number): JobRecord {
		const left = this.#job ?? undefined;
		const job = accepted(submission, now, left);
		if (left) this.#store.deleteChunksExcept(uploadsOf(job));
		// Without an idempotency key, only this submission can have uploaded to this id.
		else if (job.fingerprint === undefined && uploadsOf(job).length === 0) this.#store.knowsNoChunks();
		this.#commit({ job, before: left, now });
		return job;
	}

	/** Applies a command. Returns `undefined` if there is no job. */
	apply(command: Command, now: number): Transition | undefined {
		const before = this.current(now);
		if (!before) return undefined;
		const result = transition(before, command, now);
		if (result.job !== before) this.#commit({ job: result.job, before, now, isVolatile: result.volatile });
		for (const effect of result.effects) {
			if (effect.type === 'abort') this.#sockets.abort(effect.fence, 'canceled');
		}
		return result;
	}

	/** Erases everything: the job has expired, or only an unfinished upload existed. */
	forget(): Promise<void> {
		this.#job = null;
		this.#announcer.endAll();
		return this.#store.deleteAll();
	}

	#load(now: number): void {
		const stored = this.#store.load();
		this.#numberedUntil = stored ? numberedUntil(stored) : 0;
		this.#job = stored ? loaded({ stored, live: this.#sockets.liveProgress(), now }) : null;
	}

	/**
	 * Writes a job and announces it. All writes are in one turn of the event loop, so they are durable together or not at
	 * all.
	 */
	#commit({ job, before, now, isVolatile = false, isByTime = false }: Replacement): void {
		// An expired tombstone is about to be erased: writing it would cost a row and an alarm.
		const isErasable = job.state.name === 'tombstone' && now >= job.state.goneAt;
		const isWritten = !isErasable && (!isVolatile || job.seq > this.#numberedUntil);
		// First: if storage rejects the job, memory keeps the one that is stored.
		if (isWritten) this.#write({ job, before, now });
		this.#job = job;
		if (!isWritten && job.attempt !== before?.attempt) this.#isStartUnwritten = true;
		this.#announcer.announce({ job, before, now, isLasting: isWritten || isErasable, isByTime });
	}

	#write({ job, before, now }: Replacement): void {
		const isOver = isFinal(job.state) || job.state.name === 'tombstone';
		this.#store.save(job);
		this.#isStartUnwritten = false;
		this.#numberedUntil = numberedUntil(job);
		// A finished job's alarm is later than its previous one, which would only wake the object for nothing.
		if (isOver) this.#store.setAlarm(nextAlarmAt(job, now));
		else this.#store.setAlarmBy(nextAlarmAt(job, now));
		// Erases chunks that the job no longer refers to: a used input, the partial result of a lost attempt, or, for a job
		// that is run again, the reply of its failure.
		if (isOver || (before && hasLargeReply(before))) this.#store.deleteChunksExcept(uploadsOf(job));
	}
}

function hasLargeReply({ state }: JobRecord): boolean {
	return state.name === 'failed' && state.reply?.body !== undefined && 'upload' in state.reply.body;
}
