/** `GET /v1/tasks`: the tasks of the deployment, with their inputs and limits. */
import * as z from 'zod';
import { defined } from '../core/defined.ts';
import type { RegisteredTask } from '../work/registry.ts';
import type { RequestContext } from './request-context.ts';

export function listTasks({ tasks, config }: RequestContext): Response {
	return Response.json({ tasks: [...tasks.values()].map((task) => described(task, config.maxInputBytes)) });
}

function described(task: RegisteredTask, maxInputBytes: number) {
	const { name, description, json, binary, parameters, lane, maxAttempts, timeoutSeconds } = task;
	return {
		name,
		description,
		input: defined({
			schema: json && knownJsonSchema(json),
			mediaTypes: binary?.mediaTypes,
			maxBytes: binary && Math.min(binary.maxBytes ?? maxInputBytes, maxInputBytes),
		}),
		parameters: knownJsonSchema(parameters),
		lane,
		maxAttempts,
		timeoutSeconds,
	};
}

const converted = new WeakMap<z.ZodType, object>();

/** The schema as JSON Schema, converted once, because that takes longer than the rest of the response. */
export function knownJsonSchema(schema: z.ZodType): object {
	const known = converted.get(schema) ?? toJsonSchema(schema);
	converted.set(schema, known);
	return known;
}

/** The input's schema, as JSON Schema 2020-12. A part that JSON Schema can't express accepts any value. */
function toJsonSchema(schema: z.ZodType): object {
	return z.toJSONSchema(schema, {
		io: 'input',
		unrepresentable: 'any',
		// `z.coerce` accepts anything. The schema shows the type that it produces.
		override: ({ zodSchema, jsonSchema }) => {
			const { def } = zodSchema._zod;
			if ('coerce' in def && def.coerce === true && jsonSchema.type === undefined && COERCED.has(def.type))
				jsonSchema.type = def.type as 'number';
		},
	});
}

const COERCED: ReadonlySet<string> = new Set(['number', 'string', 'boolean']);
