/** A message to the agent: its skill, and the arguments in its parts. */
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { isJson } from '../../core/http/media-type.ts';
import { OPTION_LIMITS } from '../../core/job/limits.ts';
import { MAX_MCP_REQUEST_BYTES } from '../../core/mcp/limits.ts';
import { once } from '../../core/once.ts';
import { requestMediaType } from '../body.ts';
import { Correlation, isCorrelationId } from '../correlation.ts';
import { inBody, zodFaults } from '../faults.ts';
import { readJson } from '../json-body.ts';
import type { JobStarter, ToolSubmission } from '../mcp/tool.ts';
import { callersStarters } from '../mcp/tools.ts';
import { Problem, shown } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';
import { A2aError } from './answer.ts';

/** Protobuf's JSON leaves an empty text out, or sends it, or `null`. */
const optionalText = () =>
	z
		.string()
		.nullish()
		.transform((text) => text || undefined);

const keyChars = OPTION_LIMITS.idempotencyKeyChars.max;

/** It is the idempotency key of the job. */
const messageKey = () =>
	z
		.string('expected an id')
		.regex(new RegExp(`^[\\x20-\\x7e]{1,${keyChars}}$`), `expected 1 to ${keyChars} printable ASCII characters`);

const MessagePart = once(() =>
	z.looseObject({
		text: optionalText(),
		data: z.unknown().optional(),
		raw: optionalText(),
		url: optionalText(),
		mediaType: optionalText(),
	}),
);

const SendRequest = once(() =>
	z.looseObject({
		message: z.looseObject({
			messageId: messageKey(),
			contextId: optionalText(),
			taskId: optionalText(),
			parts: z.array(MessagePart(), 'expected a list of parts').min(1, 'expected at least one part'),
			metadata: z.looseObject({ skill: optionalText() }).nullish(),
		}),
		configuration: z.looseObject({ returnImmediately: z.boolean().nullish() }).nullish(),
	}),
);

type Parts = readonly z.output<ReturnType<typeof MessagePart>>[];

export interface Order {
	readonly starter: JobStarter;
	/** With the message's context as the correlation id. */
	readonly context: RequestContext;
	readonly submission: ToolSubmission;
	readonly returnsAtOnce: boolean;
}

/** @throws {Problem | A2aError} for a message that starts no task. */
export async function readOrder(context: RequestContext): Promise<Order> {
	const { request } = context;
	const mediaType = requestMediaType(request);
	if (!isJson(mediaType))
		throw new Problem(
			'UnsupportedMediaType',
			`Expected a message as JSON, got: ${shown(mediaType) || 'no Content-Type'}`,
		);
	const body = await readJson(request, { maxBytes: MAX_MCP_REQUEST_BYTES }, async (value) => value);
	const parsed = SendRequest().safeParse(body);
	if (!parsed.success) throw invalidRequest('The message is not valid', zodFaults(parsed.error, inBody()));
	const { message, configuration } = parsed.data;
	if (message.taskId !== undefined)
		throw new A2aError('UNSUPPORTED_OPERATION', 'A task takes no further messages: send a new one without taskId');
	return {
		starter: findSkill(context, message.metadata?.skill),
		context: inContext(context, message.contextId),
		// A message that is sent again finds its task.
		submission: {
			arguments: readParts(message.parts),
			idempotencyKey: message.messageId,
			signal: request.signal,
		},
		returnsAtOnce: configuration?.returnImmediately ?? false,
	};
}

function findSkill(context: RequestContext, id: string | undefined): JobStarter {
	const starters = callersStarters(context);
	const [only] = starters;
	const found = id === undefined && starters.length === 1 ? only : starters.find(({ name }) => name === id);
	if (found) return found;
	const wanted = `expected one of: ${starters.map(({ name }) => name).join(', ')}`;
	throw invalidRequest('The message names no skill', [{ pointer: '/message/metadata/skill', message: wanted }]);
}

function inContext(context: RequestContext, contextId: string | undefined): RequestContext {
	if (contextId === undefined) return context;
	if (isCorrelationId(contextId)) {
		context.correlation.adopt(contextId);
		const correlation = new Correlation({ headers: new Headers({ 'x-correlation-id': contextId }) });
		return { ...context, correlation };
	}
	const message = 'expected at most 128 printable ASCII characters without spaces';
	throw invalidRequest('The message is not valid', [{ pointer: '/message/contextId', message }]);
}

/** The arguments of a skill are one part with data, and at most one file. */
function readParts(parts: Parts): Record<string, unknown> {
	const data = parts.filter((part) => part.data !== undefined);
	const files = parts.filter(({ raw, url }) => raw !== undefined || url !== undefined);
	if (data.length > 1 || files.length > 1 || data.length + files.length < parts.length)
		throw invalidRequest('The message is not valid', [
			{ pointer: '/message/parts', message: 'expected one part with data, or one file, or one of each' },
		]);
	const [given] = data.map((part) => part.data);
	const [file] = files.map(({ raw: base64, url, mediaType }) => defined({ base64, url, mediaType }));
	const named = isArguments(given) ? given : defined({ input: given });
	if (file && Object.hasOwn(named, 'file'))
		throw invalidRequest('The message is not valid', [
			{ pointer: '/message/parts', message: 'expected the file either in the data or as a part' },
		]);
	return { ...named, ...defined({ file }) };
}

function isArguments(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
