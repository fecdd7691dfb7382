/** The context of one request: everything that a handler needs. */
import type { Config } from '../config/config.ts';
import type { Nothing } from '../core/job/object-api.ts';
import type { Lanes } from '../queue/lanes.ts';
import type { NowMessage } from '../queue/run-now.ts';
import type { Batches } from '../rpc/batches.ts';
import type { Gates } from '../rpc/gates.ts';
import type { Jobs } from '../rpc/jobs.ts';
import type { ListTeller } from '../rpc/list-teller.ts';
import type { Lists } from '../rpc/lists.ts';
import type { Tenants } from '../rpc/tenants.ts';
import type { Topics } from '../rpc/topics.ts';
import type { TaskRegistry } from '../work/registry.ts';
import type { Principal } from './access/auth.ts';
import type { Correlation } from './correlation.ts';
import { type Asked, Problem, passing } from './problem.ts';

/** The context that all requests of a deployment share. */
export interface Door {
	readonly config: Config;
	readonly tasks: TaskRegistry;
	readonly jobs: Jobs;
	/** Absent in a Worker without a binding for batches. */
	readonly batches?: Batches;
	/** The circuit breakers of upstreams. */
	readonly gates: Gates;
	readonly tenants: Tenants;
	/** Absent in a Worker without a binding for topics. */
	readonly topics?: Topics;
	readonly lists: Lists;
	readonly lanes: Lanes;
	/** Left out where the list of jobs is off. */
	readonly teller?: ListTeller;
	/**
	 * Runs the first attempt of a durable job in this Worker. Returns `undefined` when there is no room for it. Else the promise
	 * resolves to whether the job has probably ended; it never rejects.
	 */
	readonly runNow: (message: NowMessage) => Promise<boolean> | undefined;
}

export interface RequestContext extends Door {
	readonly request: Request;
	readonly url: URL;
	readonly correlation: Correlation;
	/** From the path: `id`, `task`. */
	readonly params: Readonly<Record<string, string>>;
	readonly principal: Principal;
	/** Keeps the Worker running for the promise after the response was sent. */
	readonly waitUntil: (promise: Promise<unknown>) => void;
}

/** The origin of links: the public URL with the request's host; else the first public URL; else the request's origin. */
export function linkOrigin({ config: { publicUrls }, url }: Pick<RequestContext, 'config' | 'url'>): string {
	return publicUrls.find((publicUrl) => new URL(publicUrl).host === url.host) ?? publicUrls[0] ?? url.origin;
}

/** The facts of the request that its response repeats. */
export function requestFacts({ url, correlation }: Pick<RequestContext, 'url' | 'correlation'>): Asked {
	return { path: url.pathname, correlationId: correlation.correlationId };
}

/** The job's id from the path. @throws {Problem} `JobNotFound` for an invalid id. */
export function readJobId({ params, jobs }: Pick<RequestContext, 'params' | 'jobs'>): string {
	const { id = '' } = params;
	if (!jobs.isId(id)) throw new Problem('JobNotFound', 'No job has this id');
	return id;
}

/** The problem for a job that does not exist, or no longer exists. */
export function missing(
	reading: { readonly found: 'tombstone'; readonly reason: 'expired' | 'purged' } | Nothing,
	principal: Principal,
): Problem {
	if (reading.found === 'tombstone') {
		return reading.reason === 'purged'
			? new Problem('JobPurged', 'The job was purged: its data was deleted on request')
			: new Problem('JobExpired', 'The retention time of the job has ended: its data was deleted');
	}
	// An object of version 0.1.0 can't check a token's bearer: during a deploy, the job may exist for some seconds.
	if (principal.tenant === undefined && !reading.knowsTokens) return passing();
	// A valid token proves that the job existed: even its tombstone has expired.
	if (principal.token)
		return new Problem('JobExpired', 'The retention time of the job has ended: its data was deleted');
	return new Problem('JobNotFound', 'No job has this id');
}
