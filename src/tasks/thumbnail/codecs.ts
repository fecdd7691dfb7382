/** The codecs an isolate has, and how much memory they may hold between them. */
import type { Codec } from './codec.ts';
import { JpegCodec } from './codec-jpeg.ts';
import { PhotonCodec } from './codec-photon.ts';
import { type CodecName, MEMORY_BUDGET_BYTES, type MemoryNeeds } from './memory.ts';

/** How to get the compiled modules. They are asked for when an image needs them, not before. */
export interface CodecModules {
	/** `imagescript/wasm/any/jpeg.wasm` */
	jpeg(): Promise<WebAssembly.Module>;
	/** `@cf-wasm/photon/photon.wasm` */
	photon(): Promise<WebAssembly.Module>;
}

/**
 * One instance of each codec, kept from one image to the next.
 *
 * Linear memory never shrinks, and an instance that is thrown away is collected when the runtime likes: in workerd ten
 * of 92 MB were seen lying about. An instance that is used again holds what its largest image took, and no more. So
 * instances are kept while they fit in the budget together.
 */
export class Codecs {
	readonly #modules: CodecModules;
	readonly #kept = new Map<CodecName, Codec>();

	constructor(modules: CodecModules) {
		this.#modules = modules;
	}

	/** The instance, or a new one if there is none. */
	async open(name: CodecName): Promise<Codec> {
		const kept = this.#kept.get(name);
		if (kept) return kept;
		const codec = await this.#create(name);
		this.#kept.set(name, codec);
		return codec;
	}

	/**
	 * The instance that has the input, or a new one in its stead when the memory that earlier images left behind would
	 * take the needs over the budget. The other instance is dropped first.
	 */
	async makeRoom(needs: MemoryNeeds, reader: CodecName): Promise<Codec> {
		const fits = () => this.#after('jpeg', needs) + this.#after('photon', needs) + needs.result <= MEMORY_BUDGET_BYTES;
		if (!fits()) this.#kept.delete(reader === 'jpeg' ? 'photon' : 'jpeg');
		if (!fits()) this.#kept.delete(reader);
		return this.open(reader);
	}

	/** The linear memory that all instances hold, in bytes. */
	get heldBytes(): number {
		return this.#held('jpeg') + this.#held('photon');
	}

	/** Makes the instances ready for the next image; one that has trapped is dropped. */
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
