/** A message to the agent: its skill, and the arguments in its parts. */
import * as z from 'zod';
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
import { type Fault, Problem, shown } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';
import { A2aError } from './answer.ts';
import { MessagePart, optionalText, readParts } from './parts.ts';

const keyChars = OPTION_LIMITS.idempotencyKeyChars.max;

/** It is the idempotency key of the job. */
const messageKey = () =>
	z
		.string('expected an id')
		.regex(new RegExp(`^[\\x20-\\x7e]{1,${keyChars}}$`), `expected 1 to ${keyChars} printable ASCII characters`);

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

export interface Order {
	readonly starter: JobStarter;
	/** With the message's context as the correlation id. */
	readonly context: RequestContext;
	readonly submission: ToolSubmission;
	/** The place in the message of a fault of the submission. */
	readonly locate: (fault: Fault) => Fault;
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
	const starter = findSkill(context, message.metadata?.skill);
	const { arguments: given, locate } = readParts(message.parts, starter);
	return {
		starter,
		context: inContext(context, message.contextId),
		// A message that is sent again finds its task.
		submission: { arguments: given, idempotencyKey: message.messageId, signal: request.signal },
		locate,
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
