/** The deployment as it would be deployed, on a port of this machine: the bundle, its queues, its objects' SQLite. */
import { fileURLToPath } from 'node:url';
import { createTestHarness } from 'wrangler';

// Wrangler reads these as it goes; its `.env` is only read by its command line.
process.env.WRANGLER_LOG ??= 'error';
process.env.WRANGLER_SEND_METRICS ??= 'false';
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Server {
	/** What its URLs start with, without a slash at the end. */
	readonly origin: string;
	stop(): Promise<void>;
}

/** Starts a server with nothing stored. `.dev.vars` makes it open to everybody; tokens are checked all the same. */
export async function startServer(): Promise<Server> {
	const harness = createTestHarness({ root: ROOT, workers: [{ configPath: 'wrangler.toml' }] });
	const { url } = await harness.listen();
	return { origin: url.origin, stop: () => harness.close() };
}
