/** `GET /.well-known/agent-card.json`: what this agent can, and where it is asked. */
import { A2A_PATH, CARD_SECONDS } from '../../core/a2a/limits.ts';
import { defined } from '../../core/defined.ts';
import { SERVER_VERSION } from '../mcp/server-version.ts';
import type { JobStarter } from '../mcp/tool.ts';
import { callersStarters, publicStarters } from '../mcp/tools.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';
import { a2aJson, answerA2a } from './answer.ts';

const JSON_MODE = 'application/json';

/** It is public, as the description of the API. Where that is off, it names no skill. */
export function describeAgent(context: RequestContext): Response {
	const skills = context.config.isDescriptionOn ? publicStarters(context) : [];
	const cacheControl = `public, max-age=${CARD_SECONDS}`;
	return Response.json(createCard(context, skills), { headers: { 'cache-control': cacheControl } });
}

/** `GET /a2a/extendedAgentCard`: with the skills that the caller may use. */
export function describeToCaller(context: RequestContext): Promise<Response> {
	return answerA2a(context, async () => a2aJson(createCard(context, callersStarters(context))));
}

function createCard(context: RequestContext, starters: readonly JobStarter[]): object {
	const { config } = context;
	return defined({
		name: 'Coatcheck',
		description: 'Runs slow work as tasks that are fetched later. A message names its skill as metadata.skill.',
		version: SERVER_VERSION,
		supportedInterfaces: [
			{ url: linkOrigin(context) + A2A_PATH, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
		],
		capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: true },
		defaultInputModes: [JSON_MODE],
		defaultOutputModes: [JSON_MODE, 'text/plain'],
		skills: starters.map(skillFor),
		...keyProtection(config.isOpen),
	});
}

function skillFor({ name, tool }: JobStarter): object {
	const { description, inputSchema } = tool();
	const schema = JSON.stringify(inputSchema);
	return { id: name, name, description: `${description}\n\nIts data: ${schema}`, tags: ['job'] };
}

function keyProtection(isOpen: boolean): object {
	if (isOpen) return {};
	return {
		securitySchemes: { key: { httpAuthSecurityScheme: { scheme: 'Bearer' } } },
		securityRequirements: [{ schemes: { key: { list: [] } } }],
	};
}
