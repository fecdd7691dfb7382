/** The codecs of an isolate, and their memory budget. */
import type { Codec } from './codec.ts';
import { CODEC_NAMES, type CodecName, MEMORY_BUDGET_BYTES, type MemoryNeeds } from './memory.ts';

/** Loads and instantiates the codecs. Each is loaded when an image needs it. */
export type CodecLoaders = Readonly<Record<CodecName, () => Promise<Codec>>>;

/**
 * One instance of each codec, kept from one image to the next.
 *
 * Linear memory never shrinks, and the runtime collects a discarded instance late: in workerd ten of 92 MB were seen at one
 * time. A reused instance holds only the memory of its largest image. So instances are kept while they fit in the budget
 * together.
 */
export class Codecs {
	readonly #loaders: CodecLoaders;
	readonly #kept = new Map<CodecName, Codec>();

	constructor(loaders: CodecLoaders) {
		this.#loaders = loaders;
	}

	/** Returns the instance, or a new one if there is none. */
	async open(name: CodecName): Promise<Codec> {
		const kept = this.#kept.get(name);
		if (kept) return kept;
		const codec = await this.#loaders[name]();
		this.#kept.set(name, codec);
		return codec;
	}

	/**
	 * Drops instances if the memory left behind by earlier images would exceed the budget: first those that the work does not
	 * use, then the others.
	 */
	makeRoom(needs: MemoryNeeds): void {
		const unusedFirst = [...this.#kept.keys()].sort((one, other) => needs.codecs[one] - needs.codecs[other]);
		for (const name of unusedFirst) {
			if (this.#bytesAfter(needs) > MEMORY_BUDGET_BYTES) this.#kept.delete(name);
		}
	}

	/** The linear memory of all instances, in bytes. */
	get heldBytes(): number {
		return [...this.#kept.values()].reduce((sum, codec) => sum + codec.memoryBytes, 0);
	}

	/** Prepares the instances for the next image, and drops those that have trapped. */
	reset(): void {
		for (const [name, codec] of this.#kept) {
			if (codec.isSpent) this.#kept.delete(name);
			else codec.reset();
		}
	}

	#bytesAfter({ codecs, outside }: MemoryNeeds): number {
		const after = (name: CodecName) => {
			const heldBytes = this.#kept.get(name)?.memoryBytes ?? 0;
			// Free memory at the end of a codec's memory may be too small for its next allocation. Then it grows by all of it.
			return codecs[name] > heldBytes ? heldBytes + codecs[name] : heldBytes;
		};
		return CODEC_NAMES.reduce((sum, name) => sum + after(name), outside);
	}
}
