/** The upstreams that a tenant may use, with their circuit breakers. */
import { defined } from '../../core/defined.ts';
import type { GateReading } from '../../core/upstream/gate.ts';
import { mayUse, type Upstream } from '../../core/upstream/settings.ts';
import { tenantOf } from '../access/auth.ts';
import { PRIVATE } from '../job-response.ts';
import type { RequestContext } from '../request-context.ts';
import { upstreamNamed } from '../submit/upstream.ts';

/** `GET /v1/upstreams`. */
export async function listUpstreams(context: RequestContext): Promise<Response> {
	const read = await readUpstreamGates(context);
	return Response.json({ upstreams: read.map(upstreamItem) }, { headers: PRIVATE });
}

/** `POST /v1/operator/upstreams/{upstream}/reset`: closes the breaker. */
export async function resetUpstream(context: RequestContext): Promise<Response> {
	const upstream = upstreamNamed(context);
	const gate = await context.gates.call(upstream.name, (object) => object.resetGate());
	return Response.json(upstreamItem({ upstream, gate }), { headers: PRIVATE });
}

export interface UpstreamGateReading {
	readonly upstream: Upstream;
	readonly gate: GateReading;
}

/** Reads the gate of each upstream that the caller may use. */
export function readUpstreamGates({ config, gates, principal }: RequestContext): Promise<UpstreamGateReading[]> {
	const usable = [...config.upstreams.values()].filter((upstream) => mayUse(upstream, tenantOf(principal)));
	return Promise.all(
		usable.map(async (upstream) => {
			const gate = await gates.call(upstream.name, (object) => object.readGate());
			return { upstream, gate };
		}),
	);
}

/** Requests are counted only for an upstream with a limit. */
function upstreamItem({ upstream: { name, concurrency }, gate }: UpstreamGateReading) {
	const { breaker, failures, openUntil, running } = gate;
	return defined({
		name,
		breaker,
		openUntil: openUntil === undefined ? undefined : new Date(openUntil).toISOString(),
		recentFailures: failures,
		running: concurrency === undefined ? undefined : running,
		limit: concurrency,
	});
}
