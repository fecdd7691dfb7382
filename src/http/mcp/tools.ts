/** The tools of the MCP server: one for each task that the caller may submit, and those about jobs. */
import { defined } from '../../core/defined.ts';
import { MAX_EMBEDDED_INPUT_BYTES } from '../../core/mcp/limits.ts';
import type { RegisteredTask, TaskRegistry } from '../../work/registry.ts';
import type { RequestContext } from '../request-context.ts';
import { knownJsonSchema } from '../tasks.ts';
import { JOB_TOOLS, type JobTool } from './job-tools.ts';

export interface Tool {
	readonly name: string;
	readonly description: string;
	readonly inputSchema: ObjectSchema;
	readonly annotations?: {
		readonly readOnlyHint?: boolean;
		readonly destructiveHint?: boolean;
		readonly idempotentHint?: boolean;
	};
}

export interface ObjectSchema {
	readonly type: 'object';
	readonly properties?: Readonly<Record<string, object>>;
	readonly required?: readonly string[];
	readonly [keyword: string]: unknown;
}

/** The tools that the caller's scopes allow, in the order of the deployment's tasks. */
export function listedTools({ tasks, principal: { scopes } }: Pick<RequestContext, 'tasks' | 'principal'>): Tool[] {
	const submittable = scopes.has('submit') ? [...tasks.values()] : [];
	const taskTools = submittable.filter(isTool).map(taskTool);
	return [...taskTools, ...JOB_TOOLS.filter(({ scope }) => scopes.has(scope)).map(jobTool)];
}

function jobTool({ name, description, annotations, takes }: JobTool): Tool {
	return defined({ name, description, annotations, inputSchema: knownJsonSchema(takes()) as ObjectSchema });
}

/** The task of a tool. Tools have underscores where tasks have dashes, as hosts expect. */
export function taskOfTool(tasks: TaskRegistry, name: string): RegisteredTask | undefined {
	const task = name.includes('-') ? undefined : tasks.get(name.replaceAll('_', '-'));
	return task && isTool(task) ? task : undefined;
}

function isTool(task: RegisteredTask): boolean {
	return task.mcp !== 'off' && !JOB_TOOLS.some(({ name }) => name === toolName(task));
}

function toolName({ name }: RegisteredTask): string {
	return name.replaceAll('-', '_');
}

function taskTool(task: RegisteredTask): Tool {
	return { name: toolName(task), description: task.description, inputSchema: argumentsSchema(task) };
}

/** Whether the tool's arguments are the task's input itself. */
export function takesPlainInput({ json, binary, parameters }: RegisteredTask): boolean {
	return json !== undefined && !binary && isObjectSchema(knownJsonSchema(json)) && !hasProperties(parameters);
}

function argumentsSchema(task: RegisteredTask): ObjectSchema {
	const { json, binary, parameters } = task;
	if (json && takesPlainInput(task)) return knownJsonSchema(json) as ObjectSchema;
	const needsParameters = hasProperties(parameters) && hasRequired(knownJsonSchema(parameters));
	return {
		type: 'object',
		properties: defined({
			input: json && { description: "The task's input", ...knownJsonSchema(json) },
			file: binary && fileSchema(binary.mediaTypes),
			parameters: hasProperties(parameters) ? knownJsonSchema(parameters) : undefined,
		}) as Record<string, object>,
		required: [
			...(json && !binary ? ['input'] : []),
			...(binary && !json ? ['file'] : []),
			...(needsParameters ? ['parameters'] : []),
		],
		additionalProperties: false,
	};
}

function fileSchema(mediaTypes: readonly string[]): ObjectSchema {
	return {
		type: 'object',
		description: `A file, by its URL or as base64 of at most ${MAX_EMBEDDED_INPUT_BYTES} bytes. Media types: ${mediaTypes.join(', ')}`,
		properties: {
			url: { type: 'string', format: 'uri', description: 'Where the service fetches the file' },
			base64: { type: 'string', contentEncoding: 'base64' },
			mediaType: { type: 'string', description: 'Default for a URL: as it is served. Required with base64' },
		},
		additionalProperties: false,
	};
}

function isObjectSchema(schema: object): boolean {
	return 'type' in schema && schema.type === 'object';
}

function hasProperties(parameters: RegisteredTask['parameters']): boolean {
	return Object.keys(parameters.shape).length > 0;
}

function hasRequired(schema: object): boolean {
	return 'required' in schema && Array.isArray(schema.required) && schema.required.length > 0;
}
