/** Wrangler's rule for `*.wasm` imports WebAssembly files as compiled modules. */
declare module '@cf-wasm/photon/photon.wasm' {
	const module: WebAssembly.Module;
	export default module;
}

declare module 'imagescript/wasm/any/jpeg.wasm' {
	const module: WebAssembly.Module;
	export default module;
}
