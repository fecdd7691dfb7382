/** Operations of the MCP server. */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import type { Operation, Operations } from './vocabulary.ts';

const MESSAGE = { type: 'object', description: 'A message of JSON-RPC 2.0' } as const;

const protection = (id: string): Operation => ({
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
	'GET /.well-known/oauth-protected-resource': protection('getProtection'),
	'GET /.well-known/oauth-protected-resource/mcp': protection('getMcpProtection'),
};
