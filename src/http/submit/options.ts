/** Merges and validates the options of a submission, from its headers and the envelope. */

import type * as z from 'zod';
import { secretsFor } from '../../config/secrets.ts';
import { defined } from '../../core/defined.ts';
import { isObject } from '../../core/http/json.ts';
import { targetRefusal } from '../../core/http/target.ts';
import { MAX_OPTIONS_BYTES, MAX_PARAMETERS_BYTES, OPTION_LIMITS } from '../../core/job/limits.ts';
import { WireOptions } from '../../core/job/options.ts';
import type { JobOptions, Webhook } from '../../core/job/record.ts';
import { DEFAULT_WEBHOOK_EVENTS } from '../../core/job/webhook.ts';
import type { RegisteredTask } from '../../work/registry.ts';
import { inBody, inQuery, zodFaults } from '../faults.ts';
import { type Fault, Problem } from '../problem.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';

/** Each header, its option, and the parser for its value. */
export const OPTION_HEADERS: readonly (readonly [
	header: string,
	path: readonly string[],
	parse: (text: string) => unknown,
])[] = [
	['Idempotency-Key', ['idempotencyKey'], structuredString],
	['X-Correlation-ID', ['correlationId'], String],
	['Coatcheck-Delay-Seconds', ['delaySeconds'], parseWholeNumber],
	['Coatcheck-Start-Within-Seconds', ['startWithinSeconds'], parseWholeNumber],
	['Coatcheck-Timeout-Seconds', ['timeoutSeconds'], parseWholeNumber],
	['Coatcheck-Max-Attempts', ['maxAttempts'], parseWholeNumber],
	['Coatcheck-Retain-Seconds', ['retainSeconds'], parseWholeNumber],
	['Coatcheck-Tags', ['tags'], list],
	['Coatcheck-Webhook-Url', ['webhook', 'url'], String],
	['Coatcheck-Webhook-Events', ['webhook', 'events'], list],
	['Coatcheck-Webhook-Format', ['webhook', 'format'], String],
	['Coatcheck-On-Pending', ['onPending'], String],
	['Coatcheck-On-Complete', ['onComplete'], String],
	['Coatcheck-On-Failed', ['onFailed'], String],
];

const HEADERS_BY_NAME = new Map(OPTION_HEADERS.map((header) => [header[0].toLowerCase(), header]));

/** Reserved prefix: unknown headers with it are rejected. */
const OUR_PREFIX = 'coatcheck-';

/**
 * @param inEnvelope the envelope's `options`, unvalidated.
 * @throws {Problem} `InvalidRequest`, with the position of every fault.
 */
export function readOptions(headers: Headers, inEnvelope: unknown = {}): WireOptions {
	const { values, faults } = fromHeaders(headers);
	if (JSON.stringify(inEnvelope).length > MAX_OPTIONS_BYTES) {
		throw invalidRequest('The options are too large', [
			{ pointer: '/options', message: `expected at most ${MAX_OPTIONS_BYTES} bytes in total` },
		]);
	}
	const given = isObject(inEnvelope) ? inEnvelope : {};
	if (!isObject(inEnvelope)) faults.push({ pointer: '/options', message: 'expected an object' });
	for (const [header, path] of isEmpty(values) || isEmpty(given) ? [] : OPTION_HEADERS) {
		const inHeader = valueAt(values, path);
		const inBody = valueAt(given, path);
		if (inHeader === undefined || inBody === undefined || JSON.stringify(inHeader) === JSON.stringify(inBody)) continue;
		faults.push({
			header,
			message: `expected the same value as options.${path.join('.')} in the body, got a different one`,
		});
	}
	const parsed = WireOptions().safeParse(merged(values, given));
	if (!parsed.success)
		faults.push(...zodFaults(parsed.error, (path, message) => faultAt(path, message, { values, given })));
	if (!parsed.success || faults.length > 0) throw invalidRequest('The options are not valid', faults);
	return parsed.data;
}

/** The task's query parameters. @throws {Problem} `InvalidRequest` naming each invalid one. */
export function readParameters(task: RegisteredTask, query: URLSearchParams): Record<string, string> {
	const parameters = Object.fromEntries(query);
	const names = Object.keys(parameters);
	if (names.length < query.size) {
		throw invalidRequest(
			'The parameters are not valid',
			names
				.filter((name) => query.getAll(name).length > 1)
				.map((parameter) => ({ parameter, message: 'expected one value, got several' })),
		);
	}
	checkParameters(task, parameters, inQuery);
	return parameters;
}

/** Validates parameters. They are stored unchanged, and the attempt validates them again, because the schema may change. */
export function checkParameters(
	task: RegisteredTask,
	parameters: unknown,
	locate: (path: readonly PropertyKey[], message: string) => Fault = inBody('/parameters'),
): asserts parameters is Record<string, unknown> {
	if (JSON.stringify(parameters).length > MAX_PARAMETERS_BYTES) {
		throw invalidRequest('The parameters are too large', [
			locate([], `expected at most ${MAX_PARAMETERS_BYTES} bytes in total`),
		]);
	}
	const parsed = task.parameters.safeParse(parameters);
	if (!parsed.success) throw invalidRequest('The parameters are not valid', zodFaults(parsed.error, locate));
}

/** The options with all defaults: first the task's, then the global ones. */
export function jobOptions(
	wire: WireOptions,
	task: Pick<RegisteredTask, 'timeoutSeconds' | 'maxAttempts'>,
	{ request, correlation }: Pick<RequestContext, 'request' | 'correlation'>,
): JobOptions {
	const traceparent = readTraceparent(request.headers);
	const { idempotencyKey, startWithinSeconds, onPending, onComplete, onFailed } = wire;
	return defined({
		correlationId: wire.correlationId ?? correlation.correlationId,
		delaySeconds: wire.delaySeconds ?? OPTION_LIMITS.delaySeconds.default,
		timeoutSeconds: wire.timeoutSeconds ?? task.timeoutSeconds,
		maxAttempts: wire.maxAttempts ?? task.maxAttempts,
		retainSeconds: wire.retainSeconds ?? OPTION_LIMITS.retainSeconds.default,
		tags: wire.tags ?? [],
		startWithinSeconds,
		idempotencyKey,
		traceparent,
		onPending,
		onComplete,
		onFailed,
	});
}

/**
 * The webhook of a submission, with all defaults.
 *
 * @throws {Problem} `InvalidRequest` when the deployment can't sign it, or its address is not allowed.
 */
export function createWebhook(
	{ webhook }: WireOptions,
	tenant: string,
	context: Pick<RequestContext, 'config' | 'url'>,
): Webhook | undefined {
	if (!webhook) return undefined;
	const { config } = context;
	const why =
		secretsFor(config.webhookSecrets, tenant).length === 0
			? 'webhooks are not configured: WEBHOOK_SECRETS has no secret for this tenant'
			: targetRefusal(webhook.url, config.allowPrivateTargets);
	if (why !== undefined)
		throw invalidRequest('The webhook is not valid', [{ pointer: '/options/webhook/url', message: why }]);
	const { url, events = DEFAULT_WEBHOOK_EVENTS, format = 'standard' } = webhook;
	return { url, events, format, origin: linkOrigin(context), deliveries: [] };
}

export function invalidRequest(detail: string, errors: readonly Fault[]): Problem {
	return new Problem('InvalidRequest', detail, { errors });
}

/** The problem for an input that its schema rejects. It contains the schema's messages, but not the schema. */
export function invalidInput(error: z.ZodError, prefix: string): Problem {
	return new Problem(
		'InvalidInput',
		"The input does not match the task's schema: see errors, and GET /v1/tasks for the schema",
		{
			errors: zodFaults(error, inBody(prefix)),
		},
	);
}

type Values = Record<string, unknown>;

function fromHeaders(headers: Headers): { values: Values; faults: Fault[] } {
	let values: Values = {};
	const faults: Fault[] = [];
	headers.forEach((text, name) => {
		const [, path, parse] = HEADERS_BY_NAME.get(name) ?? [];
		if (path && parse) values = merged(values, nested(path, parse(text)));
		else if (name.startsWith(OUR_PREFIX)) faults.push({ header: name, message: 'unknown header' });
	});
	return { values, faults };
}

function isEmpty(values: Values): boolean {
	return Object.keys(values).length === 0;
}

/** Locates a fault at the source of its value: a header or the body. */
function faultAt(
	path: readonly PropertyKey[],
	message: string,
	{ values, given }: { readonly values: Values; readonly given: Values },
): Fault {
	const header = OPTION_HEADERS.find(([, at]) => at.every((key, index) => path[index] === key))?.[0];
	const isFromHeader =
		header !== undefined && valueAt(values, path) !== undefined && valueAt(given, path) === undefined;
	return isFromHeader ? { header, message } : inBody('/options')(path, message);
}

/** The value at a path, or the last value along it that is not an object. */
function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
	const [key, ...rest] = path;
	if (key === undefined || !isObject(values)) return values;
	return valueAt(values[String(key)], rest);
}

function nested(path: readonly string[], value: unknown): Values {
	const [key = '', ...rest] = path;
	return { [key]: rest.length === 0 ? value : nested(rest, value) };
}

/** Merges both deeply. The second one wins. */
function merged(first: Values, second: Values): Values {
	const result = new Map(Object.entries(first));
	for (const [key, value] of Object.entries(second)) {
		const before = result.get(key);
		result.set(key, isObject(before) && isObject(value) ? merged(before, value) : value);
	}
	// Every key becomes an own property, even `__proto__`, so that validation rejects it like any unknown key.
	return Object.fromEntries(result);
}

function list(text: string): string[] {
	return text.split(',').map((item) => item.trim());
}

/** The characters of a structured-field string (RFC 9651 §3.3.3). */
const STRING_CHARS = String.raw`(?:[ !#-[\]-~]|\\["\\])*`;
/** The value of a parameter: a string, token, number, date, boolean or bytes. */
const PARAMETER_VALUE = String.raw`"${STRING_CHARS}"|[A-Za-z*][\w!#$%&'*+.^\x60|~:/-]*|@?-?\d{1,15}|-?\d{1,12}\.\d{1,3}|\?[01]|:[\w+/=]*:`;
/**
 * A structured-field string with its parameters, which mean nothing here. The parser of `structured-headers`, for every kind of field, would
 * be 2 % of all that an isolate loads.
 */
const STRUCTURED_STRING = new RegExp(`^"(${STRING_CHARS})"(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:${PARAMETER_VALUE}))?)*$`);

/** A structured-field string as in the Idempotency-Key draft, or the bare token that most clients send. */
function structuredString(text: string): unknown {
	if (!text.startsWith('"')) return text;
	const [, escaped] = STRUCTURED_STRING.exec(text) ?? [];
	// Not a valid string: `null` makes the schema report the expected form.
	return escaped?.replace(/\\(.)/g, '$1') ?? null;
}

/** Keeps a text that is not a whole number, so that the schema rejects it. */
function parseWholeNumber(text: string): unknown {
	return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

/** W3C Trace Context, version 00. A malformed value is ignored, as the recommendation requires. */
export function readTraceparent(headers: Headers): string | undefined {
	const value = headers.get('traceparent') ?? '';
	return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(value) ? value : undefined;
}
