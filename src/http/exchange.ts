/** One request on its way through the door, with everything a handler may need. */
import type { Config } from '../config.ts';
import type { Nothing } from '../job/object-api.ts';
import type { Lanes } from '../queue/lanes.ts';
import type { Batches } from '../rpc/batches.ts';
import type { Jobs } from '../rpc/jobs.ts';
import type { Tenants } from '../rpc/tenants.ts';
import type { TaskRegistry } from '../work/registry.ts';
import type { Principal } from './auth.ts';
import type { Correlation } from './correlation.ts';
import { type Asked, Problem, passing } from './problem.ts';

/** What is the same for every request to a deployment. */
export interface Door {
	readonly config: Config;
	readonly tasks: TaskRegistry;
	readonly jobs: Jobs;
	/** Left out in a Worker that has no binding for them. */
	readonly batches?: Batches;
	readonly tenants: Tenants;
	readonly lanes: Lanes;
}

export interface Exchange extends Door {
	readonly request: Request;
	readonly url: URL;
	readonly correlation: Correlation;
	/** From the path: `id`, `task`. */
	readonly params: Readonly<Record<string, string>>;
	readonly principal: Principal;
	/** Goes on after the answer was sent. */
	readonly waitUntil: (promise: Promise<unknown>) => void;
}

/** What links start with: the public address that the request came to; else the first one; else the request's own. */
export function originOf({ config: { publicUrls }, url }: Pick<Exchange, 'config' | 'url'>): string {
	return publicUrls.find((publicUrl) => new URL(publicUrl).host === url.host) ?? publicUrls[0] ?? url.origin;
}

/** What the answer to a request says of it. */
export function asked({ url, correlation }: Pick<Exchange, 'url' | 'correlation'>): Asked {
	return { path: url.pathname, correlationId: correlation.correlationId };
}

/** The job's id from the path. @throws {Problem} `JobNotFound` for one that no job can have. */
export function jobIdOf({ params, jobs }: Pick<Exchange, 'params' | 'jobs'>): string {
	const { id = '' } = params;
	if (!jobs.isId(id)) throw new Problem('JobNotFound', 'No job has this id');
	return id;
}

/** @throws {Problem} for a job that is not there (any more). */
export function missing(
	reading: { readonly found: 'tombstone'; readonly reason: 'expired' | 'purged' } | Nothing,
	principal: Principal,
): Problem {
	if (reading.found === 'tombstone') {
		return reading.reason === 'purged'
			? new Problem('JobPurged', 'The job was purged')
			: new Problem('JobExpired', 'The job was kept as long as was asked, and is gone');
	}
	// An object of version 0.1.0 knows no token's bearer: for some seconds of a deploy the job may be there.
	if (principal.tenant === undefined && !reading.knowsTokens) return passing();
	// A good token is proof that there was such a job: even its tombstone is gone.
	if (principal.token) return new Problem('JobExpired', 'The job was kept as long as was asked, and is gone');
	return new Problem('JobNotFound', 'No job has this id');
}
