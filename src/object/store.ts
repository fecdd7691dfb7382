/** The rows of one object: the job's record under one key, and its chunks under others. No other code uses the storage. */
import { MIN_ALARM_AHEAD_MS } from '../core/job/limits.ts';
import type { ChunkKey } from '../core/job/object-api.ts';
import type { JobRecord } from '../core/job/record.ts';

const RECORD_KEY = 'job';
const CHUNK_PREFIX = 'chunk/';

export class JobStore {
	readonly #storage: DurableObjectStorage;
	/** The time of the alarm, as far as this instance knows. */
	#alarmAt: number | undefined;
	/** Whether this instance knows that the object has no chunks, because it has existed for the object's whole life. */
	#isWithoutChunks = false;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
	}

	load(): JobRecord | undefined {
		return this.#storage.kv.get<JobRecord>(RECORD_KEY);
	}

	/** Called when nothing was ever uploaded to this object. */
	knowsNoChunks(): void {
		this.#isWithoutChunks = true;
	}

	/** Writes one row. All writes in one turn of the event loop, the alarm included, are committed together. */
	save(job: JobRecord): void {
		this.#storage.kv.put(RECORD_KEY, job);
	}

	/** Writes one row. Infinity leaves the alarm as it is: one that is set fires, and finds nothing to do. */
	setAlarm(at: number): void {
		if (at === Number.POSITIVE_INFINITY) return;
		this.#alarmAt = at;
		// An alarm that is set to now or earlier while the alarm's handler runs may never fire (workerd issue 6866).
		const ahead = Math.max(at, Date.now() + MIN_ALARM_AHEAD_MS);
		// Not awaited: the platform holds back every response until the writes before it are durable.
		void this.#storage.setAlarm(ahead);
	}

	/** Sets the alarm, unless an earlier one is known, which checks again. This saves a row at every start. */
	setAlarmBy(at: number): void {
		if (this.#alarmAt === undefined || this.#alarmAt > at) this.setAlarm(at);
	}

	/** Moves the alarm to `until` if it would fire before `from`, or isn't known to be set. */
	keepAlarmWithin(from: number, until: number): void {
		if (this.#alarmAt === undefined || this.#alarmAt < from) this.setAlarm(until);
	}

	/** Records that the alarm has fired and is no longer set. */
	alarmFired(): void {
		this.#alarmAt = undefined;
	}

	writeChunk(key: ChunkKey, bytes: Uint8Array): void {
		this.#isWithoutChunks = false;
		this.#storage.kv.put(chunkKey(key), bytes);
	}

	readChunk(key: ChunkKey): Uint8Array | undefined {
		return this.#storage.kv.get<Uint8Array>(chunkKey(key));
	}

	deleteChunk(key: ChunkKey): void {
		this.#storage.kv.delete(chunkKey(key));
	}

	/** @param uploads the uploads to keep. */
	deleteChunksExcept(uploads: readonly string[]): void {
		if (this.#isWithoutChunks) return;
		for (const key of this.#chunkKeys()) if (!isOfOne(key, uploads)) this.#storage.kv.delete(key);
	}

	#chunkKeys(): string[] {
		return Array.from(this.#storage.kv.list({ prefix: CHUNK_PREFIX }), ([key]) => key);
	}

	/** Whether there are chunks of other uploads. */
	hasChunksExcept(uploads: readonly string[]): boolean {
		if (this.#isWithoutChunks) return false;
		return this.#chunkKeys().some((key) => !isOfOne(key, uploads));
	}

	/** Deletes all rows and the alarm. */
	async deleteAll(): Promise<void> {
		this.#alarmAt = undefined;
		await this.#storage.deleteAll();
	}
}

function isOfOne(key: string, uploads: readonly string[]): boolean {
	return uploads.some((upload) => key.startsWith(chunkKey({ upload, index: '' })));
}

function chunkKey({ upload, index }: { upload: string; index: number | '' }): string {
	return `${CHUNK_PREFIX}${upload}/${index}`;
}
