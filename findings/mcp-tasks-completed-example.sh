#!/usr/bin/env bash
# @modelcontextprotocol/ext-tasks 0.2.2: the specification's own example of a completed task is reported as failed.
#
# "Example Message Flow" of the Tasks extension (2026-07-28) ends with a tasks/get answer whose inner `result` has
# `content` and `isError`, and no `resultType`. The official client takes it only with a `resultType` of its own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . \
	@modelcontextprotocol/ext-tasks@0.2.2 @modelcontextprotocol/client@2.4.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createTaskSessionFromClient } from '@modelcontextprotocol/ext-tasks/client';

const { version } = JSON.parse(readFileSync('node_modules/@modelcontextprotocol/ext-tasks/package.json', 'utf8'));
const REVISION = '2026-07-28';
const info = { name: 'finding', version: '1' };
const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const when = { createdAt: '2026-11-25T10:30:00Z', lastUpdatedAt: '2026-11-25T10:50:00Z' };
const task = { taskId: 'task-1', ...when, ttlMs: 3_600_000, pollIntervalMs: 10 };
const cached = { resultType: 'complete', ttlMs: 0, cacheScope: 'public' };

let toolResult;
const answers = {
	'server/discover': () => ({
		...cached,
		supportedVersions: [REVISION],
		serverInfo: info,
		capabilities: { tools: {}, ...capabilities },
	}),
	'tools/list': () => ({ ...cached, tools: [{ name: 'hello_world', inputSchema: { type: 'object' } }] }),
	'tools/call': () => ({ resultType: 'task', ...task, status: 'working' }),
	'tasks/get': () => ({ resultType: 'complete', ...task, status: 'completed', result: toolResult }),
};
const server = createServer(async (request, response) => {
	const { id, method } = await json(request);
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]() }));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = new URL(`http://127.0.0.1:${server.address().port}/mcp`);

/** Sends a request as it stands, which the package leaves to its host. */
async function rawDispatch(request) {
	const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...request });
	const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
	return { kind: 'result', result: (await response.json()).result };
}

const client = new Client(info, { capabilities, versionNegotiation: { mode: 'auto' } });
await client.connect(new StreamableHTTPClientTransport(url));
const v2RequestFraming = { protocolVersion: REVISION, clientInfo: info, clientCapabilities: capabilities };
const session = createTaskSessionFromClient(client, { endpointId: 'finding', rawDispatch, v2RequestFraming });
const example = { content: [{ type: 'text', text: 'Hello, Luca!' }], isError: false };
const results = { 'as in the example': example, 'with resultType': { resultType: 'complete', ...example } };
const seen = {};
for (const [name, result] of Object.entries(results)) {
	toolResult = result;
	const { outcome } = await (await session.callTool('hello_world', {})).settle();
	seen[name] = outcome.error ? `${outcome.status}: ${outcome.error.message}` : outcome.status;
}

const recorded = { 'as in the example': 'failed: Protocol value failed schema validation', 'with resultType': 'completed' };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`@modelcontextprotocol/ext-tasks ${version}`);
console.log('expected: both tasks are completed');
for (const [name, outcome] of Object.entries(seen)) console.log(`seen:     ${name}: ${outcome}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
