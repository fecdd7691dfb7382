/** The deployment that a command talks to, and how it is reached. */
import type { ArgsDef } from 'citty';
import { type Client, createClient, type Job } from '../src/client/index.ts';
import { Unreachable, UsageError } from './failure.ts';
import { stop } from './interrupt.ts';
import type { Environment } from './terminal/style.ts';

/** `wrangler dev` listens here. */
export const DEFAULT_URL = 'http://localhost:8787';
const JOB_ID = /^[0-9a-f]{64}$/;
/** The server is not there: further tries would not help. */
const ABSENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND']);
/** Its certificate is not accepted, or it speaks no TLS. */
const NO_TLS = /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/;

/** Options of each command that talks to a deployment. */
export const CONNECTION = {
	url: { type: 'string', description: `The deployment. Default: COATCHECK_URL, otherwise ${DEFAULT_URL}` },
	json: { type: 'boolean', description: 'Print JSON' },
} satisfies ArgsDef;

export interface Connection {
	readonly baseUrl: string;
	/** Left out for an open deployment, and for links with a token. */
	readonly apiKey?: string;
}

/** @throws {UsageError} for a URL that can't be one. */
export function readConnection(url: string | undefined, environment: Environment): Connection {
	const { COATCHECK_URL, COATCHECK_API_KEY } = environment;
	const baseUrl = url ?? (COATCHECK_URL || DEFAULT_URL);
	if (!/^https?:$/.test(URL.canParse(baseUrl) ? new URL(baseUrl).protocol : ''))
		throw new UsageError(`${url === undefined ? 'COATCHECK_URL' : '--url'}: expected an http(s) URL`);
	return COATCHECK_API_KEY ? { baseUrl, apiKey: COATCHECK_API_KEY } : { baseUrl };
}

/** A client that gives up at once when the server is not there, instead of trying for seconds. */
export function connect(url: string | undefined): Client {
	return clientFor(readConnection(url, process.env));
}

/**
 * A handle on a job.
 *
 * @param reference the job's id, or any of its links.
 * @throws {UsageError}
 */
export function findJob(reference: string, url: string | undefined): Job {
	const connection = readConnection(url, process.env);
	return clientFor(connection).job(jobUrl(reference, connection));
}

/** A handle that follows events by socket: its URL has a token, and needs no key. */
export async function findWatchableJob(
	reference: string,
	{ url, signal }: { readonly url: string | undefined; readonly signal: AbortSignal },
): Promise<Job> {
	const connection = readConnection(url, process.env);
	const link = jobUrl(reference, connection);
	if (connection.apiKey === undefined || new URL(link).searchParams.has('token')) {
		const job = clientFor({ baseUrl: link }).job(link);
		// A socket to an address that does not answer would wait for ever.
		await job.status({ signal });
		return job;
	}
	const { links } = await clientFor(connection).job(link).status({ signal });
	return clientFor({ baseUrl: links.self }).job(links.self);
}

/** @throws {UsageError} Its message shows no token. */
export function jobUrl(reference: string, { baseUrl }: Connection): string {
	if (JOB_ID.test(reference)) return `${baseUrl.replace(/\/+$/, '')}/v1/jobs/${reference}`;
	const pathname = URL.canParse(reference) ? new URL(reference).pathname : '';
	if (/\/v1\/(jobs|operations)\/[0-9a-f]{64}(\/[a-z]+)?$/.test(pathname)) return reference;
	throw new UsageError(
		"Expected a job: its id (64 hexadecimal digits), or its URL in quotes: 'https://…/v1/jobs/…?token=…'",
	);
}

function clientFor({ baseUrl, apiKey }: Connection): Client {
	let hasAnswered = false;
	const fetchOrStop = async (url: string, init: RequestInit): Promise<Response> => {
		try {
			const response = await fetch(url, init);
			hasAnswered = true;
			return response;
		} catch (error) {
			const { code = '' } = ((error as Error).cause ?? {}) as { code?: string };
			const { origin } = new URL(url);
			if (!hasAnswered && ABSENT.has(code)) stop(new Unreachable(`No server answers at ${origin} (${code})`));
			if (!hasAnswered && NO_TLS.test(code)) stop(new Unreachable(`No secure connection to ${origin} (${code})`));
			throw error;
		}
	};
	// The platform's socket can't carry a key. Node 20 has none at all.
	const WebSocket = apiKey === undefined ? globalThis.WebSocket : undefined;
	return createClient({ baseUrl, apiKey, fetch: fetchOrStop, WebSocket });
}
