/** Handles a request: configuration, route, authentication, handler. Turns every error into a problem response. */
import { Router } from 'itty-router';
import { type Config, readConfig } from '../config/config.ts';
import { NotConfigured } from '../config/not-configured.ts';
import { A2A_PATH } from '../core/a2a/limits.ts';
import { defined } from '../core/defined.ts';
import { MCP_PATH } from '../core/mcp/limits.ts';
import { COMMON_METHODS } from '../core/upstream/request.ts';
import { withLogContext } from '../log.ts';
import { DEFAULT_LANE, lanesOf, queuesOf } from '../queue/lanes.ts';
import { Batches } from '../rpc/batches.ts';
import { Gates } from '../rpc/gates.ts';
import { Jobs } from '../rpc/jobs.ts';
import { ListTeller } from '../rpc/list-teller.ts';
import { Lists } from '../rpc/lists.ts';
import type { OwnObjects } from '../rpc/own-objects.ts';
import { Tenants } from '../rpc/tenants.ts';
import { Topics } from '../rpc/topics.ts';
import type { TaskRegistry } from '../work/registry.ts';
import { authenticate, type Principal, requireScope } from './access/auth.ts';
import { refuseWrongHost } from './access/host.ts';
import { countRequest } from './access/rate-limit.ts';
import { type DrainLimits, drain, REST_OF_KNOWN, REST_OF_UNKNOWN } from './body.ts';
import { Correlation } from './correlation.ts';
import { addCors, preflight } from './cors.ts';
import { isPage } from './dashboard.ts';
import { Problem, problemResponse, shown } from './problem.ts';
import { type Door, linkOrigin, type RequestContext, requestFacts } from './request-context.ts';
import { refuseOversized } from './request-limits.ts';
import { ROUTES, type Route } from './routes.ts';
import { addSecurityHeaders } from './security-headers.ts';
import type { PageFiles } from './serve-page.ts';
import { toProblem } from './to-problem.ts';

/** The bindings for handling requests. */
export interface DoorEnv extends OwnObjects {
	/** The files of the dashboard. Without them the deployment has no pages. */
	readonly ASSETS?: PageFiles;
}

/** A deployment's bindings and tasks. */
export interface Deployment {
	readonly env: DoorEnv;
	readonly tasks: TaskRegistry;
	readonly runNow: Door['runNow'];
}

type Arrival = Omit<RequestContext, 'params' | 'principal' | 'config'> & { readonly config: Config };

/** The routes with their patterns. The router only compiles them, because routers handle HEAD, OPTIONS and errors differently from this API. */
const PATTERNS = ROUTES.flatMap((route) =>
	Router()
		.all(route.path)
		.routes.map(([, pattern]) => ({ route, pattern })),
);

export async function handleRequest(
	request: Request,
	deployment: Deployment,
	ctx: ExecutionContext,
): Promise<Response> {
	const correlation = new Correlation(request);
	return withLogContext(correlation, async () => {
		const url = new URL(request.url);
		const config = readConfigOrReason(deployment.env);
		const arrival = { request, url, correlation, config };
		const response = await routeRequest(arrival, deployment, ctx).catch(async (error: unknown) => {
			await drain(request, REST_OF_UNKNOWN);
			const problem = toProblem(error, request);
			if (url.pathname.startsWith(`${A2A_PATH}/`)) return (await import('./a2a/answer.ts')).problemAnswer(problem);
			return problemResponse(problem, requestFacts(arrival));
		});
		return withCommonHeaders(response, arrival);
	});
}

/** A request before routing. */
type Bare = Pick<RequestContext, 'request' | 'url' | 'correlation'> & { readonly config: Config | NotConfigured };

async function routeRequest(
	{ request, url, correlation, config }: Bare,
	{ env, tasks, runNow }: Deployment,
	ctx: ExecutionContext,
): Promise<Response> {
	refuseOversized(request, url);
	const { method } = request;
	const preflightResponse = method === 'OPTIONS' ? preflightFor(request, url, config) : undefined;
	if (preflightResponse) return preflightResponse;
	const isRead = method === 'GET' || method === 'HEAD';
	if (url.pathname === HEALTH && isRead) return Response.json({ status: 'ok' });
	if (config instanceof NotConfigured) throw config;
	const missing = missingBinding(env);
	if (missing) throw missing;
	refuseWrongHost({ config, url });
	if (isRead && env.ASSETS && config.isDashboardOn && isPage(url)) {
		await countRequest(request, config);
		return (await import('./serve-page.ts')).servePage(env.ASSETS, request);
	}
	const waitUntil = (promise: Promise<unknown>) => ctx.waitUntil(promise);
	const teller = createTeller(env, config, waitUntil);
	const door: Door = defined({
		config,
		tasks,
		jobs: new Jobs(env.JOBS, teller?.tellSoon),
		teller,
		batches: env.BATCHES && new Batches(env.BATCHES),
		gates: new Gates(env.GATES),
		tenants: new Tenants(env.TENANTS),
		topics: env.TOPICS && new Topics(env.TOPICS),
		lists: new Lists(config.isListOn ? env.TOPICS : undefined),
		lanes: lanesOf(env),
		runNow,
	});
	const found = findRoute(method, url.pathname);
	if (found) return runRoute(found.route, found.params, { ...door, request, url, correlation, waitUntil });
	// Requests for unknown paths count against the rate limit, too.
	await countRequest(request, config);
	throw routeNotFound(method, allowedMethods(url.pathname));
}

/** Finds what no deployment works without. The other bindings are asked for where they are needed. */
export function missingBinding(env: DoorEnv): NotConfigured | undefined {
	for (const [binding, name] of [
		['JOBS', 'JobObject'],
		['GATES', 'UpstreamGate'],
	] as const)
		if (!env[binding])
			return new NotConfigured(
				[binding],
				`Expected the class ${name}: export it from the Worker's entry and name it in the configuration, as [exports.${name}] or in migrations`,
			);
	if (queuesOf(lanesOf(env), DEFAULT_LANE).length > 0) return undefined;
	return new NotConfigured(
		['LANE_JOBS_1'],
		'Expected a queue with the binding LANE_JOBS_1, for jobs of the lane "jobs"',
	);
}

/** @returns `undefined` where the list of jobs is off. */
export function createTeller(
	env: Pick<DoorEnv, 'TOPICS'>,
	{ isListOn, topicRetention }: Config,
	waitUntil: (promise: Promise<unknown>) => void,
): ListTeller | undefined {
	return isListOn && env.TOPICS ? new ListTeller(new Lists(env.TOPICS, topicRetention), env, waitUntil) : undefined;
}

/** The first route of the table with this method and path, and the path's parameters. HEAD is GET without the body. */
function findRoute(
	method: string,
	pathname: string,
): { readonly route: Route; readonly params: Record<string, string> } | undefined {
	const wanted = method === 'HEAD' ? 'GET' : method;
	for (const { route, pattern } of PATTERNS) {
		const match = route.method === wanted || route.method === ANY ? pattern.exec(pathname) : null;
		if (match) return { route, params: match.groups ?? {} };
	}
	return undefined;
}

/** @returns `undefined` where `OPTIONS` is not a preflight, or no route has the path. */
function preflightFor(request: Request, url: URL, config: Config | NotConfigured): Response | undefined {
	const allowed = allowedMethods(url.pathname);
	if (allowed.length === 0 || isForHandler(request, allowed)) return undefined;
	const named = allowed.filter((name) => name !== ANY);
	return preflight(request, config instanceof NotConfigured ? undefined : config, named);
}

function routeNotFound(method: string, allowed: readonly string[]): Problem {
	if (allowed.length === 0)
		return new Problem('NotFound', 'No resource has this path: GET /v1/tasks lists the tasks and how to submit jobs');
	return new Problem('MethodNotAllowed', `Expected ${allowed.join(' or ')}, got: ${shown(method)}`, {
		headers: { allow: allowed.join(', ') },
	});
}

const HEALTH = '/healthz';
/** The method of a route that accepts every method. */
const ANY = 'ALL';

/** A route for every method handles `OPTIONS` itself, except for a preflight. */
function isForHandler(request: Request, allowed: readonly string[]): boolean {
	return allowed.includes(ANY) && !request.headers.has('access-control-request-method');
}

async function runRoute(route: Route, params: Record<string, string>, arrival: Arrival): Promise<Response> {
	const { request, config } = arrival;
	let rest: DrainLimits = REST_OF_UNKNOWN;
	try {
		const principal = await authenticated(route, params, arrival);
		// A client that may send a body here receives the response even after a large upload.
		if (route.takes(config) > 0 && principal.scopes.has(route.scope)) rest = REST_OF_KNOWN;
		const headers = await countRequest(request, config, principal);
		requireScope(principal, route.scope);
		const response = await callHandler(route, { ...arrival, params, principal });
		if (!response.webSocket) for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
		return response;
	} catch (error) {
		await drain(request, rest);
		throw error;
	}
}

async function callHandler(route: Route, context: RequestContext): Promise<Response> {
	try {
		return await route.handle(context);
	} catch (error) {
		throw toProblem(error, context.request, context.principal);
	}
}

/** Counts rejected requests against the rate limit, too, so that credentials can't be guessed. */
async function authenticated(
	{ scope, path }: Route,
	{ id }: Record<string, string>,
	arrival: Arrival,
): Promise<Principal> {
	const { request, url, config } = arrival;
	try {
		return await authenticate({ request, url, config, scope, jobId: id });
	} catch (error) {
		await countRequest(request, config);
		if (path !== MCP_PATH) throw error;
		throw (await import('./mcp/protection.ts')).withMetadata(error, { config, url });
	}
}

/** The methods of a path, from the route table; empty for an unknown path. */
function allowedMethods(pathname: string): string[] {
	const methods: string[] = PATTERNS.filter(({ pattern }) => pattern.test(pathname)).map(({ route }) => route.method);
	if (pathname === HEALTH) methods.push('GET');
	if (methods.length === 0) return [];
	if (methods.includes(ANY)) return [...COMMON_METHODS, ANY];
	return [...new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])];
}

function readConfigOrReason(env: object): Config | NotConfigured {
	try {
		return readConfig(env);
	} catch (error) {
		if (error instanceof NotConfigured) return error;
		throw error;
	}
}

/** Adds the headers of every response. A WebSocket response stays as it is: it can't be copied. */
async function withCommonHeaders(response: Response, { request, url, correlation, config }: Bare): Promise<Response> {
	if (response.webSocket) return response;
	const { headers } = response;
	if (!(config instanceof NotConfigured)) addCors(headers, request, config);
	addSecurityHeaders(headers, config instanceof NotConfigured ? url.origin : linkOrigin({ config, url }));
	if (!headers.has('x-correlation-id')) headers.set('x-correlation-id', correlation.correlationId);
	return request.method === 'HEAD' ? withoutBody(response) : response;
}

/** The headers of a GET (RFC 9110 §9.3.2). Sets `Content-Length`, because the runtime sets it only when it sends a body. */
async function withoutBody(response: Response): Promise<Response> {
	const { body, headers } = response;
	const isOurs = /^application\/(problem\+)?json\b/.test(headers.get('content-type') ?? '');
	if (body && isOurs && !headers.has('content-length'))
		headers.set('content-length', String((await response.arrayBuffer()).byteLength));
	else void body?.cancel();
	return new Response(null, response);
}
