/** Runs the deployment on a port of this machine as in production: the bundle, its queues, its objects' SQLite. */
import { fileURLToPath } from 'node:url';
import { createTestHarness } from 'wrangler';

// Wrangler reads these variables at run time; only its command line reads its `.env`.
process.env.WRANGLER_LOG ??= 'error';
process.env.WRANGLER_SEND_METRICS ??= 'false';
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Server {
	/** The start of its URLs, without a trailing slash. */
	readonly origin: string;
	/** Deploys with other secrets: the code is loaded again, and stored data stays. */
	redeploy(secrets: Secrets): Promise<void>;
	stop(): Promise<void>;
}

/** They take precedence over those of `.dev.vars`. */
export type Secrets = Readonly<Record<string, string>>;

/** Starts a server with an empty store. `.dev.vars` disables authentication; tokens are verified in any case. */
export async function startServer(secrets: Secrets = {}): Promise<Server> {
	const optionsWith = (secrets: Secrets) => ({ root: ROOT, workers: [{ configPath: 'wrangler.toml', secrets }] });
	const harness = createTestHarness(optionsWith(secrets));
	const { url } = await harness.listen();
	return {
		origin: url.origin,
		redeploy: (secrets) => harness.update(optionsWith(secrets)),
		stop: () => harness.close(),
	};
}
