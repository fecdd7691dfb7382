#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 and client 2.4.0: a resumed stream that is cut after heartbeats alone is not resumed.
#
# MCP 2025-11-25, "Resumability and Redelivery": after a disconnection, the client goes on with GET and Last-Event-ID.
# Both clients do so when the stream that ended had an event with an id. A stream that had only comments makes them
# forget the id that they have: the call waits for its timeout, although the server could have answered.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import * as client2 from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const packages = { '@modelcontextprotocol/sdk': { Client, StreamableHTTPClientTransport }, '@modelcontextprotocol/client': client2 };
const info = { name: 'finding', version: '1' };
let cutAfter;
let resumptions;
let callId;

const server = createServer(async (request, response) => {
	const stream = (text) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
	const result = (id, value) => JSON.stringify({ jsonrpc: '2.0', id, result: value });
	if (request.method === 'GET' && request.headers['last-event-id']) {
		resumptions += 1;
		if (resumptions === 1) return stream(cutAfter); // a proxy cuts the connection
		return stream(`id: 3\ndata: ${result(callId, { content: [{ type: 'text', text: 'done' }] })}\n\n`);
	}
	if (request.method !== 'POST') return response.writeHead(405).end();
	const { id, method, params } = await json(request);
	if (method === 'tools/call') {
		callId = id;
		return stream('id: 1\nretry: 50\ndata:\n\n');
	}
	if (id === undefined) return response.writeHead(202).end();
	const { protocolVersion } = params;
	const answer = { protocolVersion, capabilities: { tools: {} }, serverInfo: info };
	response.writeHead(200, { 'content-type': 'application/json' }).end(result(id, answer));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = new URL(`http://127.0.0.1:${server.address().port}/mcp`);

const seen = {};
for (const [name, library] of Object.entries(packages)) {
	const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
	for (const [what, text] of Object.entries({ 'an event': 'id: 2\ndata:\n\n', 'a heartbeat': ': heartbeat\n\n' })) {
		cutAfter = text;
		resumptions = 0;
		const client = new library.Client(info);
		await client.connect(new library.StreamableHTTPClientTransport(url));
		const options = { timeout: 2_000 };
		const call = client.callTool({ name: 'slow' }, ...(library === client2 ? [options] : [undefined, options]));
		const outcome = await call.then(({ content }) => content[0].text, ({ message }) => message.replace(/^MCP error \S+ /, ''));
		seen[`${name} ${version}, cut after ${what}`] = `${resumptions} GET, ${outcome}`;
		await client.close();
	}
}

const recorded = {
	'@modelcontextprotocol/sdk 1.32.2, cut after an event': '2 GET, done',
	'@modelcontextprotocol/sdk 1.32.2, cut after a heartbeat': '1 GET, Request timed out',
	'@modelcontextprotocol/client 2.4.0, cut after an event': '2 GET, done',
	'@modelcontextprotocol/client 2.4.0, cut after a heartbeat': '1 GET, Request timed out',
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log('expected: 2 GET, done, whatever the stream had before it was cut');
for (const [name, outcome] of Object.entries(seen)) console.log(`seen:     ${name}: ${outcome}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
