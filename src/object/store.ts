/** The rows of one object: the job's record under one key, its larger bytes under others. Nothing else touches storage. */
import { MIN_ALARM_AHEAD_MS } from '../job/limits.ts';
import type { ChunkKey } from '../job/object-api.ts';
import type { JobRecord } from '../job/record.ts';

const RECORD_KEY = 'job';
const CHUNK_PREFIX = 'chunk/';

export class JobStore {
	readonly #storage: DurableObjectStorage;
	/** When the alarm is set for, as far as this instance knows. */
	#alarmAt: number | undefined;
	/** Whether this instance has seen all of the object's life, and no chunk in it: there is none to look for. */
	#isWithoutChunks = false;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
	}

	load(): JobRecord | undefined {
		return this.#storage.kv.get<JobRecord>(RECORD_KEY);
	}

	/** For who knows that nothing was ever uploaded to this object. */
	knowsNoChunks(): void {
		this.#isWithoutChunks = true;
	}

	/** One row. Everything written in one turn, the alarm included, is committed together. */
	save(job: JobRecord): void {
		this.#storage.kv.put(RECORD_KEY, job);
	}

	/** One row. */
	setAlarm(at: number): void {
		this.#alarmAt = at;
		// An alarm that is set to now or earlier while the alarm's handler runs may never fire (workerd issue 6866).
		const ahead = Math.max(at, Date.now() + MIN_ALARM_AHEAD_MS);
		// Not awaited: the platform holds every answer back until what was written before it is durable.
		void this.#storage.setAlarm(ahead);
	}

	/** Sets the alarm unless one that comes sooner is known: that one will look again. It saves a row at every start. */
	setAlarmBy(at: number): void {
		if (this.#alarmAt === undefined || this.#alarmAt > at) this.setAlarm(at);
	}

	/** Moves the alarm to `until` when it would come before `from`, or isn't known to be set. */
	keepAlarmWithin(from: number, until: number): void {
		if (this.#alarmAt === undefined || this.#alarmAt < from) this.setAlarm(until);
	}

	/** A fired alarm is used up. */
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

	/** @param uploads those to keep. */
	deleteChunksExcept(uploads: readonly string[]): void {
		if (this.#isWithoutChunks) return;
		for (const key of this.#chunkKeys()) if (!isOfOne(key, uploads)) this.#storage.kv.delete(key);
	}

	#chunkKeys(): string[] {
		return Array.from(this.#storage.kv.list({ prefix: CHUNK_PREFIX }), ([key]) => key);
	}

	/** Whether there are pieces of other uploads than these. */
	hasChunksExcept(uploads: readonly string[]): boolean {
		if (this.#isWithoutChunks) return false;
		return this.#chunkKeys().some((key) => !isOfOne(key, uploads));
	}

	/** Everything, alarm included. */
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
