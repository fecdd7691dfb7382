/** Wrangler's rule for `*.wasm` imports WebAssembly files as compiled modules. */
declare module 'imagescript/wasm/any/jpeg.wasm' {
	const module: WebAssembly.Module;
	export default module;
}

declare module '@jsquash/*.wasm' {
	const module: WebAssembly.Module;
	export default module;
}

declare module '@jsquash/webp/codec/dec/webp_dec.js' {
	const factory: import('./codec-webp.ts').EmscriptenFactory<import('./codec-webp.ts').WebpDecoderExports>;
	export default factory;
}

declare module '@jsquash/webp/codec/enc/webp_enc_simd.js' {
	const factory: import('./codec-webp.ts').EmscriptenFactory<import('./codec-webp.ts').WebpEncoderExports>;
	export default factory;
}

declare module '@jsquash/webp/meta.js' {
	export const defaultOptions: object;
}
