/** The arguments of a task's tool, as JSON Schema. */
import { defined } from '../../core/defined.ts';
import { MAX_EMBEDDED_INPUT_BYTES } from '../../core/mcp/limits.ts';
import type { RegisteredTask } from '../../work/registry.ts';
import { knownJsonSchema } from '../tasks.ts';
import type { ObjectSchema } from './tool.ts';

/** Whether the tool's arguments are the task's input itself. */
export function takesPlainInput({ json, binary, parameters }: RegisteredTask): boolean {
	return json !== undefined && !binary && isObjectSchema(knownJsonSchema(json)) && !hasProperties(parameters);
}

export function argumentsSchema(task: RegisteredTask): ObjectSchema {
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
