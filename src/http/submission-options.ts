/** The options of a submission, from its headers and from the envelope, as one validated whole. */
import { parseItem } from 'structured-headers';
import type { z } from 'zod';
import { type Config, secretsOf } from '../config.ts';
import { MAX_OPTIONS_BYTES, MAX_PARAMETERS_BYTES, OPTION_LIMITS } from '../job/limits.ts';
import { WireOptions } from '../job/options.ts';
import type { JobOptions, Webhook } from '../job/record.ts';
import { DEFAULT_WEBHOOK_EVENTS } from '../job/webhook.ts';
import { refusalOf } from '../target.ts';
import type { RegisteredTask } from '../work/registry.ts';
import type { Exchange } from './exchange.ts';
import { faultsOf, inBody, inQuery } from './faults.ts';
import { type Fault, Problem } from './problem.ts';

/** Each header, the option it stands for, and how its text becomes the option's value. */
const HEADERS: readonly (readonly [header: string, path: readonly string[], parse: (text: string) => unknown])[] = [
	['Idempotency-Key', ['idempotencyKey'], structuredString],
	['X-Correlation-ID', ['correlationId'], String],
	['Coatcheck-Delay-Seconds', ['delaySeconds'], wholeNumber],
	['Coatcheck-Start-Within-Seconds', ['startWithinSeconds'], wholeNumber],
	['Coatcheck-Timeout-Seconds', ['timeoutSeconds'], wholeNumber],
	['Coatcheck-Max-Attempts', ['maxAttempts'], wholeNumber],
	['Coatcheck-Retain-Seconds', ['retainSeconds'], wholeNumber],
	['Coatcheck-Tags', ['tags'], list],
	['Coatcheck-Webhook-Url', ['webhook', 'url'], String],
	['Coatcheck-Webhook-Events', ['webhook', 'events'], list],
	['Coatcheck-Webhook-Format', ['webhook', 'format'], String],
	['Coatcheck-On-Pending', ['onPending'], String],
	['Coatcheck-On-Complete', ['onComplete'], String],
	['Coatcheck-On-Failed', ['onFailed'], String],
];

const HEADERS_BY_NAME = new Map(HEADERS.map((header) => [header[0].toLowerCase(), header]));

/** Headers that start like this are ours, known or not. */
const OUR_PREFIX = 'coatcheck-';

/**
 * @param inEnvelope the envelope's `options`, as they came.
 * @throws {Problem} `InvalidRequest`, with every fault at its place.
 */
export function readOptions(headers: Headers, inEnvelope: unknown = {}): WireOptions {
	const { values, faults } = fromHeaders(headers);
	if (JSON.stringify(inEnvelope).length > MAX_OPTIONS_BYTES) {
		throw invalid('The options are too large', [
			{ pointer: '/options', message: `expected at most ${MAX_OPTIONS_BYTES} bytes in all` },
		]);
	}
	const given = isObject(inEnvelope) ? inEnvelope : {};
	if (!isObject(inEnvelope)) faults.push({ pointer: '/options', message: 'expected an object' });
	for (const [header, path] of HEADERS) {
		const inHeader = valueAt(values, path);
		const inBody = valueAt(given, path);
		if (inHeader === undefined || inBody === undefined || JSON.stringify(inHeader) === JSON.stringify(inBody)) continue;
		faults.push({ header, message: `says something else than options.${path.join('.')} in the body` });
	}
	const parsed = WireOptions.safeParse(merged(values, given));
	if (!parsed.success) faults.push(...faultsOf(parsed.error, (path, message) => placeOf(path, message, values, given)));
	if (!parsed.success || faults.length > 0) throw invalid('The options are not valid', faults);
	return parsed.data;
}

/** The task's query parameters. @throws {Problem} `InvalidRequest` naming each that is wrong. */
export function readParameters(task: RegisteredTask, query: URLSearchParams): Record<string, string> {
	const parameters = Object.fromEntries(query);
	const names = Object.keys(parameters);
	if (names.length < query.size) {
		throw invalid(
			'The parameters are not valid',
			names
				.filter((name) => query.getAll(name).length > 1)
				.map((parameter) => ({ parameter, message: 'is given twice' })),
		);
	}
	checkParameters(task, parameters, inQuery);
	return parameters;
}

/** Parameters are stored as they came and validated again where they are used: a schema may have changed in between. */
export function checkParameters(
	task: RegisteredTask,
	parameters: unknown,
	locate: (path: readonly PropertyKey[], message: string) => Fault = inBody('/parameters'),
): asserts parameters is Record<string, unknown> {
	if (JSON.stringify(parameters).length > MAX_PARAMETERS_BYTES) {
		throw invalid('The parameters are too large', [
			locate([], `expected at most ${MAX_PARAMETERS_BYTES} bytes in all`),
		]);
	}
	const parsed = task.parameters.safeParse(parameters);
	if (!parsed.success) throw invalid('The parameters are not valid', faultsOf(parsed.error, locate));
}

/** The options with every default filled in: the task's, and then everybody's. */
export function jobOptions(
	wire: WireOptions,
	task: Pick<RegisteredTask, 'timeoutSeconds' | 'maxAttempts'>,
	{ request, correlation }: Pick<Exchange, 'request' | 'correlation'>,
): JobOptions {
	const traceparent = traceparentOf(request.headers);
	const { idempotencyKey, startWithinSeconds, onPending, onComplete, onFailed } = wire;
	return {
		correlationId: wire.correlationId ?? correlation.correlationId,
		delaySeconds: wire.delaySeconds ?? OPTION_LIMITS.delaySeconds.default,
		timeoutSeconds: wire.timeoutSeconds ?? task.timeoutSeconds,
		maxAttempts: wire.maxAttempts ?? task.maxAttempts,
		retainSeconds: wire.retainSeconds ?? OPTION_LIMITS.retainSeconds.default,
		tags: wire.tags ?? [],
		...(startWithinSeconds !== undefined && { startWithinSeconds }),
		...(idempotencyKey !== undefined && { idempotencyKey }),
		...(traceparent !== undefined && { traceparent }),
		...(onPending && { onPending }),
		...(onComplete && { onComplete }),
		...(onFailed && { onFailed }),
	};
}

/**
 * The webhook of a submission, with every default filled in.
 *
 * @throws {Problem} `InvalidRequest` when the deployment can't sign one, or its address may not be called.
 */
export function webhookOf(
	{ webhook }: WireOptions,
	tenant: string,
	config: Config,
	origin: string,
): Webhook | undefined {
	if (!webhook) return undefined;
	const why =
		secretsOf(config.webhookSecrets, tenant).length === 0
			? 'webhooks are not configured here: WEBHOOK_SECRETS has none for this tenant'
			: refusalOf(webhook.url, config.allowPrivateTargets);
	if (why !== undefined) throw invalid('The webhook is not valid', [{ pointer: '/options/webhook/url', message: why }]);
	const { url, events = DEFAULT_WEBHOOK_EVENTS, format = 'standard' } = webhook;
	return { url, events, format, origin, deliveries: [] };
}

export function invalid(detail: string, errors: readonly Fault[]): Problem {
	return new Problem('InvalidRequest', detail, { errors });
}

/** What a zod schema says of a JSON body is the client's business; which schema it was is not. */
export function invalidInput(error: z.ZodError, prefix: string): Problem {
	return new Problem('InvalidInput', "The input does not fit the task's schema", {
		errors: faultsOf(error, inBody(prefix)),
	});
}

type Values = Record<string, unknown>;

function fromHeaders(headers: Headers): { values: Values; faults: Fault[] } {
	let values: Values = {};
	const faults: Fault[] = [];
	headers.forEach((text, name) => {
		const [, path, parse] = HEADERS_BY_NAME.get(name) ?? [];
		if (path && parse) values = merged(values, nested(path, parse(text)));
		else if (name.startsWith(OUR_PREFIX)) faults.push({ header: name, message: 'is not known here' });
	});
	return { values, faults };
}

/** A fault is where the value came from: in a header, or in the body. */
function placeOf(path: readonly PropertyKey[], message: string, values: Values, given: Values): Fault {
	const header = HEADERS.find(([, at]) => at.every((key, index) => path[index] === key))?.[0];
	const isFromHeader =
		header !== undefined && valueAt(values, path) !== undefined && valueAt(given, path) === undefined;
	return isFromHeader ? { header, message } : inBody('/options')(path, message);
}

/** The nearest value there is on the way along a path. */
function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
	const [key, ...rest] = path;
	if (key === undefined || !isObject(values)) return values;
	return valueAt(values[String(key)], rest);
}

function nested(path: readonly string[], value: unknown): Values {
	const [key = '', ...rest] = path;
	return { [key]: rest.length === 0 ? value : nested(rest, value) };
}

/** Both, the second one winning; objects inside are merged too. */
function merged(first: Values, second: Values): Values {
	const result = new Map(Object.entries(first));
	for (const [key, value] of Object.entries(second)) {
		const before = result.get(key);
		result.set(key, isObject(before) && isObject(value) ? merged(before, value) : value);
	}
	// Every key becomes the object's own, `__proto__` too: it is none that is known, and refused like any other.
	return Object.fromEntries(result);
}

function list(text: string): string[] {
	return text.split(',').map((item) => item.trim());
}

/** A structured-field string (RFC 9651) as the Idempotency-Key draft has it, or the bare token that most clients send. */
function structuredString(text: string): unknown {
	if (!text.startsWith('"')) return text;
	try {
		return parseItem(text)[0];
	} catch {
		// No string at all, and so not what the schema wants: it says what that is.
		return null;
	}
}

/** A text that is no whole number stays a text, so that the complaint can show it. */
function wholeNumber(text: string): unknown {
	return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

/** W3C Trace Context, version 00. One that is malformed is ignored, as the recommendation says. */
function traceparentOf(headers: Headers): string | undefined {
	const value = headers.get('traceparent') ?? '';
	return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(value) ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
