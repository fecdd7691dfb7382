/** `npm run build` bundles the Worker into `dist/`, in parts, and its dashboard. `wrangler dev` and `wrangler deploy` run this first. */
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { LISTING, TYPES, writeBundle, writeTypes } from '../cli/build/bundle.ts';
import { buildDashboard } from './dashboard.ts';
import { removeOthers } from './remove-others.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param entry relative to the root of the repository.
 * @param folder an absolute path. Any other file in it is deleted: wrangler would upload a module that an older version has built.
 * @param minify `false` keeps the names of functions, for a profile.
 */
export async function bundleWorker(entry: string, folder: string, minify = true): Promise<Metafile> {
	const metafile = await writeBundle({ root: ROOT, entry, folder, minify });
	const parts = Object.keys(metafile.outputs).map((path) => basename(path));
	await removeOthers(folder, new Set([...parts, LISTING, TYPES]));
	return metafile;
}

/** `worker-configuration.d.ts` imports these. The tests call the objects, so their types have all methods here. */
const BUNDLE_TYPES = `export * from '../src/index.ts';
export { default } from '../src/index.ts';
export { BatchObject } from '../src/object/batch-object.ts';
export { JobObject } from '../src/object/job-object.ts';
export { TenantObject } from '../src/object/tenant-object.ts';
export { TopicObject } from '../src/object/topic-object.ts';
export { UpstreamGate } from '../src/object/upstream-gate.ts';
`;

if (import.meta.main) {
	await Promise.all([bundleWorker('src/index.ts', join(ROOT, 'dist')), buildDashboard(join(ROOT, 'dashboard/dist'))]);
	await writeTypes(join(ROOT, 'dist'), BUNDLE_TYPES);
}
