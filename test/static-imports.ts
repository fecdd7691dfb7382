/**
 * Loads at the start what `src` loads on demand. In the tests' runner (vite 8.3.8), imports of one module at one time share a promise, and
 * workerd goes on after it in the invocation that made it: the others lose their I/O, and hang. Cloudflare's plugin for Vite had the same
 * fault (cloudflare/workers-sdk#12953). In a built Worker, each import has a promise of its own.
 */
import type { Plugin } from 'vite';

const OF_THIS_WORKER = /\/src\/.*\.ts$/;
/** Not the `import('…')` of a type. */
const IMPORT = /(?<!typeof )\bimport\(('[^']+')\)/g;

export function importAtStart(): Plugin {
	return {
		name: 'import-at-start',
		enforce: 'pre',
		transform(code, id) {
			if (!OF_THIS_WORKER.test(id)) return;
			const imports: string[] = [];
			const changed = code.replaceAll(IMPORT, (_, specifier: string) => {
				const name = `importedAtStart${imports.length}`;
				imports.push(`import * as ${name} from ${specifier};`);
				return `Promise.resolve(${name})`;
			});
			// In front of the first line, so that the lines keep their numbers.
			return imports.length > 0 ? { code: imports.join('') + changed, map: null } : undefined;
		},
	};
}
