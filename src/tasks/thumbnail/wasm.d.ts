/** WebAssembly files come as compiled modules: wrangler's rule for `*.wasm`. */
declare module '@cf-wasm/photon/photon.wasm' {
	const module: WebAssembly.Module;
	export default module;
}

declare module 'imagescript/wasm/any/jpeg.wasm' {
	const module: WebAssembly.Module;
	export default module;
}
