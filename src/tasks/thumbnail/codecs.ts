/** The codecs of an isolate, and their memory budget. */
import type { Codec } from './codec.ts';
import { JpegCodec } from './codec-jpeg.ts';
import { PhotonCodec } from './codec-photon.ts';
import { type CodecName, MEMORY_BUDGET_BYTES, type MemoryNeeds } from './memory.ts';

/** Loads the compiled modules. Each is loaded when an image needs it. */
export interface CodecModules {
	/** `imagescript/wasm/any/jpeg.wasm` */
	jpeg(): Promise<WebAssembly.Module>;
	/** `@cf-wasm/photon/photon.wasm` */
	photon(): Promise<WebAssembly.Module>;
}

/**
 * One instance of each codec, kept from one image to the next.
 *
 * Linear memory never shrinks, and the runtime collects a discarded instance late: in workerd ten of 92 MB were seen at one
 * time. A reused instance holds only the memory of its largest image. So instances are kept while they fit in the budget
 * together.
 */
export class Codecs {
	readonly #modules: CodecModules;
	readonly #kept = new Map<CodecName, Codec>();

	constructor(modules: CodecModules) {
		this.#modules = modules;
	}

	/** Returns the instance, or a new one if there is none. */
	async open(name: CodecName): Promise<Codec> {
		const kept = this.#kept.get(name);
		if (kept) return kept;
		const codec = await this.#create(name);
		this.#kept.set(name, codec);
		return codec;
	}

	/**
	 * Returns the instance that holds the input. If memory left behind by earlier images would exceed the budget, it first drops
	 * the other instance, and then replaces this one.
	 */
	async makeRoom(needs: MemoryNeeds, reader: CodecName): Promise<Codec> {
		const fits = () => this.#after('jpeg', needs) + this.#after('photon', needs) + needs.result <= MEMORY_BUDGET_BYTES;
		if (!fits()) this.#kept.delete(reader === 'jpeg' ? 'photon' : 'jpeg');
		if (!fits()) this.#kept.delete(reader);
		return this.open(reader);
	}

	/** The linear memory of all instances, in bytes. */
	get heldBytes(): number {
		return this.#held('jpeg') + this.#held('photon');
	}

	/** Prepares the instances for the next image, and drops those that have trapped. */
	reset(): void {
		for (const [name, codec] of this.#kept) {
			if (!codec.isSpent) codec.reset();
			if (codec.isSpent) this.#kept.delete(name);
		}
	}

	#held(name: CodecName): number {
		return this.#kept.get(name)?.memoryBytes ?? 0;
	}

	#after(name: CodecName, needs: MemoryNeeds): number {
		return this.#kept.get(name)?.bytesAfter(needs[name]) ?? needs[name];
	}

	async #create(name: CodecName): Promise<Codec> {
		return name === 'jpeg' ? new JpegCodec(await this.#modules.jpeg()) : new PhotonCodec(await this.#modules.photon());
	}
}
