#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2: aborting a signal cancels calls that ended long ago. @modelcontextprotocol/client
# 2.4.0 does not.
#
# MCP 2025-11-25, "Cancellation": a cancellation may only name requests that are believed to be in progress. One signal
# for all the calls of a task is common. When the user stops the third call, the server is told to stop all three.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import * as client2 from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';

const packages = { '@modelcontextprotocol/sdk': { Client, InMemoryTransport }, '@modelcontextprotocol/client': client2 };
const info = { name: 'finding', version: '1' };

/** Makes two calls that end and one that is aborted, and gives the numbers of the calls that are cancelled. */
async function abortThirdCall(library) {
	const [near, far] = library.InMemoryTransport.createLinkedPair();
	const callIds = [];
	const cancelledIds = [];
	const controller = new AbortController();
	far.onmessage = async ({ id, method, params }) => {
		if (method === 'notifications/cancelled') cancelledIds.push(params.requestId);
		if (method === 'tools/call') callIds.push(id);
		if (callIds.length === 3 && method === 'tools/call') return setImmediate(() => controller.abort());
		if (id === undefined) return;
		const { protocolVersion } = params;
		const initialized = { protocolVersion, capabilities: { tools: {} }, serverInfo: info };
		await far.send({ jsonrpc: '2.0', id, result: method === 'initialize' ? initialized : { content: [] } });
	};
	await far.start();
	const client = new library.Client(info);
	await client.connect(near);
	const options = { signal: controller.signal };
	for (const name of ['first', 'second', 'third']) {
		await client.callTool({ name }, ...(library === client2 ? [options] : [undefined, options])).catch(() => {});
	}
	await new Promise((sent) => setImmediate(sent));
	await client.close();
	return cancelledIds.map((id) => callIds.indexOf(id) + 1);
}

const seen = {};
for (const [name, library] of Object.entries(packages)) {
	const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
	seen[`${name} ${version}`] = await abortThirdCall(library);
}

const recorded = { '@modelcontextprotocol/sdk 1.32.2': [1, 2, 3], '@modelcontextprotocol/client 2.4.0': [3] };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log('expected: call 3 is cancelled; calls 1 and 2 were answered before');
for (const [name, numbers] of Object.entries(seen)) console.log(`seen:     ${name} cancels calls ${numbers.join(', ')}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
