/** Converts zod schemas to JSON Schema 2020-12 that every generator reads. */
import * as z from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A pattern of this form only limits the length, in a notation that only JavaScript has. */
const ANY_CHARACTERS = /^\^\[\^\]\{(\d+),(\d+)\}\$$/;

/** Adjusts what zod made of a schema. */
export function adjustSchema(schema: JsonSchema, io: 'input' | 'output'): void {
	const [, min, max] = ANY_CHARACTERS.exec(schema.pattern ?? '') ?? [];
	if (max !== undefined) {
		delete schema.pattern;
		Object.assign(schema, { minLength: Number(min), maxLength: Number(max) });
	}
	// The bounds of every integer say nothing.
	if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
	if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
	// A format says what the pattern says.
	if (schema.format !== undefined) delete schema.pattern;
	if (schema.contentEncoding !== undefined) delete schema.format;
	// Documents may get more fields.
	if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
}

/** A schema without components, for a parameter. */
export function inlineSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
	const { $schema: _, ...converted } = z.toJSONSchema(schema, {
		io: 'input',
		unrepresentable: 'any',
		override: ({ jsonSchema }) => adjustSchema(jsonSchema, 'input'),
	});
	return converted;
}
