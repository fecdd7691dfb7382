/** The tasks of a deployment: a path, an input and parameters for each. Their schemas are those of `GET /v1/tasks`. */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import type { RegisteredTask } from '../../work/registry.ts';
import { knownJsonSchema } from '../tasks.ts';
import type { Parameter } from './parameters.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** A task with the names that generated clients use. */
export interface DescribedTask {
	readonly task: RegisteredTask;
	/** `ProfileCsv`, for the task `profile-csv`. */
	readonly typeName: string;
	readonly parameters: readonly Parameter[];
	/** The body of a submission, by media type. */
	readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
	/** The schemas that belong to the task, by the names of their components. */
	readonly schemas: Readonly<Record<string, JsonSchema>>;
}

const schemaPath = (name: string) => `#/components/schemas/${name}`;

/** The name of the operation that submits to a task. */
export const submitId = (typeName: string) => `submit${typeName}`;

/**
 * @param maxInputBytes maximum size of an input in the deployment.
 * @param operationIds the names of the service's own operations.
 */
export function describeTasks(
	tasks: Iterable<RegisteredTask>,
	maxInputBytes: number,
	operationIds: readonly string[],
): DescribedTask[] {
	const listed = [...tasks];
	const typeNames = chooseTypeNames(
		listed.map(({ name }) => pascalCase(name)),
		operationIds,
	);
	return listed.map((task, at) => describeTask(task, typeNames[at] ?? '', maxInputBytes));
}

/**
 * Names that differ from each other and from the service's own, whatever the tasks are called: a name that is taken gets a number.
 * Case makes no difference, because generators write a file for each name.
 */
function chooseTypeNames(wanted: readonly string[], operationIds: readonly string[]): string[] {
	const lower = (name: string) => submitId(name).toLowerCase();
	const everyWanted = new Set(wanted.map(lower));
	const taken = new Set(operationIds.map((id) => id.toLowerCase()));
	return wanted.map((plain) => {
		let name = plain;
		for (let number = 2; taken.has(lower(name)) || (name !== plain && everyWanted.has(lower(name))); number++)
			name = `${plain}${number}`;
		taken.add(lower(name));
		return name;
	});
}

function describeTask(task: RegisteredTask, typeName: string, maxInputBytes: number): DescribedTask {
	const { json, parameters } = task;
	const query = componentSchema(knownJsonSchema(parameters), `${typeName}Parameters`);
	const hasQuery = Object.keys(query.properties ?? {}).length > 0;
	const schemas = {
		...(json ? { [`${typeName}Input`]: componentSchema(knownJsonSchema(json), `${typeName}Input`) } : {}),
		// The parameters may refer to their own parts.
		...((json && hasQuery) || query.$defs ? { [`${typeName}Parameters`]: query } : {}),
		...(json ? { [`${typeName}Submission`]: envelopeSchema(task, typeName, hasQuery) } : {}),
	};
	return {
		task,
		typeName,
		parameters: queryParameters(query),
		content: inputContent(task, typeName, maxInputBytes),
		schemas,
	};
}

function pascalCase(name: string): string {
	return name.replace(/(?:^|-+)([a-z0-9]|$)/g, (_, first: string) => first.toUpperCase());
}

interface ObjectSchema extends JsonSchema {
	readonly properties?: Readonly<Record<string, JsonSchema>>;
	readonly required?: readonly string[];
}

/** A schema as a component: its references to its own parts lead there. */
function componentSchema(schema: object, name: string): ObjectSchema {
	const { $schema: _, ...rest } = JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
		key === '$ref' && typeof value === 'string' && value.startsWith('#') ? schemaPath(name) + value.slice(1) : value,
	) as ObjectSchema;
	return rest;
}

function queryParameters({ properties = {}, required = [] }: ObjectSchema): Parameter[] {
	return Object.entries(properties).map(([name, schema]) => ({
		in: 'query',
		name,
		description: typeof schema.description === 'string' ? schema.description : 'A parameter of the task',
		schema,
		// A parameter with a default may be left out.
		...(required.includes(name) && schema.default === undefined ? { required: true as const } : {}),
	}));
}

/** Bytes may be text, too. The size is that of the body. */
function inputContent(
	{ json, binary }: RegisteredTask,
	typeName: string,
	maxInputBytes: number,
): DescribedTask['content'] {
	const maxLength = Math.min(binary?.maxBytes ?? maxInputBytes, maxInputBytes);
	const bytes = { schema: { type: 'string', format: 'binary', maxLength } };
	return Object.fromEntries([
		...(json ? [[JSON_TYPE, { schema: { $ref: schemaPath(`${typeName}Input`) } }] as const] : []),
		...(binary?.mediaTypes ?? []).map((mediaType) => [mediaType, bytes] as const),
	]);
}

/** The body of `POST /v1/jobs` for a task. */
function envelopeSchema({ name, parameters }: RegisteredTask, typeName: string, hasQuery: boolean): JsonSchema {
	const isRequired = !parameters.safeParse({}).success;
	return {
		type: 'object',
		properties: {
			task: { type: 'string', const: name },
			input: { $ref: schemaPath(`${typeName}Input`) },
			...(hasQuery ? { parameters: { $ref: schemaPath(`${typeName}Parameters`) } } : {}),
			options: { $ref: schemaPath('SubmissionOptions') },
		},
		required: isRequired ? ['task', 'input', 'parameters'] : ['task', 'input'],
		additionalProperties: false,
	};
}

/** The body of `POST /v1/jobs`: an envelope of any task that takes JSON. */
export function submissionSchema(tasks: readonly DescribedTask[]): JsonSchema {
	const named = tasks.filter(({ task }) => task.json);
	if (named.length === 0) return { type: 'object', description: 'No task of this deployment takes JSON' };
	const pathFor = ({ typeName }: DescribedTask) => schemaPath(`${typeName}Submission`);
	const mapping = Object.fromEntries(named.map((described) => [described.task.name, pathFor(described)]));
	return {
		oneOf: named.map((described) => ({ $ref: pathFor(described) })),
		discriminator: { propertyName: 'task', mapping },
	};
}
