/** Loads the codecs in the Worker. Each module is imported and compiled when the first image needs it. */
import { JpegCodec } from './codec-jpeg.ts';
import { PngCodec } from './codec-png.ts';
import { instantiate, WebpDecoder, WebpEncoder } from './codec-webp.ts';
import type { CodecLoaders } from './codecs.ts';

interface WasmImport {
	readonly default: WebAssembly.Module;
}

export const loaders: CodecLoaders = {
	jpeg: async () => new JpegCodec((await import('imagescript/wasm/any/jpeg.wasm')).default),
	png: async () => {
		// The package declares the exports of an instance, but the import is the compiled module.
		const { default: module } = (await import('@jsquash/png/codec/pkg/squoosh_png_bg.wasm')) as unknown as WasmImport;
		return new PngCodec(module);
	},
	'webp-decoder': async () => {
		const { default: factory } = await import('@jsquash/webp/codec/dec/webp_dec.js');
		const { default: module } = await import('@jsquash/webp/codec/dec/webp_dec.wasm');
		return new WebpDecoder(await instantiate(factory, module));
	},
	'webp-encoder': async () => {
		const { default: factory } = await import('@jsquash/webp/codec/enc/webp_enc_simd.js');
		const { default: module } = await import('@jsquash/webp/codec/enc/webp_enc_simd.wasm');
		const { defaultOptions } = await import('@jsquash/webp/meta.js');
		return new WebpEncoder(await instantiate(factory, module), defaultOptions);
	},
};
