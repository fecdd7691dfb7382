/** The tools of the MCP server: those that start jobs of tasks and upstreams, and those about jobs. */
import { defined } from '../../core/defined.ts';
import { mayUse, type Upstream } from '../../core/upstream/settings.ts';
import { tenantOf } from '../access/auth.ts';
import type { RequestContext } from '../request-context.ts';
import { knownJsonSchema } from '../tasks.ts';
import { JOB_TOOLS, type JobTool } from './job-tools.ts';
import { taskStarter } from './task-starter.ts';
import type { JobStarter, ObjectSchema, Tool } from './tool.ts';
import { upstreamStarter } from './upstream-starter.ts';

type Caller = Pick<RequestContext, 'tasks' | 'principal' | 'config'>;

/** The tools that the caller's scopes allow, in the order of the deployment's tasks and upstreams. */
export function listedTools(caller: Caller): Tool[] {
	const { scopes } = caller.principal;
	return [
		...callersStarters(caller).map(({ tool }) => tool()),
		...JOB_TOOLS.filter(({ scope }) => scopes.has(scope)).map(jobTool),
	];
}

function jobTool({ name, description, annotations, takes }: JobTool): Tool {
	return defined({ name, description, annotations, inputSchema: knownJsonSchema(takes()) as ObjectSchema });
}

/** Those that start jobs, for a caller who may submit a job and read it. */
export function callersStarters(caller: Caller): JobStarter[] {
	const { principal } = caller;
	const mayStart = principal.scopes.has('submit') && principal.scopes.has('read');
	return mayStart ? jobStarters(caller, (upstream) => mayUse(upstream, tenantOf(principal))) : [];
}

/** Those of the public card. The paths of an upstream are known to its callers only. */
export function publicStarters(deployment: Pick<Caller, 'tasks' | 'config'>): JobStarter[] {
	const { isOpen } = deployment.config;
	return jobStarters(deployment, ({ tenants }) => isOpen && tenants === undefined);
}

/** For a caller of any scopes. */
export function findJobStarter(caller: Caller, name: string): JobStarter | undefined {
	const starters = jobStarters(caller, (upstream) => mayUse(upstream, tenantOf(caller.principal)));
	return starters.find((starter) => starter.name === name);
}

/** Where two tools would have one name, the first one has it: a tool about jobs, then a task. */
function jobStarters(
	{ tasks, config }: Pick<Caller, 'tasks' | 'config'>,
	isUsable: (upstream: Upstream) => boolean,
): JobStarter[] {
	const upstreams = [...config.upstreams.values()].filter((upstream) => upstream.mcp && isUsable(upstream));
	const starters = [
		...[...tasks.values()].filter(({ mcp }) => mcp !== 'off').map(taskStarter),
		...upstreams.map(upstreamStarter),
	];
	const names = new Set(JOB_TOOLS.map(({ name }) => name));
	return starters.filter(({ name }) => names.size < names.add(name).size);
}
