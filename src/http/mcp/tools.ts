/** The tools of the MCP server: those that start jobs of tasks and upstreams, and those about jobs. */
import { defined } from '../../core/defined.ts';
import { mayUse } from '../../core/upstream/settings.ts';
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
	const starters = scopes.has('submit') ? jobStarters(caller) : [];
	return [...starters.map(({ tool }) => tool()), ...JOB_TOOLS.filter(({ scope }) => scopes.has(scope)).map(jobTool)];
}

function jobTool({ name, description, annotations, takes }: JobTool): Tool {
	return defined({ name, description, annotations, inputSchema: knownJsonSchema(takes()) as ObjectSchema });
}

export function findJobStarter(caller: Caller, name: string): JobStarter | undefined {
	return jobStarters(caller).find((starter) => starter.name === name);
}

/** Where two tools would have one name, the first one has it: a tool about jobs, then a task. */
function jobStarters({ tasks, principal, config }: Caller): JobStarter[] {
	const upstreams = [...config.upstreams.values()].filter(({ mcp }) => mcp);
	const usable = upstreams.filter((upstream) => mayUse(upstream, tenantOf(principal)));
	const starters = [
		...[...tasks.values()].filter(({ mcp }) => mcp !== 'off').map(taskStarter),
		...usable.map(upstreamStarter),
	];
	const names = new Set(JOB_TOOLS.map(({ name }) => name));
	return starters.filter(({ name }) => names.size < names.add(name).size);
}
