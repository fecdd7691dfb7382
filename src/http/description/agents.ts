/** Operations of the MCP server and of the A2A server. */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import type { Operation, Operations } from './vocabulary.ts';

const MESSAGE = { type: 'object', description: 'A message of JSON-RPC 2.0' } as const;

const A2A_TYPE = 'application/a2a+json';
const A2A_TASK = { type: 'object', description: 'A task of Agent2Agent 1.0' } as const;
const A2A_STREAM = { 'text/event-stream': { type: 'string' } } as const;
const A2A = { tag: 'Agents', errorsAs: A2A_TYPE } as const;

const describeMetadata = (id: string): Operation => ({
	id,
	tag: 'Agents',
	summary: 'Find where agents get a token',
	description: 'Metadata of `/mcp` as a protected resource (RFC 9728); 404 without an identity provider',
	answers: { 200: { description: 'The metadata', content: { [JSON_TYPE]: { type: 'object' } } } },
	problems: ['NotFound'],
});

export const AGENTS: Operations = {
	'POST /mcp': {
		id: 'callMcp',
		tag: 'Agents',
		summary: 'Ask the MCP server',
		description:
			'The tasks as tools of a stateless server of the [Model Context Protocol](agents.md), revision 2026-07-28, with the extension for tasks',
		body: { description: 'A request or a notification', content: { [JSON_TYPE]: MESSAGE } },
		answers: {
			200: {
				description: 'The response, or a stream that ends with it',
				content: { [JSON_TYPE]: MESSAGE, 'text/event-stream': { type: 'string' } },
			},
			202: { description: 'The notification was received' },
		},
		problems: ['PayloadTooLarge', 'RequestTimeout', 'InvalidRequest'],
	},
	'GET /.well-known/oauth-protected-resource': describeMetadata('getProtection'),
	'GET /.well-known/oauth-protected-resource/mcp': describeMetadata('getMcpProtection'),
	'GET /.well-known/agent-card.json': {
		id: 'getAgentCard',
		tag: 'Agents',
		summary: 'Read the agent card',
		description: 'What [this agent](agents.md#agent2agent) can, for clients of Agent2Agent 1.0',
		answers: { 200: { description: 'The card', content: { [JSON_TYPE]: { type: 'object' } } } },
	},
	'POST /a2a/:operation': {
		...A2A,
		id: 'sendMessage',
		summary: 'Send a message of Agent2Agent',
		description: '`message:send` waits for its task for up to 25 seconds, `message:stream` tells its updates',
		body: { description: 'A message', content: { [JSON_TYPE]: { type: 'object' } } },
		parameters: ['a2aVersion', 'a2aVersionInQuery'],
		answers: {
			200: { description: 'The task, or a stream', content: { [A2A_TYPE]: { type: 'object' }, ...A2A_STREAM } },
		},
	},
	'GET /a2a/extendedAgentCard': {
		...A2A,
		id: 'getExtendedAgentCard',
		summary: 'Read the agent card for this caller',
		description: 'With the skills that the credentials allow',
		parameters: ['a2aVersion', 'a2aVersionInQuery'],
		answers: { 200: { description: 'The card', content: { [A2A_TYPE]: { type: 'object' } } } },
	},
	'GET /a2a/tasks': {
		...A2A,
		id: 'listA2aTasks',
		summary: 'List tasks of Agent2Agent',
		description: 'The newest first, without artifacts',
		parameters: [
			'a2aVersion',
			'a2aVersionInQuery',
			'a2aState',
			'contextId',
			'pageSize',
			'pageToken',
			'includeArtifacts',
			'statusTimestampAfter',
		],
		answers: { 200: { description: 'A page', content: { [A2A_TYPE]: { type: 'object' } } } },
	},
	'GET /a2a/tasks/:taskId': {
		...A2A,
		id: 'getA2aTask',
		summary: 'Read a task of Agent2Agent',
		description: 'The id of a job. With `:subscribe` behind it, its updates',
		parameters: ['a2aVersion', 'a2aVersionInQuery'],
		answers: {
			200: { description: 'The task, or a stream', content: { [A2A_TYPE]: A2A_TASK, ...A2A_STREAM } },
		},
	},
	'POST /a2a/tasks/:taskId': {
		...A2A,
		id: 'changeA2aTask',
		summary: 'Cancel a task of Agent2Agent',
		description: 'The id of a job with `:cancel` behind it, or with `:subscribe`',
		parameters: ['a2aVersion', 'a2aVersionInQuery'],
		answers: {
			200: { description: 'The task, or a stream', content: { [A2A_TYPE]: A2A_TASK, ...A2A_STREAM } },
		},
	},
};
