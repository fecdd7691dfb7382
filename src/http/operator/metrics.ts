/**
 * Metrics for Prometheus: the deployment's queues, the caller's upstreams, and the jobs of its tenant. What can't be read is
 * left out, and `coatcheck_part_up` says so: a wrong zero would hide an outage.
 */
import type { Config } from '../../config/config.ts';
import { defined } from '../../core/defined.ts';
import { MS_PER_SECOND } from '../../core/job/limits.ts';
import { logError } from '../../log.ts';
import { type LaneDepth, readLaneDepths } from '../../queue/depths.ts';
import { tenantOf } from '../access/auth.ts';
import type { RequestContext } from '../request-context.ts';
import { type JobFigures, jobMetrics, readJobFigures } from './job-metrics.ts';
import { MAX_LABEL_VALUES, type Metric, PROMETHEUS_TYPE, prometheusText, type Sample } from './prometheus.ts';
import { readUpstreamGates, type UpstreamGateReading } from './upstreams.ts';

/** How long this isolate answers a tenant from what it has read. */
const FIGURES_FRESH_MS = 5 * MS_PER_SECOND;
/** Maximum number of tenants whose figures an isolate keeps. */
const MAX_TENANTS_KEPT = 100;

/** A part is `undefined` if it could not be read; `jobs` is left out where the list is off. */
interface Figures {
	readonly lanes: readonly LaneDepth[] | undefined;
	readonly upstreams: readonly UpstreamGateReading[] | undefined;
	readonly jobs?: JobFigures | undefined;
	readonly readAt: number;
}

/** Values, never promises: a request must not wait for the I/O of another one. */
const lastFigures = new WeakMap<Config, Map<string, Figures>>();

/** `GET /metrics`. */
export async function showMetrics(context: RequestContext): Promise<Response> {
	const now = Date.now();
	const figures = await recentFigures(context, now);
	const text = prometheusText(metricsInParts(context, figures, now));
	return new Response(text, { headers: { 'content-type': PROMETHEUS_TYPE, 'cache-control': 'private, no-store' } });
}

async function recentFigures(context: RequestContext, now: number): Promise<Figures> {
	const tenant = tenantOf(context.principal);
	const byTenant = lastFigures.get(context.config) ?? new Map<string, Figures>();
	lastFigures.set(context.config, byTenant);
	const known = byTenant.get(tenant);
	if (known && now - known.readAt < FIGURES_FRESH_MS) return known;
	const figures = await readFigures(context, now);
	if (byTenant.size >= MAX_TENANTS_KEPT) byTenant.clear();
	byTenant.set(tenant, figures);
	return figures;
}

async function readFigures(context: RequestContext, now: number): Promise<Figures> {
	const { lanes, lists, principal } = context;
	const [depths, upstreams, jobs] = await Promise.all([
		readPart('lanes', () => readLaneDepths(lanes, now)),
		readPart('upstreams', () => readUpstreamGates(context)),
		lists.areOn ? readPart('jobs', () => readJobFigures(lists, tenantOf(principal), now)) : undefined,
	]);
	const parts = { lanes: depths, upstreams, readAt: now };
	return lists.areOn ? { ...parts, jobs } : parts;
}

async function readPart<Part>(part: string, read: () => Promise<Part>): Promise<Part | undefined> {
	try {
		return await read();
	} catch (error) {
		logError('metrics incomplete', { part, error });
		return undefined;
	}
}

function metricsInParts({ lanes }: RequestContext, figures: Figures, now: number): Metric[] {
	const areLanesKnown = figures.lanes?.length === lanes.size;
	const parts = defined({
		lanes: areLanesKnown,
		upstreams: figures.upstreams !== undefined,
		jobs: 'jobs' in figures ? figures.jobs !== undefined : undefined,
	});
	return [
		{
			name: 'coatcheck_part_up',
			help: '1 if this part of the metrics could be read, 0 if its samples are missing.',
			samples: Object.entries(parts).map(([part, isUp]) => ({ labels: { part }, value: isUp ? 1 : 0 })),
		},
		...laneMetrics(figures.lanes ?? [], now),
		...upstreamMetrics(figures.upstreams ?? []),
		...(figures.jobs ? jobMetrics(figures.jobs, now) : []),
	];
}

function laneMetrics(depths: readonly LaneDepth[], now: number): Metric[] {
	const samples = (valueFor: (depth: LaneDepth) => number): Sample[] =>
		depths.map((depth) => ({ labels: { lane: depth.lane }, value: valueFor(depth) }));
	return [
		{
			name: 'coatcheck_queue_messages',
			help: 'Messages in the queues of a lane, those at work and those that are delayed included. Lane webhooks has the deliveries.',
			samples: samples(({ messages }) => messages),
		},
		{
			name: 'coatcheck_queue_bytes',
			help: 'Bytes of these messages.',
			samples: samples(({ bytes }) => bytes),
		},
		{
			name: 'coatcheck_queue_oldest_message_age_seconds',
			help: 'Age of the oldest of these messages, in seconds; 0 for an empty lane.',
			samples: samples(({ oldestAt = now }) => Math.max(0, now - oldestAt) / MS_PER_SECOND),
		},
	];
}

const BREAKER_STATES = ['closed', 'open', 'half-open'] as const;

function upstreamMetrics(readings: readonly UpstreamGateReading[]): Metric[] {
	const shown = readings.slice(0, MAX_LABEL_VALUES);
	const limited = shown.filter(({ upstream }) => upstream.concurrency !== undefined);
	return [
		{
			name: 'coatcheck_upstream_breaker',
			help: "1 for the state of the upstream's circuit breaker, 0 for the other states.",
			samples: shown.flatMap(({ upstream: { name }, gate }) =>
				BREAKER_STATES.map((state) => ({ labels: { upstream: name, state }, value: gate.breaker === state ? 1 : 0 })),
			),
		},
		{
			name: 'coatcheck_upstream_failures',
			help: 'Consecutive failures of the upstream, each of another job.',
			samples: shown.map(({ upstream: { name }, gate }) => ({ labels: { upstream: name }, value: gate.failures })),
		},
		{
			name: 'coatcheck_upstream_running',
			help: 'Requests in progress, of upstreams with a limit.',
			samples: limited.map(({ upstream: { name }, gate }) => ({ labels: { upstream: name }, value: gate.running })),
		},
		{
			name: 'coatcheck_upstream_limit',
			help: 'Maximum number of concurrent requests, of upstreams with a limit.',
			samples: limited.map(({ upstream: { name, concurrency = 0 } }) => ({
				labels: { upstream: name },
				value: concurrency,
			})),
		},
	];
}
