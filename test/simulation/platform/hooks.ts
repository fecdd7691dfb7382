/** Lets Node resolve the modules that workerd provides. Import it before anything that imports the Worker. */
import { registerHooks } from 'node:module';

registerHooks({
	resolve(specifier, context, next) {
		if (specifier !== 'cloudflare:workers') return next(specifier, context);
		return { url: new URL('./cloudflare-workers.ts', import.meta.url).href, shortCircuit: true };
	},
});
