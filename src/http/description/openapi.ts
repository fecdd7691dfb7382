/** Makes OpenAPI 3.1 of the route table and of the operations' descriptions. */
import { createDocument, type ZodOpenApiObject } from 'zod-openapi';
import { defined } from '../../core/defined.ts';
import { WireOptions } from '../../core/job/options.ts';
import { COMMON_METHODS } from '../../core/upstream/request.ts';
import { TOKEN_SCOPES } from '../../token/token.ts';
import type { TaskRegistry } from '../../work/registry.ts';
import { PUBLIC } from '../access/auth.ts';
import { keyScopeFor } from '../access/scopes.ts';
import { ROUTES, type Route } from '../routes.ts';
import { JobError } from './documents.ts';
import { EXAMPLES } from './examples.ts';
import { EVERYWHERE, type HeaderName, OUTCOME_HEADERS, RESPONSE_HEADERS } from './headers.ts';
import { adjustSchema } from './json-schema.ts';
import { LINKS } from './links.ts';
import { OPERATIONS } from './operations.ts';
import { PARAMETERS, PATH_PARAMETERS } from './parameters.ts';
import { codesByStatus, FAILURE_CONTENT, PROBLEM_SCHEMAS, problemResponseComponent } from './problems.ts';
import { ANY_CONTENT } from './submissions.ts';
import { type DescribedTask, describeTasks, submissionSchema, submitId } from './tasks.ts';
import { type Answer, type Content, type Operation, TAGS } from './vocabulary.ts';
import { CALLBACKS, WEBHOOK_SCHEMAS, WEBHOOKS } from './webhooks.ts';

/** The facts of a deployment that its descriptions show. */
export interface DescribedDeployment {
	readonly tasks: TaskRegistry;
	readonly maxInputBytes: number;
	/** Whether requests need no credentials. */
	readonly isOpen: boolean;
}

const TASK_ROUTE = 'POST /v1/tasks/:task/jobs';
const UPSTREAM_ROUTE = 'ALL /v1/upstreams/:upstream/*';

/** The names of operations that are there whatever the tasks. Each task has one in place of {@link TASK_ROUTE}. */
const OPERATION_IDS: readonly string[] = Object.entries(OPERATIONS).flatMap(([name, { id }]) => {
	if (name === TASK_ROUTE) return [];
	return name === UPSTREAM_ROUTE ? COMMON_METHODS.map((method) => forwardId(id, method)) : [id];
});

type Described = Pick<Route, 'path' | 'scope'> & { readonly method: string; readonly operation: Operation };
type Members = Readonly<Record<string, unknown>>;

/** The parts that other descriptions use. */
export interface OpenApiDocument {
	readonly components?: { readonly schemas?: Members };
}

/** The description without its servers. */
export function openApiDocument(deployment: DescribedDeployment): OpenApiDocument {
	const tasks = describeTasks(deployment.tasks.values(), deployment.maxInputBytes, OPERATION_IDS);
	const responses = new Map<string, Members>();
	const paths: Record<string, Record<string, Members>> = {};
	for (const { path, method, members } of makeOperations({ tasks, responses, isOpen: deployment.isOpen }))
		paths[path] = { ...paths[path], [method.toLowerCase()]: members };
	const components = {
		schemas: {
			...PROBLEM_SCHEMAS,
			...WEBHOOK_SCHEMAS,
			JobError,
			SubmissionOptions: WireOptions().meta({ id: 'SubmissionOptions', unusedIO: 'input' }),
			Submission: submissionSchema(tasks),
			...Object.assign({}, ...tasks.map(({ schemas }) => schemas)),
		},
		parameters: PARAMETERS,
		headers: RESPONSE_HEADERS,
		links: LINKS,
		responses: Object.fromEntries(responses),
		securitySchemes: SECURITY_SCHEMES,
	};
	const document = {
		openapi: '3.1.1',
		info: INFO,
		tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
		paths,
		webhooks: WEBHOOKS,
		components,
	};
	const made = createDocument(document as unknown as ZodOpenApiObject, {
		override: ({ jsonSchema, io }) => adjustSchema(jsonSchema as Parameters<typeof adjustSchema>[0], io),
	});
	const schemas = made.components?.schemas ?? {};
	for (const [name, example] of Object.entries(EXAMPLES)) Object.assign(schemas[name] ?? {}, { examples: [example] });
	return made as OpenApiDocument;
}

export const INFO = {
	title: 'Coatcheck',
	version: '1.0.0',
	description: [
		'Asynchronous request-reply: hand over a slow request, get a ticket, come back for the result.',
		'Submit a job, and get 202 with its URL at once. Poll that URL, wait on it with `Prefer: wait`, watch its events, or name a webhook. The result resource answers what a synchronous call would have answered.',
		'`HEAD` works wherever `GET` does, and `OPTIONS` answers CORS preflights. A path with another method is answered 405 with `Allow`. Every error is a problem (RFC 9457) with a `code` for programs.',
		'Sockets, streams, topics and webhooks are in `/asyncapi.json`.',
	].join('\n\n'),
	license: { name: 'MIT', identifier: 'MIT' },
};

const SECURITY_SCHEMES = {
	apiKey: {
		type: 'http',
		scheme: 'bearer',
		description:
			'An API key, or a JWT of the configured identity provider. Roles are its scopes; `admin` includes all of them.',
	},
	linkToken: {
		type: 'apiKey',
		in: 'query',
		name: 'token',
		description: 'The token of a link. Links in responses contain one, for one job and one right.',
	},
	accessAssertion: {
		type: 'apiKey',
		in: 'header',
		name: 'Cf-Access-Jwt-Assertion',
		description: 'Added by Cloudflare Access, where the deployment accepts its JWTs.',
	},
};

interface MadeOperation {
	/** As OpenAPI writes it. */
	readonly path: string;
	readonly method: string;
	readonly members: Members;
}

/** What all operations of a description share. */
interface Making {
	readonly tasks: readonly DescribedTask[];
	readonly isOpen: boolean;
	/** The responses that operations share, by the names of their components. */
	readonly responses: Map<string, Members>;
}

const HEALTH: Pick<Route, 'method' | 'path' | 'scope'> = { method: 'GET', path: '/healthz', scope: PUBLIC };

function makeOperations(making: Making): MadeOperation[] {
	return [...ROUTES, HEALTH].flatMap(({ method, path, scope }) => {
		const name = `${method} ${path}`;
		const operation = OPERATIONS[name];
		if (!operation) throw new TypeError(`${name} has no description: add it to src/http/description`);
		const described = { method, path, scope, operation };
		if (name === TASK_ROUTE) return making.tasks.map((task) => taskOperation(task, described, making));
		if (name === UPSTREAM_ROUTE) return COMMON_METHODS.map((one) => upstreamOperation(one, described, making));
		return [{ path: templatePath(path), method, members: operationMembers(described, making) }];
	});
}

function operationMembers({ operation, scope, path }: Described, { isOpen, responses }: Making): Members {
	const { id, tag, summary, description, parameters = [], body, webhookIn } = operation;
	return defined({
		operationId: id,
		tags: [tag],
		summary,
		description: withoutLinks(description),
		security: securityFor(path, scope, isOpen),
		parameters: [...pathParameters(path), ...parameters.map(parameterReference)],
		requestBody: body && bodyMembers(body),
		responses: responsesFor(operation, scope === PUBLIC, responses),
		callbacks: webhookIn && { jobEvent: CALLBACKS[webhookIn] },
	});
}

/** One path for each task, with its input and its parameters. */
function taskOperation(
	{ task, typeName, parameters, content }: DescribedTask,
	described: Described,
	making: Making,
): MadeOperation {
	const path = `/v1/tasks/${task.name}/jobs`;
	const members = operationMembers({ ...described, path }, making);
	const own = {
		operationId: submitId(typeName),
		summary: `Submit a job to ${task.name}`,
		description: task.description,
		parameters: [...parameters, ...(members.parameters as readonly object[])],
		requestBody: { description: 'The input', required: true, content },
	};
	return { path, method: 'POST', members: { ...members, ...own } };
}

function upstreamOperation(method: string, described: Described, making: Making): MadeOperation {
	const members = operationMembers({ ...described, path: '/v1/upstreams/:upstream/:path' }, making);
	const operationId = forwardId(described.operation.id, method);
	const { requestBody: _, ...bodiless } = members;
	const hasBody = method !== 'GET' && method !== 'HEAD';
	const path = '/v1/upstreams/{upstream}/{path}';
	return { path, method, members: { ...(hasBody ? members : bodiless), operationId } };
}

function forwardId(id: string, method: string): string {
	return `${id}${method[0]}${method.slice(1).toLowerCase()}`;
}

function templatePath(path: string): string {
	return path.replaceAll(/:(\w+)/g, '{$1}');
}

/** Links in descriptions lead to pages, which a client of the service does not have. */
function withoutLinks(markdown: string): string {
	return markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}

function securityFor(path: string, scope: Route['scope'], isOpen: boolean): object[] {
	if (scope === PUBLIC) return [];
	const roles = scope === 'key' ? [] : [keyScopeFor(scope)];
	const byKey = scope === 'complete' ? [] : [{ apiKey: roles }, { accessAssertion: roles }];
	const hasLinks = path.includes(':id') && TOKEN_SCOPES.some((one) => one === scope);
	// Also an open deployment accepts an external worker's reports only with the token of its attempt.
	const needsNothing = isOpen && scope !== 'complete';
	return [...byKey, ...(hasLinks ? [{ linkToken: [] }] : []), ...(needsNothing ? [{}] : [])];
}

function pathParameters(path: string): object[] {
	return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({ ...PATH_PARAMETERS[name] }));
}

function parameterReference(name: string): object {
	return { $ref: `#/components/parameters/${name}` };
}

function bodyMembers({ description, content, isOptional }: NonNullable<Operation['body']>): object {
	return { description, required: !isOptional, content: contentMembers(content) };
}

function contentMembers(content: Content): object {
	return Object.fromEntries(Object.entries(content).map(([mediaType, schema]) => [mediaType, { schema }]));
}

function responsesFor(operation: Operation, isPublic: boolean, shared: Map<string, Members>): Members {
	const { answers, problems = [], hasOutcome = false, hidesStatus = false, errorsAs } = operation;
	const ownErrors = errorsAs === undefined ? {} : contentMembers({ [errorsAs]: { type: 'object' } });
	const found = Object.entries(answers).map(([status, answer]) => [status, responseMembers(answer)] as const);
	const refused = [...codesByStatus(problems, isPublic)].map(([status, codes]) => {
		const component = problemResponseComponent(status, codes, { hidesStatus, hasOutcome });
		const { name, description, headers, content } = component;
		// The stored response of an upstream has its own media type.
		const response = {
			description,
			headers: headerReferences([...EVERYWHERE, ...headers, ...(hasOutcome ? OUTCOME_HEADERS : [])] as HeaderName[]),
			content: { ...content, ...(hasOutcome ? contentMembers(ANY_CONTENT) : {}), ...ownErrors },
		};
		if (errorsAs !== undefined) return [String(status), response] as const;
		shared.set(name, response);
		return [String(status), { $ref: `#/components/responses/${name}` }] as const;
	});
	const failure = {
		description:
			'The failure of the job, with the status that its task chose; of a forwarded request, the response of the upstream',
		headers: headerReferences([...EVERYWHERE, ...OUTCOME_HEADERS, 'Retry-After']),
		content: { ...FAILURE_CONTENT, ...contentMembers(ANY_CONTENT) },
	};
	const error = { description: 'An error of the protocol', headers: headerReferences(EVERYWHERE), content: ownErrors };
	return Object.fromEntries([
		...found,
		...refused,
		...(hasOutcome ? [['default', failure] as const] : []),
		...(errorsAs === undefined ? [] : [['default', error] as const]),
	]);
}

function responseMembers({ description, headers = [], content, links }: Answer): Members {
	return {
		description,
		headers: headerReferences([...EVERYWHERE, ...headers]),
		...(content && Object.keys(content).length > 0 ? { content: contentMembers(content) } : {}),
		...(links
			? { links: Object.fromEntries(links.map((name) => [name, { $ref: `#/components/links/${name}` }])) }
			: {}),
	};
}

function headerReferences(names: readonly HeaderName[]): Members {
	return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
