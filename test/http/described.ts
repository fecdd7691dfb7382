/** Holds an exchange with the service to its own description. */
import { type Schema, Validator } from '@cfworker/json-schema';

type Members = Record<string, unknown>;

interface Referring {
	readonly $ref?: string;
}

interface ParameterDescription extends Referring {
	readonly in: string;
	readonly name: string;
	readonly schema: Schema;
	readonly required?: boolean;
}

interface ResponseDescription extends Referring {
	readonly headers?: Record<string, Referring & { readonly schema: Schema }>;
	readonly content?: Record<string, { readonly schema?: Schema }>;
}

export interface OperationDescription {
	readonly operationId: string;
	readonly parameters: readonly ParameterDescription[];
	readonly requestBody?: { readonly content: Record<string, { readonly schema?: Schema }> };
	readonly responses: Record<string, ResponseDescription>;
}

export interface ApiDescription {
	readonly paths: Record<string, Record<string, OperationDescription>>;
	readonly components: Members;
	readonly webhooks: Record<'jobEvent' | 'topicEvent', { readonly post: OperationDescription }>;
}

/** Headers that have no place in the description: those of the body, of browsers and of the platform. */
const UNDESCRIBED: ReadonlySet<string> = new Set([
	'content-type',
	'content-length',
	'connection',
	'content-security-policy',
	'cross-origin-resource-policy',
	'referrer-policy',
	'strict-transport-security',
	'x-content-type-options',
	'x-accel-buffering',
]);

export interface Exchange {
	readonly method: string;
	readonly url: URL;
	readonly headers: Headers;
	/** The body, if it is JSON. */
	readonly body?: unknown;
	readonly response: Response;
	/** Whether the request is as the description says. Default: yes. */
	readonly isValid?: boolean;
}

export class Description {
	readonly #document: Pick<ApiDescription, 'paths' | 'components'>;
	readonly #components: Members;
	readonly #paths: readonly { readonly pattern: RegExp; readonly methods: Record<string, OperationDescription> }[];
	/** The operations that an exchange had. */
	readonly seen = new Set<string>();

	constructor(document: Pick<ApiDescription, 'paths' | 'components'>) {
		this.#document = document;
		this.#components = closed(document.components) as Members;
		// A path without parameters is more precise than one with them.
		this.#paths = Object.entries(document.paths)
			.sort(([a], [b]) => a.split('{').length - b.split('{').length)
			.map(([path, methods]) => ({ pattern: new RegExp(`^${pathPattern(path)}$`), methods }));
	}

	get operations(): string[] {
		return Object.values(this.#document.paths).flatMap((methods) =>
			Object.values(methods).map(({ operationId }) => operationId),
		);
	}

	/** What of an exchange contradicts the description. */
	async faults(exchange: Exchange): Promise<string[]> {
		const { method, url, response } = exchange;
		const operation = this.#find(method, url.pathname);
		if (!operation)
			return response.status === 404 || response.status === 405 ? [] : [`${method} ${url.pathname} is not described`];
		this.seen.add(operation.operationId);
		const { isValid = response.status < 400 } = exchange;
		const faults = [
			...(isValid ? this.#requestFaults(operation, exchange) : []),
			...(await this.#responseFaults(operation, exchange)),
		];
		return faults.map((fault) => `${operation.operationId} ${response.status}: ${fault}`);
	}

	/** What of a value contradicts the schema of this name. */
	schemaFaults(name: string, value: unknown): string[] {
		return this.#valueFaults({ $ref: `#/components/schemas/${name}` }, value, name);
	}

	#find(method: string, pathname: string): OperationDescription | undefined {
		const wanted = method.toLowerCase();
		const found = this.#paths.filter(({ pattern }) => pattern.test(pathname));
		const [{ methods } = { methods: {} as Record<string, OperationDescription> }] = found.filter(
			(path) => path.methods[wanted] ?? (wanted === 'head' && path.methods.get),
		);
		return methods[wanted] ?? (wanted === 'head' ? methods.get : undefined);
	}

	#requestFaults(operation: OperationDescription, { url, headers, body }: Exchange): string[] {
		const parameters = operation.parameters.map((parameter) => this.#resolve(parameter));
		const inQuery = parameters.filter((parameter) => parameter.in === 'query');
		const isFree = inQuery.some(({ schema }) => schema.additionalProperties !== undefined);
		const known = inQuery.map(({ name }) => name);
		const unknown = [...url.searchParams.keys()].filter((name) => !isFree && name !== 'token' && !known.includes(name));
		const values = parameters.flatMap(({ in: place, name, schema }) => {
			const sent = place === 'query' ? url.searchParams.get(name) : place === 'header' ? headers.get(name) : null;
			return sent === null ? [] : this.#textFaults(schema, sent, `${place} ${name}`);
		});
		return [
			...unknown.map((name) => `query ${name} is not described`),
			...values,
			...this.#bodyFaults(operation, headers, body),
		];
	}

	#bodyFaults({ requestBody }: OperationDescription, headers: Headers, body: unknown): string[] {
		const type = headers.get('content-type')?.split(';')[0];
		if (type === undefined || !requestBody) return [];
		const content = contentFor(requestBody.content, type);
		if (!content) return [`request body ${type} is not described`];
		return body === undefined ? [] : this.#valueFaults(content.schema, body, 'request body');
	}

	async #responseFaults({ responses }: OperationDescription, { method, response }: Exchange): Promise<string[]> {
		const described = responses[response.status] ?? responses.default;
		if (!described) return ['this status is not described'];
		const { headers = {}, content } = this.#resolve(described);
		const faults = [...response.headers].flatMap(([name, value]) => {
			if (UNDESCRIBED.has(name) || name.startsWith('access-control-')) return [];
			const [, header] = Object.entries(headers).find(([known]) => known.toLowerCase() === name) ?? [];
			return header
				? this.#textFaults(this.#resolve(header).schema, value, `header ${name}`)
				: [`header ${name} is not described`];
		});
		const type = response.headers.get('content-type')?.split(';')[0];
		if (method === 'HEAD' || type === undefined || response.status === 304) return faults;
		const described2 = content && contentFor(content, type);
		if (!described2) return [...faults, `content ${type} is not described`];
		if (!/[/+]json$/.test(type) || described2.schema === undefined) return faults;
		return [...faults, ...this.#valueFaults(described2.schema, await response.clone().json(), 'response body')];
	}

	/** A value that is written as text: a number stays valid as one. */
	#textFaults(schema: Schema, text: string, place: string): string[] {
		const faults = this.#valueFaults(schema, text, place);
		if (faults.length === 0) return [];
		const isArray = schema.type === 'array';
		const value = isArray ? text.split(',').map((part) => part.trim()) : Number(text);
		return this.#valueFaults(schema, value, place);
	}

	#valueFaults(schema: Schema = {}, value: unknown, place: string): string[] {
		const { valid, errors } = new Validator(
			{ ...(closed(schema) as Schema), components: this.#components } as Schema,
			'2020-12',
			false,
		).validate(value);
		if (valid) return [];
		return errors.slice(-4).map(({ instanceLocation, error }) => `${place} ${instanceLocation}: ${error}`);
	}

	#resolve<Part extends Referring>(part: Part): Part {
		if (part.$ref === undefined) return part;
		const keys = part.$ref.replace('#/components/', '').split('/');
		return keys.reduce<unknown>((value, key) => (value as Members)[key], this.#document.components) as Part;
	}
}

function pathPattern(path: string): string {
	return path
		.replaceAll('.', '\\.')
		.replace('{path}', '.*')
		.replaceAll(/\{\w+\}/g, '[^/]+');
}

function contentFor<Content>(content: Record<string, Content>, type: string): Content | undefined {
	const [main] = type.split('/');
	return content[type] ?? content[`${main}/*`] ?? content['*/*'];
}

/** The schema without unknown members, so that a field which nobody described is a fault. */
function closed(schema: unknown, isPart = false): unknown {
	if (Array.isArray(schema)) return schema.map((item) => closed(item));
	if (typeof schema !== 'object' || schema === null) return schema;
	const members = Object.entries(schema).map(([key, value]) => [
		key,
		// Parts of a whole see only some of its members.
		key === 'allOf' ? (value as unknown[]).map((part) => closed(part, true)) : closed(value),
	]);
	const isObject = 'type' in schema && schema.type === 'object' && 'properties' in schema;
	const isOpen = isPart || !isObject || 'additionalProperties' in schema;
	return { ...Object.fromEntries(members), ...(isOpen ? {} : { additionalProperties: false }) };
}
