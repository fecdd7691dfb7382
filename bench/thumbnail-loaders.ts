/** Loads the thumbnail task's codecs in Node, as `src/tasks/thumbnail/loaders.ts` does in the Worker. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { JpegCodec } from '../src/tasks/thumbnail/codec-jpeg.ts';
import { PngCodec } from '../src/tasks/thumbnail/codec-png.ts';
import { instantiate, WebpDecoder, WebpEncoder } from '../src/tasks/thumbnail/codec-webp.ts';
import type { CodecLoaders } from '../src/tasks/thumbnail/codecs.ts';

/** Compiles a package's WebAssembly file. */
export async function compileWasm(specifier: string): Promise<WebAssembly.Module> {
	return WebAssembly.compile(readFileSync(fileURLToPath(import.meta.resolve(specifier))));
}

export const nodeLoaders: CodecLoaders = {
	jpeg: async () => new JpegCodec(await compileWasm('imagescript/wasm/any/jpeg.wasm')),
	png: async () => new PngCodec(await compileWasm('@jsquash/png/codec/pkg/squoosh_png_bg.wasm')),
	'webp-decoder': async () => {
		const { default: factory } = await import('@jsquash/webp/codec/dec/webp_dec.js');
		return new WebpDecoder(await instantiate(factory, await compileWasm('@jsquash/webp/codec/dec/webp_dec.wasm')));
	},
	'webp-encoder': async () => {
		const { default: factory } = await import('@jsquash/webp/codec/enc/webp_enc_simd.js');
		const { defaultOptions } = await import('@jsquash/webp/meta.js');
		const module = await compileWasm('@jsquash/webp/codec/enc/webp_enc_simd.wasm');
		return new WebpEncoder(await instantiate(factory, module), defaultOptions);
	},
};
