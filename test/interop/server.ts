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
	/** What a deployment with other secrets does: the code is loaded anew, and what is stored stays. */
	redeploy(secrets: Secrets): Promise<void>;
	stop(): Promise<void>;
}

/** They come before those of `.dev.vars`. */
export type Secrets = Readonly<Record<string, string>>;

/** Starts a server with nothing stored. `.dev.vars` makes it open to everybody; tokens are checked all the same. */
export async function startServer(secrets: Secrets = {}, root = ROOT): Promise<Server> {
	const optionsWith = (secrets: Secrets) => ({ root, workers: [{ configPath: 'wrangler.toml', secrets }] });
	const harness = createTestHarness(optionsWith(secrets));
	const { url } = await harness.listen();
	return {
		origin: url.origin,
		redeploy: (secrets) => harness.update(optionsWith(secrets)),
		stop: () => harness.close(),
	};
}
